"""`dltest drill`: break a lab in every way, and see that dltest notices each for what it is."""

import json
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Annotated

import typer
from rich.table import Table

from dltest.cli.installation import LAB_FILE, open_store
from dltest.cli.screen import errors, output
from dltest.drill import Conductor, Ground, Outcome
from dltest.errors import LabError, SettingsError
from dltest.lab.faults import FAULTS, Fault, check_names
from dltest.lake.adapter import carrier
from dltest.lake.storage import MoverPool
from dltest.scenario import Scenario, load
from dltest.settings import LakeSettings, Settings

EXIT_MISSED, EXIT_INTERRUPTED = 1, 130
MOVERS = 12
RUCIO_SECONDS = 8
# Of each kind of mechanism one, and nothing that takes long to notice.
QUICK = (
    "storage-down",
    "storage-full",
    "storage-lies",
    "certificate-expired",
    "transfers-refused",
    "transfer-service-down",
    "protocols-missing",
    "password-changed",
    "rucio-down",
    "rucio-errors",
)


def register(app: typer.Typer) -> None:
    app.command()(drill)


def drill(
    *,
    fault: Annotated[
        list[str] | None, typer.Option("--fault", help="Only this fault; can be repeated.")
    ] = None,
    lab: Annotated[Path, typer.Option("--lab", help="The lab's folder.")] = Path(".lab"),
    quick: Annotated[
        bool, typer.Option("--quick", help="A few faults of different kinds, in minutes.")
    ] = False,
    patience: Annotated[
        int, typer.Option(help="Seconds that a step waits while a fault is there.", min=5)
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a fault.")] = False,
) -> None:
    """Break a lab in every way, and see that dltest notices each for what it is.

    For each fault: without it all pass; with it the right cases turn red, blame the right party,
    and no other does; healed, all pass again. Exits 1 if any of that does not hold. Whatever
    happens, also after Ctrl-C, the lab is healed.
    """
    chosen = _chosen(fault or [], quick=quick)
    settings = Settings.load()
    scenarios = _needed(load([settings.scenarios]), chosen)
    try:
        with _ended_by_signals(), TemporaryDirectory(prefix="dltest-drill-") as folder:
            outcomes = _drilled(chosen, scenarios, lab, Path(folder), patience)
    except KeyboardInterrupt:
        errors.print("interrupted: the lab is healed")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except LabError as error:
        errors.print(f"dltest: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(EXIT_MISSED) from None
    _report(outcomes, as_json=as_json)
    raise typer.Exit(exit_code(outcomes))


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """0 only if every fault was noticed for what it is, and by nobody else."""
    return 0 if outcomes and all(one.is_good for one in outcomes) else EXIT_MISSED


def _chosen(names: list[str], *, quick: bool) -> list[Fault]:
    wanted = names or list(QUICK if quick else ())
    if not wanted:
        return [fault for fault in FAULTS if fault.drills]
    found = [check_names(name, None) for name in dict.fromkeys(wanted)]
    if undrilled := [one.name for one in found if not one.drills]:
        raise SettingsError(f"nobody is expected to notice {', '.join(undrilled)}")
    return found


def _needed(scenarios: Sequence[Scenario], chosen: Sequence[Fault]) -> list[Scenario]:
    """The core, and of the other families those that shall notice something."""
    noticing = {n.scenario for fault in chosen for drill in fault.drills for n in drill.notices}
    return [one for one in scenarios if "core" in one.tags or one.name in noticing]


def _drilled(
    chosen: list[Fault], scenarios: list[Scenario], lab: Path, folder: Path, patience: int
) -> list[Outcome]:
    """With rows of its own: what a broken lab does is nobody's history."""
    lake = LakeSettings.load(lab / LAB_FILE)
    rucio = lake.rucio.model_copy(update={"timeout_seconds": RUCIO_SECONDS})
    lake = lake.model_copy(update={"rucio": rucio, "database": None})
    settings = Settings.load().model_copy(update={"state_dir": folder, "database": None})
    spool = folder / "spool"
    with MoverPool(lake.storage, spool, parallel_jobs=MOVERS, carry=carrier(lake, spool)) as movers:
        ground = Ground(lab, lake, open_store(settings, lake), movers, settings.data_lifetime)
        conductor = Conductor(ground, patience=timedelta(seconds=patience), tell=_tell)
        return conductor.drill(chosen, scenarios)


def _tell(sentence: str) -> None:
    errors.print(f"drill: {sentence}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM is as good as Ctrl-C."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _report(outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    if as_json:
        for one in outcomes:
            typer.echo(json.dumps(one.as_object()))
        errors.print(_summary(outcomes), markup=False)
        return
    table = Table(box=None, pad_edge=False)
    for column in ("fault", "noticed", "after", "blame", "false alarms", "healed"):
        table.add_column(column, no_wrap=column == "fault")
    for one in outcomes:
        table.add_row(*_cells(one), style=None if one.is_good else "red")
    output.print(table)
    for one in outcomes:
        for wrong in one.wrong:
            output.print(f"{_name(one)}: {wrong}", markup=False, soft_wrap=True)
    output.print(_summary(outcomes), markup=False)


def _name(one: Outcome) -> str:
    return f"{one.fault} {one.target}" if one.target else one.fault


def _cells(one: Outcome) -> tuple[str, ...]:
    blames = ", ".join(sorted({seen.blame or "nobody" for seen in one.seen}))
    return (
        _name(one),
        "yes" if one.detected else "no",
        "" if one.seconds is None else f"{one.seconds:.0f} s",
        blames if one.blame_right else f"{blames} (wrong)",
        str(len(one.false_alarms)),
        "yes" if one.healed else "no",
    )


def _summary(outcomes: Sequence[Outcome]) -> str:
    count = len(outcomes)
    detected = sum(one.detected for one in outcomes)
    right = sum(one.blame_right for one in outcomes)
    alarms = len({seen for one in outcomes for seen in one.false_alarms})
    healed = sum(one.healed for one in outcomes)
    return (
        f"{count} faults: {detected} noticed, {right} with the right blame, "
        f"{alarms} false alarms, {healed} healed"
    )
