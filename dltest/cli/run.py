"""`dltest run`: plan, write down, drive or hand over, watch, report."""

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dltest.cli.board import Board, print_matrices, print_summary, print_where_to_look
from dltest.cli.installation import (
    LabOption,
    LakeOption,
    lake_facts,
    open_installation,
)
from dltest.cli.screen import errors, output
from dltest.cli.selection import SetOption, chosen
from dltest.cli.watching import drive_here, watch_service
from dltest.lake.storage import MoverPool
from dltest.model import Campaign, Case, Driver, Lake, Plan, Run, StepRecord, exit_code_of
from dltest.model.campaign import Trigger
from dltest.planning import plan, turn_at
from dltest.report import junit
from dltest.report.as_json import run_object

EXIT_INTERRUPTED = 130


def run(  # noqa: PLR0913 - one parameter an option
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Scenario names or files [default: all]."),
    ] = None,
    *,
    tags: Annotated[str | None, typer.Option(help="Only scenarios with one of these tags.")] = None,
    rse: Annotated[
        str | None, typer.Option(help="Only cases that touch an RSE of this Rucio expression.")
    ] = None,
    settings: SetOption = None,
    lake: LakeOption = None,
    lab: LabOption = None,
    via_service: Annotated[
        bool, typer.Option("--via-service", help="Let the Celery workers run it, and watch.")
    ] = False,
    junit_file: Annotated[
        Path | None, typer.Option("--junit", help="Also write JUnit XML here.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a run on stdout.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Count degraded as failed.")] = False,
) -> None:
    """Run scenarios on a lake, and say who must act.

    \b
    Examples:
      dltest run --tags core                  the core family over all RSEs and links
      dltest run replicate --rse XRD2         every link that touches XRD2
      dltest run mine --set size=10MiB        with a parameter that the scenario declares
      dltest run --tags core --json | jq -r 'select(.verdict != "passed") | .blame'
    """
    installation = open_installation(lake, lab)
    with MoverPool(installation.lake.storage, installation.settings.spool()) as movers:
        facts = lake_facts(installation, movers)
        scenarios = chosen(names or [], tags, installation.settings.scenarios, settings or [])
        planned = plan(scenarios, facts, only=rse, turn=turn_at(datetime.now(UTC)))
        campaign, runs = _campaign(facts, planned, via_service=via_service)
        installation.store.create_campaign(campaign, runs)
        with Board(runs, quiet=as_json) as board:
            if via_service:
                interrupted = watch_service(installation, board)
            else:
                interrupted = drive_here(installation, board, movers)
    ended = installation.store.runs_of(campaign.id)
    pages = installation.lake.web if via_service else None
    _report(ended, pages=pages, as_json=as_json, junit_file=junit_file)
    if interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)
    verdicts = [run.judgement.verdict for run in ended if run.judgement]
    raise typer.Exit(exit_code_of(verdicts, strict=strict))


def _campaign(facts: Lake, planned: Plan, *, via_service: bool) -> tuple[Campaign, list[Run]]:
    now = datetime.now(UTC)
    campaign = Campaign(
        id=uuid.uuid4().hex[:12],
        lake=facts.name,
        trigger=Trigger.MANUAL,
        driver=Driver.SERVICE if via_service else Driver.IN_PROCESS,
        title=", ".join(dict.fromkeys(case.scenario for case in planned.cases)),
        created_at=now,
    )
    return campaign, [_run(campaign, case, now) for case in planned.cases]


def _run(campaign: Campaign, case: Case, now: datetime) -> Run:
    return Run(
        id=uuid.uuid4().hex[:12],
        campaign_id=campaign.id,
        lake=campaign.lake,
        case=case,
        records=tuple(StepRecord(name=call.type) for call in case.steps),
        planned_at=now,
    )


def _report(
    runs: Sequence[Run], *, pages: str | None, as_json: bool, junit_file: Path | None
) -> None:
    if junit_file:
        junit.write(runs, junit_file)
        errors.print(f"JUnit XML is in {junit_file}", markup=False)
    if as_json:
        for run in runs:
            output.print(json.dumps(run_object(run)), markup=False, soft_wrap=True)
        return
    print_matrices(runs)
    print_summary(runs)
    print_where_to_look(runs, pages)


def register(app: typer.Typer) -> None:
    app.command()(run)
