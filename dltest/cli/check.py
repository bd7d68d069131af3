"""`dltest check`: are the scenario files right?"""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dltest.cli.problems import as_github, as_json, as_text
from dltest.cli.screen import output
from dltest.cli.words import count
from dltest.errors import Problem, ScenarioError
from dltest.scenario import load
from dltest.settings import Settings

EXIT_WRONG = 2


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE",
            help="Scenario files or folders of them [default: $DLTEST_SCENARIOS, else scenarios].",
        ),
    ] = None,
    *,
    form: Annotated[
        Format, typer.Option("--format", help="How mistakes are printed.")
    ] = Format.TEXT,
) -> None:
    """Check scenario files and show every mistake with its line. Needs no lake.

    Exits 0 when there is none, 2 when there is one.

    \b
    Examples:
      dltest check                            all files of the scenarios folder
      dltest check my.yaml --format json      for another program
      dltest check --format github            as annotations in a GitHub workflow
    """
    try:
        scenarios = load(files or [Settings.load().scenarios])
    except ScenarioError as error:
        _show(error.problems, form)
        raise typer.Exit(EXIT_WRONG) from None
    if form is Format.JSON:
        _print(as_json([]))
    else:
        _print(f"{count(len(scenarios), 'scenario')}, no mistakes")


def _show(problems: Sequence[Problem], form: Format) -> None:
    if form is Format.JSON:
        _print(as_json(problems))
        return
    for problem in problems:
        if form is Format.GITHUB:
            _print(as_github(problem))
            continue
        for line in as_text(problem):
            output.print(line, soft_wrap=True)
    if form is Format.TEXT:
        files = len({problem.path for problem in problems})
        _print(f"{count(len(problems), 'mistake')} in {count(files, 'file')}")


def _print(text: str) -> None:
    output.print(text, markup=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    app.command()(check)
