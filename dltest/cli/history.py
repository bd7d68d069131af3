"""`dltest list`, `show`, `watch`, `cancel`: what was run, and why it came out so."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from dltest.cli.board import Board, print_matrices, print_summary, verdict_text
from dltest.cli.installation import Installation, LabOption, LakeOption, open_installation
from dltest.cli.screen import output
from dltest.cli.watching import see_to_end, watch_service
from dltest.errors import SettingsError
from dltest.model import (
    Driver,
    JudgementChange,
    LedgerState,
    Run,
    StepRecord,
    Verdict,
    exit_code_of,
)
from dltest.report.as_json import run_object
from dltest.report.events import sentence, step_line
from dltest.report.why import WHY
from dltest.report.why import lines as why_lines
from dltest.store import Store
from dltest.units import human_seconds, human_size
from dltest.worker.dispatch import wake

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or its beginning.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a run.")]


def register(app: typer.Typer) -> None:
    app.command("list")(list_runs)
    app.command()(show)
    app.command()(watch)
    app.command()(cancel)


def list_runs(
    *,
    scenario: Annotated[str | None, typer.Option(help="Only runs of this scenario.")] = None,
    verdict: Annotated[Verdict | None, typer.Option(help="Only runs with this verdict.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many runs.")] = 40,
    lake: LakeOption = None,
    lab: LabOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the latest runs, newest first."""
    store = open_installation(lake, lab).store
    runs = store.runs(limit=limit, scenario=scenario, verdict=verdict)
    if as_json:
        _print_json(runs)
        return
    table = Table(box=None)
    for name in ("run", "planned (UTC)", "case", "verdict", "seconds", "who must act"):
        table.add_column(name)
    for run in runs:
        table.add_row(*_row(run))
    output.print(table if runs else "no runs yet; start some with `dltest run`")


def show(
    run_id: RunArgument,
    *,
    lake: LakeOption = None,
    lab: LabOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one run whole: verdict, steps, measurements, evidence."""
    store = open_installation(lake, lab).store
    run = found(store, run_id)
    changes = store.judgement_changes(run.id)
    if as_json:
        output.print(json.dumps(run_object(run, changes)), markup=False, soft_wrap=True)
        return
    head = verdict_text(run.judgement.verdict, run.case.id) if run.judgement else run.case.id
    output.print(head, Text(sentence(run)))
    campaign = store.campaign(run.campaign_id)
    asked_by = f" ({campaign.trigger})" if campaign else ""
    whole = f"run {run.id} of campaign {run.campaign_id}{asked_by} on lake {run.lake}"
    output.print(whole, style="dim")
    output.print(f"started {_moment(run.started_at)}, finished {_moment(run.finished_at)}")
    for line in _second_thoughts(run, changes):
        output.print(Text(line))
    for finding in run.judgement.findings if run.judgement else ():
        output.print(Text(f"  {finding.code} ({finding.blame}): {finding.title}"))
    for record in (*run.records, run.cleanup):
        _print_step(record)
    if _waits_for_a_rule(run):
        output.print(f"why it waits, asked of the lake now:  dltest why {run.id}", markup=False)
    output.print(f"leftovers: {run.leftovers}")


def watch(run_id: RunArgument, *, lake: LakeOption = None, lab: LabOption = None) -> None:
    """Watch a run or a campaign to its end.

    Exits as `dltest run` does.
    """
    installation = open_installation(lake, lab)
    store = installation.store
    runs = store.runs_of(run_id) or [found(store, run_id)]
    with Board(runs) as board:
        watch_service(installation, board)
    print_matrices(board.runs)
    print_summary(board.runs)
    verdicts = [run.judgement.verdict for run in board.runs if run.judgement]
    raise typer.Exit(exit_code_of(verdicts))


def cancel(
    run_id: Annotated[
        str, typer.Argument(metavar="RUN|CAMPAIGN", help="An id, or a run's beginning of one.")
    ],
    *,
    wait: Annotated[
        bool, typer.Option("--wait", help="Watch the end, and say what is left behind.")
    ] = False,
    lake: LakeOption = None,
    lab: LabOption = None,
) -> None:
    """Cancel a run or a campaign; each run cleans up what it made.

    Cancelling twice does no harm. With --wait the exit code is 1 if something is left behind.
    """
    installation = open_installation(lake, lab)
    store = installation.store
    runs = store.runs_of(run_id) or [found(store, run_id)]
    for run in runs:
        ends = "is cancelled and cleans up" if store.cancel(run.id) else "has already ended"
        output.print(f"{run.case.id} ({run.id}) {ends}", markup=False)
    _hurry(installation, runs)
    if wait:
        raise typer.Exit(1 if _left_after(installation, runs) else 0)


def _hurry(installation: Installation, runs: list[Run]) -> None:
    """Have the service see to them now; who drives its own runs sees it by itself."""
    campaign = installation.store.campaign(runs[0].campaign_id)
    if campaign is not None and campaign.driver is Driver.SERVICE:
        wake(installation.settings.broker_url(installation.lake), [run.id for run in runs])


def _left_after(installation: Installation, runs: list[Run]) -> int:
    with Board(runs) as board:
        see_to_end(installation, board)
    left = [run for run in board.runs if run.leftovers]
    for run in left:
        output.print(f"{run.case.id} ({run.id}) left {run.leftovers} behind", markup=False)
        for entry in installation.store.ledger(run.id).entries():
            if entry.state is not LedgerState.GONE:
                at = f" at {entry.rse}" if entry.rse else ""
                output.print(f"  {entry.kind} {entry.name}{at}", markup=False)
    output.print("nothing is left behind" if not left else "`dltest sweep` tries again later")
    return len(left)


def found(store: Store, run_id: str) -> Run:
    try:
        run = store.run(run_id)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    if run is None:
        raise SettingsError(f"there is no run {run_id}; `dltest list` shows the latest")
    return run


def _waits_for_a_rule(run: Run) -> bool:
    return run.handle is not None and "rule_id" in run.handle


def _second_thoughts(run: Run, changes: list[JudgementChange]) -> Iterator[str]:
    for change in changes:
        yield (
            f"judged again {_moment(change.at)} by {change.by}: {change.why};"
            f" before, it was {change.before.verdict}"
        )
    if run.annulment:
        told = run.annulment
        yield f"annulled {_moment(told.at)} by {told.by}: {told.why}"


def _print_json(runs: list[Run]) -> None:
    for run in runs:
        output.print(json.dumps(run_object(run)), markup=False, soft_wrap=True)


def _row(run: Run) -> tuple[Text | str, ...]:
    judgement = run.judgement
    end = run.finished_at or datetime.now(UTC)
    seconds = f"{(end - run.started_at).total_seconds():.1f}" if run.started_at else ""
    return (
        run.id,
        f"{run.planned_at:%Y-%m-%d %H:%M:%S}",
        Text(run.case.id),
        verdict_text(judgement.verdict, _verdict_word(run)) if judgement else run.phase.value,
        seconds,
        str(judgement.blame) if judgement and judgement.blame else run.held or "",
    )


def _verdict_word(run: Run) -> str:
    verdict = run.judgement.verdict.value if run.judgement else ""
    return f"{verdict} (annulled)" if run.annulment else verdict


def _print_step(record: StepRecord) -> None:
    output.print(Text(f"  {step_line(record)}", style="bold"))
    for number, attempt in enumerate(record.attempts, start=1):
        said = "; ".join(trouble.message for trouble in attempt.troubles)
        output.print(Text(f"      attempt {number} was {attempt.state.value}: {said}"))
    for name, value in record.measured.items():
        output.print(Text(f"      {_name(name)}: {_measure(name, value)}"))
    for line in _evidence_lines(record):
        output.print(Text(f"      {line}", style="dim"))
    for trouble in record.troubles:
        output.print(Text(f"      ! {trouble.message}"))
    if isinstance(known := record.evidence.get(WHY), dict):
        for line in why_lines(known):
            output.print(Text(f"      {line}"))


def _name(name: str) -> str:
    """The unit stands with the value."""
    return name.removesuffix("_bytes_per_second").removesuffix("_seconds").replace("_", " ")


def _measure(name: str, value: float) -> str:
    if name.endswith("bytes_per_second"):
        return f"{human_size(value)}/s"
    if name.endswith("_seconds"):
        return human_seconds(value)
    return human_size(value) if name.endswith("bytes") else f"{value:g}"


def _evidence_lines(record: StepRecord) -> Iterator[str]:
    for name, fact in record.evidence.items():
        if name != WHY or not isinstance(fact, dict):
            yield from _fact_lines(name.replace("_", " "), fact)


def _fact_lines(name: str, fact: object) -> Iterator[str]:
    """One line; of things that have facts of their own, one more for each."""
    parts = fact if isinstance(fact, list) else []
    if not parts or not all(isinstance(part, dict) for part in parts):
        yield f"{name}: {_fact(fact)}"
        return
    yield f"{name}:"
    for part in parts:
        yield "  " + ", ".join(f"{key} {value}" for key, value in part.items())


def _fact(fact: object) -> str:
    return ", ".join(map(str, fact)) if isinstance(fact, list) else str(fact)


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "not yet"
