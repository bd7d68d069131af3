"""Slots made by chance: in order, the same for everybody, and right when clocks change."""

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dltest.model import Schedule, Slot
from dltest.planning.timetable import latest_slot, next_slot, slots
from dltest.scenario.cron import check_cron, shortest_gap

ZONES = [
    "UTC",
    "Europe/Zurich",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Asia/Beirut",  # clocks change at midnight
    "Africa/Casablanca",  # summer time with a hole in it
    "Asia/Kathmandu",
]

EARLIEST, LATEST = (datetime(year, 1, 1, tzinfo=UTC) for year in (2024, 2028))
moments = st.floats(0, 1).map(lambda part: EARLIEST + part * (LATEST - EARLIEST))
names = st.sampled_from(["replicate", "upload", "a-1"])
fields = st.tuples(
    st.sampled_from(["0", "30", "59", "*/7", "0,15,45", "10-20/5", "*/30"]),
    st.sampled_from(["*", "2", "0", "*/6", "1-3", "2,3", "23"]),
    st.sampled_from(["*", "1", "29", "L", "*/10"]),
    st.sampled_from(["*", "3", "10", "2-4"]),
    st.sampled_from(["*", "0", "MON-FRI", "SUN#5"]),
)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    if draw(st.booleans()):
        every = timedelta(minutes=draw(st.integers(1, 3000)))
        return Schedule(every=every, jitter=draw(st.sampled_from([timedelta(0), every / 2])))
    cron, zone = check_cron(" ".join(draw(fields))), draw(st.sampled_from(ZONES))
    gap = shortest_gap(cron, zone) or timedelta(hours=1)
    return Schedule(
        cron=cron, time_zone=zone, jitter=draw(st.sampled_from([timedelta(0), gap / 2]))
    )


def some(schedule: Schedule, name: str, after: datetime, most: int = 40) -> list[Slot]:
    found: list[Slot] = []
    for slot in slots(schedule, name, after, after + timedelta(days=400)):
        found.append(slot)
        if len(found) == most:
            break
    return found


# In Casablanca, 3:00 became 2:00 on 15 February 2026.
TWICE = Schedule(cron="*/7 2 * 2-4 0", time_zone="Africa/Casablanca")


@given(schedules(), names, moments)
@example(TWICE, "replicate", datetime(2026, 1, 1, tzinfo=UTC))
@settings(max_examples=100)
def test_slots_come_in_order_and_after_the_moment(
    schedule: Schedule, name: str, after: datetime
) -> None:
    began = time.process_time()
    found = some(schedule, name, after)
    assert time.process_time() - began < 2
    assert all(after < slot.at for slot in found)
    for earlier, later in pairwise(found):
        assert earlier.at < later.at
        assert earlier.starts_at < later.starts_at
        assert earlier.number <= later.number
        if schedule.every:
            assert later.number == earlier.number + 1
    for slot in found:
        assert slot.at <= slot.starts_at < slot.at + max(schedule.jitter, timedelta(microseconds=1))
        assert slot.at.utcoffset() == timedelta(0)


# In Beirut, 0:00 became 1:00 on the last Sunday of March.
NEVER = Schedule(cron="*/7 0 * * SUN#5", time_zone="Asia/Beirut")


@given(schedules(), names, moments, st.floats(0, 1))
@example(NEVER, "replicate", EARLIEST, 0.0)
@settings(max_examples=100)
def test_whoever_asks_whenever_gets_the_same_slots(
    schedule: Schedule, name: str, after: datetime, part: float
) -> None:
    """Two schedulers that were started at different moments must agree on what is due."""
    whole = some(schedule, name, after)
    until = whole[-1].at if whole else after
    since = after + (until - after) * part
    assert list(slots(schedule, name, since, until)) == [s for s in whole if s.at > since]
    for slot in whole[:3]:
        assert next_slot(schedule, name, slot.at - timedelta(microseconds=1)) == slot
        assert latest_slot(schedule, name, slot.at) == slot
    for slot, following in pairwise(whole[:4]):
        assert next_slot(schedule, name, slot.at) == following
        assert latest_slot(schedule, name, following.at - timedelta(microseconds=1)) == slot


@given(st.integers(0, 23), st.integers(0, 59), st.sampled_from(ZONES), st.integers(2024, 2027))
@settings(max_examples=20)
def test_once_a_day_is_once_every_day_of_the_zone(
    hour: int, minute: int, zone: str, year: int
) -> None:
    """Whatever the clocks do: each local date has its slot, at that time where there is one."""
    here = ZoneInfo(zone)
    schedule = Schedule(cron=f"{minute} {hour} * * *", time_zone=zone)
    first, last = datetime(year, 1, 1, tzinfo=here), datetime(year + 1, 1, 1, tzinfo=here)
    found = list(slots(schedule, "it", first - timedelta(seconds=1), last - timedelta(seconds=1)))
    local = [slot.at.astimezone(here) for slot in found]
    days = (last.date() - first.date()).days
    assert len({moment.date() for moment in local}) == len(found) == days
    moved = [moment for moment in local if (moment.hour, moment.minute) != (hour, minute)]
    assert len(moved) <= 2
    assert [slot.number for slot in found] == list(range(found[0].number, found[0].number + days))
