"""When slots are: aligned to the epoch, or to the clocks of a zone when they change too."""

from datetime import UTC, datetime, timedelta

import pytest

from dltest.model import Schedule
from dltest.planning.timetable import latest_slot, next_slot, slots, turn_at

DAY = timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(schedule: Schedule, after: str, until: str) -> list[str]:
    found = slots(schedule, "it", utc(after), utc(until))
    return [f"{slot.at:%d %H:%M}" for slot in found]


def test_every_is_aligned_to_the_epoch_and_numbered_from_it() -> None:
    six = Schedule(every=timedelta(hours=6))
    assert times(six, "2026-01-01T00:00", "2026-01-02T00:00") == [
        "01 06:00", "01 12:00", "01 18:00", "02 00:00",
    ]  # fmt: skip
    slot = next_slot(six, "it", utc("1970-01-01T05:59"))
    assert (slot.at, slot.number) == (utc("1970-01-01T06:00"), 1)


# Zurich: 2026-03-29 02:00 CET -> 03:00 CEST, 2026-10-25 03:00 CEST -> 02:00 CET
@pytest.mark.parametrize(
    ("cron", "day", "expected"),
    [
        ("30 2 * * *", "2026-03-28", ["28 01:30", "29 01:00", "30 00:30"]),
        ("30 2 * * *", "2026-10-24", ["24 00:30", "25 00:30", "26 01:30"]),
        ("0,30 2,3 * * *", "2026-03-29", ["29 01:00", "29 01:30", "30 00:00", "30 00:30", "30 01:00", "30 01:30", "31 00:00", "31 00:30", "31 01:00", "31 01:30"]),
        ("0 */12 * * *", "2026-10-25", ["25 11:00", "25 23:00", "26 11:00", "26 23:00", "27 11:00"]),
    ],
)  # fmt: skip
def test_cron_follows_the_clocks_of_its_zone(cron: str, day: str, expected: list[str]) -> None:
    schedule = Schedule(cron=cron, time_zone="Europe/Zurich")
    until = (utc(day) + 3 * DAY).isoformat()[:16]
    assert times(schedule, f"{day}T00:00", until)[: len(expected)] == expected


def test_a_cron_with_a_star_counts_hours_that_come_twice() -> None:
    schedule = Schedule(cron="0 * * * *", time_zone="Europe/Zurich")
    assert len(times(schedule, "2026-10-24T22:00", "2026-10-25T23:00")) == 25


def test_what_was_taken_the_first_time_is_not_taken_again_when_clocks_go_back() -> None:
    schedule = Schedule(cron="30 2 * * *", time_zone="Europe/Zurich")
    # 02:10 for the second time; 02:30 came 40 minutes ago, for the first
    assert next_slot(schedule, "it", utc("2026-10-25T01:10")).at == utc("2026-10-26T01:30")


def test_numbers_of_cron_follow_each_other_over_days_that_it_leaves_out() -> None:
    schedule = Schedule(cron="0 6,18 * * MON,THU", time_zone="America/New_York")
    found = list(slots(schedule, "it", utc("2026-01-01T00:00"), utc("2026-12-31T00:00")))
    first = found[0].number
    assert [slot.number for slot in found] == list(range(first, first + len(found)))


def test_the_latest_slot_may_be_years_ago_or_never_have_been() -> None:
    leap = Schedule(cron="0 0 29 2 *")
    now = utc("2027-06-01T00:00")
    slot = latest_slot(leap, "it", now)
    assert slot is not None
    assert slot.at == utc("2024-02-29T00:00")
    assert next_slot(leap, "it", now).at == utc("2028-02-29T00:00")
    assert latest_slot(Schedule(cron="0 0 29 2 *"), "it", utc("2024-02-29T00:00")) is not None


def test_jitter_is_drawn_from_name_and_slot_and_fills_its_room() -> None:
    schedule = Schedule(every=timedelta(hours=1), jitter=timedelta(minutes=10))
    now = utc("2026-01-01T00:00")
    late = [s.starts_at - s.at for s in slots(schedule, "it", now, now + 40 * DAY)]
    assert late == [s.starts_at - s.at for s in slots(schedule, "it", now, now + 40 * DAY)]
    assert late != [s.starts_at - s.at for s in slots(schedule, "other", now, now + 40 * DAY)]
    assert min(late) < timedelta(seconds=20)
    assert max(late) > timedelta(minutes=9, seconds=40)


def test_the_turn_of_the_clock_is_the_hour() -> None:
    assert turn_at(utc("1970-01-02T00:59")) == 24
    assert turn_at(utc("1970-01-02T01:00")) == 25
