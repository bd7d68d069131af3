"""`dltest steps`: what a scenario can be made of."""

import dataclasses
import json
from difflib import get_close_matches
from typing import Annotated

import typer
from pydantic import JsonValue
from rich.table import Table
from rich.text import Text

from dltest.cli.screen import output
from dltest.errors import SettingsError
from dltest.scenario.reference import KeyReference, StepReference, reference_of
from dltest.steps import registry


def steps(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Step types to explain [default: list all]."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with all keys.")] = False,
) -> None:
    """List the steps that scenarios are made of, or explain some with all their keys.

    \b
    Examples:
      dltest steps
      dltest steps replicate
    """
    known = registry()
    for name in names or []:
        if name not in known:
            raise SettingsError(f"there is no step '{name}'; {_instead(name, list(known))}")
    found = [reference_of(known[name]) for name in names or known]
    if as_json:
        text = json.dumps([dataclasses.asdict(step) for step in found], indent=2)
        output.print(text, markup=False, soft_wrap=True)
    elif names:
        for step in found:
            _explain(step)
    else:
        _list(found)


def _instead(name: str, known: list[str]) -> str:
    near = get_close_matches(name.lower(), known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"there is {', '.join(known)}"


def _list(found: list[StepReference]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("step", "what it does", "checks"):
        table.add_column(column)
    for step in found:
        table.add_row(Text(step.name, "bold"), Text(step.title), "yes" if step.checks else "")
    output.print(table)
    output.print("\n`dltest steps NAME` shows the keys of one.", markup=False)


def _explain(step: StepReference) -> None:
    output.print(Text.assemble((step.name, "bold"), f": {step.title}"))
    output.print(f"\n  - {_flow(dict(step.example))}\n", markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for column in ("  key", "needed", "default", "example", ""):
        table.add_column(column, overflow="fold")
    for key in step.keys:
        table.add_row(*_row(key))
    output.print(table)
    output.print()


def _row(key: KeyReference) -> tuple[Text, ...]:
    example = _flow(key.examples[0]) if key.examples else f"({key.kind})"
    default = "" if key.is_needed or key.default is None else _flow(key.default)
    return (
        Text(f"  {key.key}", "bold"),
        Text("yes" if key.is_needed else ""),
        Text(default),
        Text(example),
        Text(key.description),
    )


def _flow(value: JsonValue) -> str:
    """A value as YAML's flow style writes it."""
    if isinstance(value, dict):
        return ", ".join(
            f"{key}: {{{_flow(inner)}}}" if isinstance(inner, dict) else f"{key}: {_flow(inner)}"
            for key, inner in value.items()
        )
    return json.dumps(value) if isinstance(value, bool | list) else str(value)


def register(app: typer.Typer) -> None:
    app.command()(steps)
