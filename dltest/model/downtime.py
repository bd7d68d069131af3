"""A downtime: when RSEs are not tested, since their site said so."""

from datetime import datetime, time

from dltest.model.value import Value


class Window(Value):
    """A time of day that comes back: from `begins` to `ends` on the clocks of `time_zone`.

    A window that ends before it begins ends on the next day. `days` (Monday is 0) are those on
    which it begins; none means every day.
    """

    begins: time
    ends: time
    time_zone: str = "UTC"
    days: tuple[int, ...] = ()


class Downtime(Value):
    """Holds for the RSEs of the RSE expression `rses`, from `from_at` until `until_at`.

    With a `window` it holds within that only, between the two moments where they are given.
    """

    id: str
    lake: str
    rses: str
    from_at: datetime | None = None
    until_at: datetime | None = None
    window: Window | None = None
    by: str
    why: str
    created_at: datetime
