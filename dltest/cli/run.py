"""`dltest run`: plan, write down, drive or hand over, watch, report."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dltest.cli.board import Board, print_matrices, print_summary, print_where_to_look
from dltest.cli.installation import (
    Installation,
    LabOption,
    LakeOption,
    lake_facts,
    open_installation,
)
from dltest.cli.screen import errors, output
from dltest.cli.selection import SetOption, chosen
from dltest.cli.watching import drive_here, watch_service
from dltest.errors import SettingsError
from dltest.lake.adapter import open_movers
from dltest.model import Campaign, Driver, Lake, Run, Trigger, exit_code_of
from dltest.planning import plan, turn_at
from dltest.report import junit
from dltest.report.as_json import run_object
from dltest.scheduling import campaign_of, closed_rses, downtime_skips, skip

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
    trigger: Annotated[
        Trigger, typer.Option(help="What asks for the runs, as the campaign says later.")
    ] = Trigger.MANUAL,
    ignore_downtime: Annotated[
        bool, typer.Option("--ignore-downtime", help="Also run on RSEs that are in downtime.")
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
    if ignore_downtime and trigger is not Trigger.MANUAL:
        raise SettingsError("--ignore-downtime is for a person's runs: leave --trigger out")
    installation = open_installation(lake, lab)
    with open_movers(installation.lake, installation.settings.spool()) as movers:
        facts = lake_facts(installation, movers)
        scenarios = chosen(names or [], tags, installation.settings.scenarios, settings or [])
        now = datetime.now(UTC)
        planned = plan(scenarios, facts, only=rse, turn=turn_at(now))
        driver = Driver.SERVICE if via_service else Driver.IN_PROCESS
        campaign, runs = campaign_of(
            planned, trigger, driver, now, ignores_downtime=ignore_downtime
        )
        installation.store.create_campaign(campaign, runs)
        _skip_in_downtime(installation, campaign, facts)
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


def _skip_in_downtime(installation: Installation, campaign: Campaign, facts: Lake) -> None:
    """The service does this for its own runs, when they would begin."""
    if campaign.ignores_downtime or campaign.driver is Driver.SERVICE:
        return
    store, now = installation.store, datetime.now(UTC)
    closed = closed_rses(store.downtimes(facts.name), facts, now)
    skip(store, downtime_skips(store.runs_of(campaign.id), closed), now)


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
