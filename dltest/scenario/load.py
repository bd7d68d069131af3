"""Scenario files of folders, together."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from dltest.errors import Problem, ScenarioError
from dltest.scenario.document import MAX_BYTES
from dltest.scenario.parse import Registry, parse
from dltest.scenario.scenario import Scenario

SUFFIXES = {".yaml", ".yml"}


def load(paths: Iterable[Path], steps: Registry | None = None) -> list[Scenario]:
    """All scenarios of these files and folders, folders with all below, in order of path.

    Raises:
        ScenarioError: all mistakes of all files; a path that cannot be read is one of them.
    """
    found: list[tuple[Path, Scenario]] = []
    problems: list[Problem] = []
    for path in scenario_files(paths, problems):
        try:
            found.append((path, parse(_bytes(path), str(path), steps)))
        except OSError as error:
            problems.append(Problem(str(path), 1, 1, f"cannot be read: {error.strerror}"))
        except ScenarioError as error:
            problems.extend(error.problems)
    problems.extend(_same_names(found))
    if problems:
        raise ScenarioError(tuple(problems))
    return [scenario for _, scenario in found]


def scenario_files(paths: Iterable[Path], problems: list[Problem]) -> list[Path]:
    """The files meant by the paths, each once; what cannot be found is noted in `problems`."""
    files: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES)
            if not inside:
                problems.append(Problem(str(path), 1, 1, "holds no scenario file (*.yaml)"))
            files.update(dict.fromkeys(inside))
        else:
            files[path] = None
    return list(files)


def _bytes(path: Path) -> bytes:
    """The file, or as much of it as shows that it is too large."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _same_names(found: Sequence[tuple[Path, Scenario]]) -> list[Problem]:
    first: dict[str, Path] = {}
    problems = []
    for path, scenario in found:
        if scenario.name in first:
            message = f"the name '{scenario.name}' is taken by {first[scenario.name]}"
            problems.append(Problem(str(path), 1, 1, message))
        first.setdefault(scenario.name, path)
    return problems
