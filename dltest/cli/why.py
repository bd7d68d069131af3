"""`dltest why`: what is the matter with a run's rule, in one look at the lake."""

import json
from collections.abc import Iterator

import typer
from pydantic import JsonValue
from rich.text import Text

from dltest.cli.history import JsonOption, RunArgument, found
from dltest.cli.installation import Installation, LabOption, LakeOption, open_installation
from dltest.cli.screen import output
from dltest.engine import context_of
from dltest.errors import LakeError, SettingsError
from dltest.lake.adapter import open_lake, open_movers
from dltest.lake.ports import RuleState
from dltest.model import Run
from dltest.report.why import found_out, lines
from dltest.steps import stuck


def why(
    run_id: RunArgument,
    *,
    lake: LakeOption = None,
    lab: LabOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say why a run's replication does not come to its end, and who should act.

    Asks Rucio and the transfer service now, also while the run still waits. Once the rule is
    gone, with the run's clean-up, what the run found out itself is told again.
    """
    installation = open_installation(lake, lab)
    run = found(installation.store, run_id)
    told = _asked(installation, run) or found_out(run)
    if told is None:
        raise SettingsError(f"run {run.id} has no rule to look into, and found none to be stuck")
    if as_json:
        output.print(json.dumps(told), markup=False, soft_wrap=True)
        return
    for line in lines(told):
        output.print(Text(line), soft_wrap=True)


def _asked(installation: Installation, run: Run) -> dict[str, JsonValue] | None:
    """What the lake says now of the run's latest rule; None when there is none any more."""
    with open_movers(installation.lake, installation.settings.spool()) as movers:
        house = installation.house(open_lake(installation.lake, storage=movers))
        for index, rule_id, route in _rules(run):
            ctx = context_of(run, index, house)
            rule = house.lake.catalogue.rule(rule_id)
            if rule.state is RuleState.GONE:
                continue
            if rule.state is RuleState.OK and rule.locks_ok == run.case.payload.files:
                return {"sentence": f"rule {rule.id} is OK: nothing is the matter with it now"}
            try:
                return stuck.look_into(ctx, rule, route).evidence
            except LakeError as error:
                return {"sentence": f"Rucio does not say what became of the transfers: {error}"}
    return None


def _rules(run: Run) -> Iterator[tuple[int, str, stuck.Route]]:
    """The rules that the run made, the latest first: of the step that waits, then of records."""
    for index in reversed(range(len(run.records))):
        evidence = run.records[index].evidence
        is_current = index == run.step_index and run.handle is not None
        rule_id = (run.handle or {}).get("rule_id") if is_current else evidence.get("rule_id")
        body = run.case.steps[index].body
        to, source = body.get("to", body.get("at")), body.get("from")
        if rule_id and str(to) in run.case.targets:
            yield (
                index,
                str(rule_id),
                stuck.Route(
                    source=run.case.targets.get(str(source)) or _uploaded_to(run),
                    destination=run.case.targets[str(to)],
                ),
            )


def _uploaded_to(run: Run) -> str | None:
    uploads = [record.evidence.get("rse") for record in run.records if record.name == "upload"]
    return str(uploads[-1]) if uploads and uploads[-1] else None


def register(app: typer.Typer) -> None:
    app.command()(why)
