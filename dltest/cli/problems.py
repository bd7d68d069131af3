"""The mistakes of scenario files on a screen: with the line and a caret, as JSON, or for GitHub."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text

from dltest.errors import Problem
from dltest.scenario.document import lines_of

# An excerpt is for the eye; of a longer line only the surroundings of the mistake are shown.
WIDTH = 100


def as_text(problem: Problem) -> Iterator[Text]:
    """`file:line:column: message`, then the line itself with a caret below the place."""
    place = f"{problem.path}:{problem.line}:{problem.column}:"
    yield Text.assemble((place, "bold"), " ", problem.message)
    lines = _lines(problem.path)
    if problem.line > len(lines) or not lines[problem.line - 1].strip():
        return
    line, before = _excerpt(lines[problem.line - 1], problem.column - 1)
    number = f"{problem.line:5} | "
    yield Text.assemble((number, "dim"), line)
    yield Text.assemble((f"{'':5} | ", "dim"), " " * cell_len(before), ("^", "bold red"))


def as_json(problems: Sequence[Problem]) -> str:
    found = [
        {"path": p.path, "line": p.line, "column": p.column, "message": p.message} for p in problems
    ]
    return json.dumps(found, indent=2)


def as_github(problem: Problem) -> str:
    """A workflow command, which GitHub shows beside the line of the change."""
    path = _escaped(problem.path).replace(":", "%3A").replace(",", "%2C")
    place = f"file={path},line={problem.line},col={problem.column}"
    return f"::error {place}::{_escaped(problem.message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


@cache
def _lines(path: str) -> list[str]:
    try:
        return lines_of(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        return []


def _excerpt(line: str, column: int) -> tuple[str, str]:
    """The part of the line to show, and of that the part before the place."""
    start = max(0, column - WIDTH // 2) if len(line) > WIDTH else 0
    return _visible(line[start : start + WIDTH]), _visible(line[start:column])


def _visible(text: str) -> str:
    """Every character with a width that we know: tabs as four blanks, others that move none."""
    text = text.replace("\t", "    ")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
