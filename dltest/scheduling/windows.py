"""Whether a downtime holds at a moment; the clocks of its time zone may jump.

A window begins at the first moment at which the clock shows its begin, and ends at the last at
which it shows its end, so that an hour that comes twice is inside. A time that the clock leaves
out counts as if the clock had not jumped.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dltest.model import Downtime, Window

DAY = timedelta(days=1)


def holds(downtime: Downtime, now: datetime) -> bool:
    if downtime.from_at is not None and now < downtime.from_at:
        return False
    if downtime.until_at is not None and now >= downtime.until_at:
        return False
    return downtime.window is None or is_within(downtime.window, now)


def is_over(downtime: Downtime, now: datetime) -> bool:
    """Whether it will never hold again."""
    return downtime.until_at is not None and now >= downtime.until_at


def is_within(window: Window, now: datetime) -> bool:
    return any(begin <= now < end for begin, end in _spans(window, now))


def _spans(window: Window, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The spans of the window that may hold `now`: those that begin today, or the day before."""
    zone = ZoneInfo(window.time_zone)
    today = now.astimezone(zone).date()
    for day in (today - DAY, today):
        if not window.days or day.weekday() in window.days:
            end_day = day if window.ends > window.begins else day + DAY
            yield _first(day, window.begins, zone), _last(end_day, window.ends, zone)


def _first(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone).replace(fold=0).astimezone(UTC)


def _last(day: date, clock: time, zone: ZoneInfo) -> datetime:
    shown = datetime.combine(day, clock, zone)
    return max(shown.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
