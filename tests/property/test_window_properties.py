"""Downtime windows on clocks that jump: inside when the clock says so, and never twice as long."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dltest.model import Downtime, Window
from dltest.scheduling.windows import holds, is_over, is_within

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
MINUTE = timedelta(minutes=1)

clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
windows = st.builds(
    Window,
    begins=clocks,
    ends=clocks,
    time_zone=st.sampled_from(ZONES),
    days=st.sets(st.integers(0, 6)).map(lambda days: tuple(sorted(days))),
)
START = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: START + minutes * MINUTE)


def jumps_near(at: datetime, zone: ZoneInfo) -> bool:
    offsets = {
        (at + timedelta(hours=hours)).astimezone(zone).utcoffset() for hours in range(-50, 51)
    }
    return len(offsets) > 1


@given(windows, moments)
def test_on_clocks_that_do_not_jump_the_clock_decides(window: Window, at: datetime) -> None:
    zone = ZoneInfo(window.time_zone)
    assume(not jumps_near(at, zone))
    local = at.astimezone(zone)
    clock, day = local.time(), local.weekday()
    days = window.days or tuple(range(7))
    if window.begins < window.ends:
        inside = window.begins <= clock < window.ends and day in days
    else:
        inside = (clock >= window.begins and day in days) or (
            clock < window.ends and (day - 1) % 7 in days
        )
    assert is_within(window, at) == inside


@given(st.builds(Window, begins=clocks, ends=clocks, time_zone=st.sampled_from(ZONES)), moments)
def test_a_daily_window_holds_each_day_as_long_as_it_says_give_or_take_a_jump(
    window: Window, at: datetime
) -> None:
    step = timedelta(minutes=15)
    held = sum((is_within(window, at + n * step) for n in range(96)), 0) * step
    begins = timedelta(hours=window.begins.hour, minutes=window.begins.minute)
    ends = timedelta(hours=window.ends.hour, minutes=window.ends.minute)
    said = (ends - begins) % timedelta(days=1) or timedelta(days=1)
    assert abs(held - said) <= timedelta(hours=2)


def berlin(begins: str, ends: str, *days: int) -> Window:
    clock = time.fromisoformat
    return Window(begins=clock(begins), ends=clock(ends), time_zone="Europe/Berlin", days=days)


def minutes_inside(window: Window, day: datetime) -> list[datetime]:
    return [at for n in range(36 * 60) if is_within(window, at := day + n * MINUTE)]


# In Berlin clocks go from 02:00 to 03:00 on 2026-03-29, and from 03:00 to 02:00 on 2026-10-25.
@pytest.mark.parametrize(
    ("window", "day", "first", "last"),
    [
        (berlin("22:00", "06:00", 5), "2026-03-28T12:00", "2026-03-28T21:00", "2026-03-29T03:59"),
        (berlin("22:00", "02:30", 5), "2026-03-28T12:00", "2026-03-28T21:00", "2026-03-29T01:29"),
        (berlin("02:15", "02:45", 6), "2026-03-28T20:00", "2026-03-29T01:15", "2026-03-29T01:44"),
        (berlin("22:00", "02:30", 5), "2026-10-24T12:00", "2026-10-24T20:00", "2026-10-25T01:29"),
        (berlin("02:30", "04:00", 6), "2026-10-24T20:00", "2026-10-25T00:30", "2026-10-25T02:59"),
    ],
)
def test_over_a_change_of_the_clocks(window: Window, day: str, first: str, last: str) -> None:
    inside = minutes_inside(window, datetime.fromisoformat(day).replace(tzinfo=UTC))
    assert [f"{inside[0]:%Y-%m-%dT%H:%M}", f"{inside[-1]:%Y-%m-%dT%H:%M}"] == [first, last]
    assert inside[-1] - inside[0] == (len(inside) - 1) * MINUTE


def test_a_downtime_holds_from_its_first_moment_up_to_its_last() -> None:
    begin = datetime(2026, 11, 24, 8, tzinfo=UTC)
    downtime = Downtime(
        id="d",
        lake="lab",
        rses="XRD1",
        from_at=begin,
        until_at=begin + timedelta(hours=1),
        by="me",
        why="disks",
        created_at=begin,
    )
    at = [begin - MINUTE, begin, begin + timedelta(minutes=59), begin + timedelta(hours=1)]
    assert [holds(downtime, moment) for moment in at] == [False, True, True, False]
    assert [is_over(downtime, moment) for moment in at] == [False, False, False, True]
    daily = downtime.model_copy(update={"window": berlin("09:30", "09:45")})
    assert [holds(daily, begin + n * MINUTE) for n in (0, 29, 30, 44, 45)] == [
        False,
        False,
        True,
        True,
        False,
    ]
