"""`dltest schedule`: what runs by itself, and when."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from dltest.cli.installation import Installation, LabOption, LakeOption, open_installation
from dltest.cli.moments import ByOption, optional_moment, shown, who
from dltest.cli.screen import errors, output
from dltest.errors import SettingsError
from dltest.model import Pause, Schedule, Scheduled, SlotRecord
from dltest.scheduling import Folder
from dltest.units import human_seconds

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="See what runs by itself, pause it, and let it go on.",
)


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="schedule")


NOTHING_YET = (
    "nothing runs by itself yet: either the service is not up, or no scenario of its folder"
    " (DLTEST_SCENARIOS) has a `schedule`"
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A scenario's name.")]


@app.command("list")
def list_schedules(*, lake: LakeOption = None, lab: LabOption = None) -> None:
    """List the schedules: the next slot, what became of the last, and who paused it."""
    installation = open_installation(lake, lab)
    store, name = installation.store, installation.lake.name
    rows, last = store.schedules(name), store.last_slots(name)
    table = Table(box=None)
    for column in ("scenario", "runs", "next slot (UTC)", "last slot (UTC)", "came to", "why"):
        table.add_column(column)
    for row in rows:
        table.add_row(*_row(row, last.get(row.scenario)))
    output.print(table if rows else NOTHING_YET)
    _tell_problems(installation)


@app.command()
def pause(
    name: NameArgument,
    *,
    why: Annotated[str, typer.Option(help="For whoever wonders why nothing runs.")],
    until: Annotated[
        str | None, typer.Option(help="When it goes on by itself, ISO 8601 [default: never].")
    ] = None,
    by: ByOption = None,
    lake: LakeOption = None,
    lab: LabOption = None,
) -> None:
    """Do not start a scenario by itself; its slots are noted as paused."""
    installation = open_installation(lake, lab)
    now = datetime.now(UTC)
    ends = optional_moment(until, "--until")
    _set_pause(installation, name, Pause(at=now, by=who(by), why=why, until=ends))
    output.print(f"{name} is paused until {shown(ends) or 'it is resumed'}", markup=False)


@app.command()
def resume(name: NameArgument, *, lake: LakeOption = None, lab: LabOption = None) -> None:
    """Let a paused scenario go on with its next slot."""
    _set_pause(open_installation(lake, lab), name, None)
    output.print(f"{name} goes on with its next slot", markup=False)


def _set_pause(installation: Installation, name: str, told: Pause | None) -> None:
    store, lake = installation.store, installation.lake.name
    if not store.pause_schedule(lake, name, told):
        known = ", ".join(row.scenario for row in store.schedules(lake)) or "none yet"
        raise SettingsError(
            f"scenario '{name}' has no schedule on lake '{lake}'; there are: {known}"
        )


def _row(row: Scheduled, last: SlotRecord | None) -> tuple[str | Text, ...]:
    return (
        Text(row.scenario),
        _timetable(row.schedule),
        shown(row.next_slot.starts_at) if row.next_slot else "no longer",
        shown(last.slot_at) if last else "",
        _came_to(last) if last else "",
        Text(_why(row, last)),
    )


def _timetable(schedule: Schedule) -> str:
    if schedule.every:
        return f"every {human_seconds(schedule.every.total_seconds())}"
    return f"{schedule.cron} {schedule.time_zone}"


def _came_to(record: SlotRecord) -> str:
    left_out = f", {record.overlapping} cases were still open" if record.overlapping else ""
    return f"{record.outcome}{left_out}"


def _why(row: Scheduled, last: SlotRecord | None) -> str:
    if row.pause and row.pause.holds(datetime.now(UTC)):
        until = f" until {shown(row.pause.until)}" if row.pause.until else ""
        return f"paused{until} by {row.pause.by}: {row.pause.why}"
    return last.why if last else ""


def _tell_problems(installation: Installation) -> None:
    for problem in Folder(installation.settings.scenarios).read().problems:
        errors.print(f"wrong: {problem}", markup=False, soft_wrap=True)
