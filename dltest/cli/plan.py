"""`dltest plan`: what `dltest run` would do, without doing it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from dltest.cli.installation import LabOption, LakeOption, lake_facts, open_installation
from dltest.cli.last_plan import LastPlan
from dltest.cli.screen import output
from dltest.cli.selection import SetOption, chosen
from dltest.cli.words import count
from dltest.lake.adapter import open_movers
from dltest.model import Footprint, Lake, Plan
from dltest.planning import (
    Difference,
    blocked,
    bytes_by_case,
    difference,
    permissions,
    turn_at,
)
from dltest.planning import plan as lay_out
from dltest.settings import LakeSettings, Settings
from dltest.units import format_duration, format_size, human_seconds, human_size


def plan(  # noqa: PLR0913 - one parameter an option
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
    diff: Annotated[
        bool,
        typer.Option("--diff", help="Also show what changed since the last plan of the same."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Show the cases that `dltest run` would run, and what they would do where.

    Reads the RSEs and their attributes from Rucio, and changes nothing there. A plan is kept in
    the state folder, for --diff.

    \b
    Examples:
      dltest plan --tags core
      dltest plan replicate --rse XRD2            every link that touches XRD2
      dltest plan replicate --diff                what changed since the last time
      dltest plan --rse 'type=disk&tier<3' --json | jq -r '.cases[].id'
    """
    scenarios = chosen(names or [], tags, Settings.load().scenarios, settings or [])
    installation = open_installation(lake, lab)
    with open_movers(installation.lake, installation.settings.spool()) as movers:
        facts = lake_facts(installation, movers)
    planned = lay_out(scenarios, facts, only=rse, turn=turn_at(datetime.now(UTC)))
    asked = {"names": names or [], "tags": tags, "rse": rse, "set": settings or []}
    last = LastPlan(installation.settings.state_dir, facts.name, asked)
    before, now = last.recall(), bytes_by_case(planned)
    changes = difference(before, now) if diff and before is not None else None
    last.remember(now)
    usual = installation.store.usual_seconds(facts.name, {case.scenario for case in planned.cases})
    if as_json:
        told = plan_object(planned) | explained(planned, facts, usual, changes)
        told["not_supported"] = not_supported(planned, installation.lake)
        output.print(json.dumps(told, indent=2), markup=False, soft_wrap=True)
        return
    output.print(_cases(planned))
    output.print(_footprints(planned, facts))
    for line in _explanation(planned, facts, usual, changes):
        output.print(line, markup=False, soft_wrap=True)
    if skips := not_supported(planned, installation.lake):
        many = count(len(skips), "case")
        output.print(f"Skipped: {many} that break the lake, which only labs allow", markup=False)
    if diff and before is None:
        output.print("\nThis was not planned before; the next --diff compares with this plan")
    output.print(f"\n{summary(planned)}", markup=False, soft_wrap=True)


def not_supported(planned: Plan, lake: LakeSettings) -> list[str]:
    """The cases that will be skipped, since they break the lake and nobody may."""
    return [case.id for case in planned.cases if case.needs_faults and not lake.can_be_broken]


def explained(
    planned: Plan, facts: Lake, usual: Mapping[str, float], changes: Difference | None
) -> dict[str, object]:
    """What `--json` adds to the plan itself."""
    return {
        "permissions": permissions(planned),
        "blocked": blocked(planned, facts),
        "usual_seconds": dict(usual),
        "estimated_seconds": _estimate(planned, usual),
        **({"diff": asdict(changes)} if changes else {}),
    }


def _estimate(planned: Plan, usual: Mapping[str, float]) -> dict[str, float] | None:
    """From all at once to one after the other; None while a scenario never passed."""
    seconds = [usual.get(case.scenario) for case in planned.cases]
    known = [one for one in seconds if one is not None]
    if len(known) < len(seconds):
        return None
    return {"at_least": round(max(known), 1), "at_most": round(sum(known), 1)}


def _explanation(
    planned: Plan, facts: Lake, usual: Mapping[str, float], changes: Difference | None
) -> Iterator[str]:
    yield f"\nPermissions needed: {', '.join(permissions(planned))}"
    if stopped := blocked(planned, facts):
        yield f"Rucio has blocked: {', '.join(stopped)}; runs that need it will fail"
    if estimate := _estimate(planned, usual):
        least, most = (human_seconds(estimate[key]) for key in ("at_least", "at_most"))
        yield f"Estimated time: {least} if all run at once, {most} one after the other"
    elif usual:
        told = (f"{name} {human_seconds(seconds)}" for name, seconds in sorted(usual.items()))
        yield f"Usual time of a run: {', '.join(told)}"
    if changes:
        yield from _changes(changes)


def _changes(changes: Difference) -> Iterator[str]:
    yield "\nSince the last plan" + (": nothing changed" if changes.is_none else "")
    yield from (f"  + {case}" for case in changes.added)
    yield from (f"  - {case}" for case in changes.removed)
    for case, (before, now) in changes.changed.items():
        yield f"  ~ {case} writes {human_size(now)}, before {human_size(before)}"


def plan_object(planned: Plan) -> dict[str, object]:
    """The plan as `--json` prints it."""
    cases = [
        {
            "id": case.id,
            "scenario": case.scenario,
            "targets": case.targets,
            "variant": case.variant,
            "control": case.control,
            "disturbs": case.disturbs,
            "bytes_written": case.bytes_written,
            "steps": [call.type for call in case.steps],
            "files": case.payload.files,
            "size_bytes": case.payload.size_bytes,
            "duration_limit_seconds": case.duration_limit.total_seconds(),
            "severity": case.severity,
            "tags": case.tags,
        }
        for case in planned.cases
    ]
    return {
        "lake": planned.lake,
        "stale": planned.stale,
        "cases": cases,
        "footprints": {
            rse: footprint.model_dump() for rse, footprint in planned.footprints.items()
        },
        "total": _total(planned).model_dump(),
    }


def summary(planned: Plan) -> str:
    """As `24 cases of 4 scenarios on lake 'lab' would write 36 files, 37.7 MB.`."""
    total = _total(planned)
    scenarios = len({case.scenario for case in planned.cases})
    return (
        f"{count(len(planned.cases), 'case')} of {count(scenarios, 'scenario')} on lake"
        f" '{planned.lake}' would write {count(total.files_written, 'file')},"
        f" {human_size(total.bytes_written)}."
    )


def _total(planned: Plan) -> Footprint:
    return sum(planned.footprints.values(), Footprint())


def _cases(planned: Plan) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("case", overflow="fold")
    table.add_column("payload", justify="right")
    table.add_column("at most", justify="right")
    table.add_column("steps", overflow="fold")
    for case in planned.cases:
        files = f"{case.payload.files} x {format_size(case.payload.size_bytes)}"
        limit = format_duration(case.duration_limit)
        table.add_row(Text(case.id), files, limit, " ".join(call.type for call in case.steps))
    return table


def _footprints(planned: Plan, lake: Lake) -> Table:
    table = Table(box=None, pad_edge=False, title="\nPer RSE", title_justify="left")
    table.add_column("RSE")
    table.add_column("site")
    for column in ("writes files", "writes", "reads", "deletes files"):
        table.add_column(column, justify="right")
    for rse, footprint in planned.footprints.items():
        table.add_row(
            Text(rse),
            Text(lake.rse(rse).site or ""),
            str(footprint.files_written),
            human_size(footprint.bytes_written),
            human_size(footprint.bytes_read),
            str(footprint.files_deleted),
        )
    return table


def register(app: typer.Typer) -> None:
    app.command()(plan)
