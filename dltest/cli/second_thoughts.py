"""`dltest annul` and `dltest rejudge`: what people say of verdicts that were wrong."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from dltest.cli.history import found
from dltest.cli.installation import Installation, LabOption, LakeOption, open_installation
from dltest.cli.moments import ByOption, moment, who
from dltest.cli.screen import output
from dltest.engine import judged_again
from dltest.errors import SettingsError
from dltest.model import Annulment, Run

RunsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="RUN", help="Ids of runs, or their beginnings.")
]
WhyOption = Annotated[str, typer.Option(help="For whoever reads the run later.")]
FromOption = Annotated[
    str | None, typer.Option("--from", help="Also all runs that ended from then on, ISO 8601.")
]
UntilOption = Annotated[str | None, typer.Option("--to", help="And before then [default: now].")]


def annul(
    run_ids: RunsArgument = None,
    *,
    why: WhyOption,
    begins: FromOption = None,
    until: UntilOption = None,
    by: ByOption = None,
    lake: LakeOption = None,
    lab: LabOption = None,
) -> None:
    """Say that verdicts do not count: the test was wrong, not the lake.

    A run keeps its verdict and counters never go back, but its case's status no longer counts
    it. Runs that have not ended are left alone; annulling twice does no harm.
    """
    installation = open_installation(lake, lab)
    annulment = Annulment(at=datetime.now(UTC), by=who(by), why=why)
    runs = _meant(installation, run_ids or [], begins, until)
    marked = sum(installation.store.annul(run.id, annulment) for run in runs)
    output.print(f"annulled {marked} of {len(runs)} runs")


def rejudge(
    run_ids: RunsArgument = None,
    *,
    why: WhyOption,
    begins: FromOption = None,
    until: UntilOption = None,
    by: ByOption = None,
    lake: LakeOption = None,
    lab: LabOption = None,
) -> None:
    """Judge old runs again by the judge of this release, on what was written down then.

    What was said before is kept; `dltest show` tells both.
    """
    installation = open_installation(lake, lab)
    runs = _meant(installation, run_ids or [], begins, until)
    for run in runs:
        output.print(
            f"{run.case.id} ({run.id}): {_judge(installation, run, who(by), why)}", markup=False
        )


def _judge(installation: Installation, run: Run, by: str, why: str) -> str:
    change = judged_again(run, by=by, why=why, now=datetime.now(UTC))
    if change is None:
        return "there is nothing to judge"
    if change.after == change.before:
        return f"{change.after.verdict}, as before"
    if not installation.store.rejudge(change):
        return "it was changed by somebody else; try again"
    return f"{change.after.verdict}, before {change.before.verdict}"


def _meant(
    installation: Installation, run_ids: list[str], begins: str | None, until: str | None
) -> list[Run]:
    store = installation.store
    if until and not begins:
        raise SettingsError("--to needs a --from")
    runs = [found(store, run_id) for run_id in run_ids]
    if begins:
        end = moment(until, "--to") if until else datetime.now(UTC)
        ids = store.finished_runs(installation.lake.name, moment(begins, "--from"), end)
        runs += filter(None, map(store.run, ids))
    if not runs and not begins:
        raise SettingsError("name runs, or a time with --from and --to")
    return runs


def register(app: typer.Typer) -> None:
    app.command()(annul)
    app.command()(rejudge)
