"""`dltest downtime`: when RSEs are not to be tested."""

import uuid
from datetime import UTC, datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.table import Table
from rich.text import Text

from dltest.cli.installation import Installation, LabOption, LakeOption, open_installation
from dltest.cli.moments import ByOption, optional_moment, shown, who
from dltest.cli.screen import output
from dltest.errors import SettingsError
from dltest.model import Downtime, Lake, Window
from dltest.planning import select
from dltest.scheduling import remembered
from dltest.scheduling.windows import holds, is_over

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Say when RSEs are in downtime: their runs are skipped then.",
)


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="downtime")


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@app.command()
def add(  # noqa: PLR0913 - one parameter an option
    rses: Annotated[str, typer.Argument(metavar="RSES", help="A Rucio RSE expression, or a name.")],
    *,
    why: Annotated[str, typer.Option(help="For whoever wonders why nothing runs.")],
    begins: Annotated[
        str | None, typer.Option("--from", help="ISO 8601, UTC without an offset.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="ISO 8601, UTC without an offset.")] = None,
    window: Annotated[
        str | None, typer.Option(help="Only at this time of day, such as 22:00-02:00.")
    ] = None,
    days: Annotated[
        str | None,
        typer.Option(help="Days on which the window begins, such as sat,sun [default: all]."),
    ] = None,
    time_zone: Annotated[str, typer.Option(help="Whose clocks the window means.")] = "UTC",
    by: ByOption = None,
    lake: LakeOption = None,
    lab: LabOption = None,
) -> None:
    """Declare a downtime, once or at a time of day that comes back.

    \b
    Examples:
      dltest downtime add XRD2 --from 2026-12-01T08:00 --until 2026-12-01T16:00 --why "new disks"
      dltest downtime add site=north --window 22:00-02:00 --days sat --time-zone Europe/Berlin \\
          --why backup
    """
    installation = open_installation(lake, lab)
    now = datetime.now(UTC)
    downtime = Downtime(
        id=uuid.uuid4().hex[:8],
        lake=installation.lake.name,
        rses=rses,
        from_at=optional_moment(begins, "--from"),
        until_at=optional_moment(until, "--until"),
        window=_window(window, days, time_zone),
        by=who(by),
        why=why,
        created_at=now,
    )
    _check(downtime, now)
    meant = _meant(installation, downtime, now)
    installation.store.add_downtime(downtime)
    output.print(f"downtime {downtime.id}: {', '.join(meant)}", markup=False)


@app.command("list")
def list_downtimes(*, lake: LakeOption = None, lab: LabOption = None) -> None:
    """List the downtimes, and which hold now."""
    installation = open_installation(lake, lab)
    found = installation.store.downtimes(installation.lake.name)
    now = datetime.now(UTC)
    table = Table(box=None)
    for column in ("downtime", "RSEs", "now", "from (UTC)", "until (UTC)", "window", "by", "why"):
        table.add_column(column)
    for downtime in found:
        table.add_row(*_row(downtime, now))
    output.print(table if found else "no downtime is declared")


@app.command()
def remove(
    downtime_id: Annotated[str, typer.Argument(metavar="DOWNTIME", help="Its id.")],
    *,
    lake: LakeOption = None,
    lab: LabOption = None,
) -> None:
    """Take a downtime back; runs begin again at once."""
    installation = open_installation(lake, lab)
    if not installation.store.remove_downtime(installation.lake.name, downtime_id):
        raise SettingsError(
            f"there is no downtime '{downtime_id}'; `dltest downtime list` shows all"
        )
    output.print(f"downtime {downtime_id} is taken back", markup=False)


def _check(downtime: Downtime, now: datetime) -> None:
    if downtime.window is None and downtime.until_at is None:
        raise SettingsError("say when the downtime ends: --until, or --window for one that returns")
    if is_over(downtime, now):
        raise SettingsError(f"--until {shown(downtime.until_at)} UTC is over already")
    if downtime.from_at and downtime.until_at and downtime.from_at >= downtime.until_at:
        raise SettingsError("--from must be before --until")


def _meant(installation: Installation, downtime: Downtime, now: datetime) -> list[str]:
    """The RSEs that the expression means; taken at its word while the lake was never seen."""
    known: Lake = remembered(installation.store, installation.lake, now)
    return select(downtime.rses, known, asked_by="RSES") if known.rses else [downtime.rses]


def _window(window: str | None, days: str | None, time_zone: str) -> Window | None:
    if window is None:
        if days:
            raise SettingsError("--days needs a --window")
        return None
    begins, _, ends = window.partition("-")
    try:
        return Window(
            begins=time.fromisoformat(begins.strip()),
            ends=time.fromisoformat(ends.strip()),
            time_zone=_zone(time_zone),
            days=_days(days),
        )
    except ValueError:
        raise SettingsError(
            f"--window: '{window}' is not a time of day; write 22:00-02:00"
        ) from None


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):
        raise SettingsError(
            f"--time-zone: '{name}' is not a time zone; write one like Europe/Berlin"
        ) from None
    return name


def _days(days: str | None) -> tuple[int, ...]:
    words = [word.strip().lower() for word in days.split(",")] if days else []
    if wrong := [word for word in words if word not in DAYS]:
        raise SettingsError(f"--days: '{wrong[0]}' is not one of {', '.join(DAYS)}")
    return tuple(sorted({DAYS.index(word) for word in words}))


def _row(downtime: Downtime, now: datetime) -> tuple[str | Text, ...]:
    state = "closed" if holds(downtime, now) else "over" if is_over(downtime, now) else ""
    return (
        downtime.id,
        Text(downtime.rses),
        state,
        shown(downtime.from_at),
        shown(downtime.until_at),
        _shown_window(downtime.window) if downtime.window else "",
        Text(downtime.by),
        Text(downtime.why),
    )


def _shown_window(window: Window) -> str:
    days = " ".join(DAYS[day] for day in window.days) or "daily"
    return f"{days} {window.begins:%H:%M}-{window.ends:%H:%M} {window.time_zone}"
