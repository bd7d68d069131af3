"""Cron: five fields, read in a time zone as Debian's cron does.

A time of the clock that is skipped when summer begins is taken at the first minute there is, and
one that comes twice when summer ends is taken once; but where hour or minute begin with `*`, the
one is not taken at all, and the other twice.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from functools import cache, lru_cache
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

MAX_LENGTH = 100

# A year of one a day, with its two changes of the clock.
_SEEN_FOR_GAPS = 400
# A date that has to be a certain weekday comes after twelve years at worst.
_YEARS_FOR_GAPS = 13

_FIELDS = "minute hour day-of-month month day-of-week"
_MINUTE = timedelta(minutes=1)
_BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


def check_cron(text: str) -> str:
    """The expression itself.

    Raises:
        ValueError: with a sentence.
    """
    if len(text.split()) != 5 or len(text) > MAX_LENGTH:
        raise ValueError(
            f"'{text[:40]}' is not a cron expression; write five fields ({_FIELDS}),"
            " like 30 2 * * *"
        )
    try:
        next(CronSim(text, _BEGINNING))
    except (CronSimError, ValueError) as error:
        raise ValueError(f"'{text[:40]}' is not a cron expression: {error}") from None
    except StopIteration:
        raise ValueError(f"'{text[:40]}' never comes") from None
    return text


def check_time_zone(name: str) -> str:
    """The name itself.

    Raises:
        ValueError: with a sentence, and the name that was perhaps meant.
    """
    if name in _zones():
        return name
    near = get_close_matches(name[:64], sorted(_zones()), n=1)
    ask = f"; did you mean '{near[0]}'?" if near else ""
    raise ValueError(f"'{name[:40]}' is not a time zone like Europe/Zurich or UTC{ask}")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def moments(cron: str, time_zone: str, after: datetime) -> Iterator[datetime]:
    """All moments in UTC after `after`, each later than the one before."""
    last, zone = after, ZoneInfo(time_zone)
    follows_time = any(field.startswith("*") for field in cron.split()[:2])
    for found in CronSim(cron, after.astimezone(zone)):
        moment = found.astimezone(UTC)
        # Whether cronsim takes an hour that is skipped depends on where it began to look.
        if follows_time and moment.astimezone(zone).replace(fold=0) != found.replace(fold=0):
            continue
        # In the hour that comes twice, a time that is taken once may lie behind us already.
        if moment > last:
            last = moment
            yield moment


def shortest_gap(cron: str, time_zone: str) -> timedelta | None:
    """The shortest time between two moments that follow each other; None if they are rare."""
    end = _BEGINNING.replace(year=_BEGINNING.year + _YEARS_FOR_GAPS)
    found = islice(moments(cron, time_zone, _BEGINNING), _SEEN_FOR_GAPS)
    near = takewhile(lambda moment: moment < end, found)
    return min((later - earlier for earlier, later in pairwise(near)), default=None)


def number_of(cron: str, time_zone: str, moment: datetime) -> int:
    """Counts the moments since 2020, so that following ones have following numbers.

    Where clocks change, a number may come again at once or be left out; it never goes back.
    """
    local = _never_back(moment, ZoneInfo(time_zone))
    times = _times_of_a_day(cron)
    earlier = sum(time <= (local.hour, local.minute) for time in times)
    return _days_before(cron, local.date()) * len(times) + earlier - 1


def _never_back(moment: datetime, zone: ZoneInfo) -> datetime:
    """The time of the clock; all of an hour that comes again is the last minute of it."""
    if not moment.astimezone(zone).fold:
        return moment.astimezone(zone)
    while (moment + _MINUTE).astimezone(zone).fold:
        moment += _MINUTE
    return moment.astimezone(zone)


@lru_cache(maxsize=256)
def _times_of_a_day(cron: str) -> tuple[tuple[int, int], ...]:
    found = CronSim(cron, _BEGINNING)
    return tuple(sorted((int(h), int(m)) for h in found.hours for m in found.minutes))


def _days_before(cron: str, day: date) -> int:
    """Days since 2020 on which it comes, without `day` itself."""
    years = sum(_days_of(cron, year) for year in range(_BEGINNING.year, day.year))
    return years + _days_between(cron, date(day.year, 1, 1), day)


@lru_cache(maxsize=1024)
def _days_of(cron: str, year: int) -> int:
    return _days_between(cron, date(year, 1, 1), date(year + 1, 1, 1))


def _days_between(cron: str, first: date, end: date) -> int:
    found = CronSim(cron, _BEGINNING)
    days = (first + timedelta(days=index) for index in range((end - first).days))
    return sum(day.month in found.months and found.match_day(day) for day in days)
