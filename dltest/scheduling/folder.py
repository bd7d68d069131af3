"""The scenario folder, read again only where a file changed; a wrong file stops no other."""

from dataclasses import dataclass, field
from pathlib import Path

from dltest.errors import Problem, ScenarioError
from dltest.scenario import Scenario, load
from dltest.scenario.load import scenario_files

# A file is known by these; a file that changed has other ones.
Print = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Reading:
    """The scenarios by name, and all mistakes. Of two of one name the first counts."""

    scenarios: dict[str, Scenario]
    problems: tuple[Problem, ...]


@dataclass
class Folder:
    """Remembers what it read; one object a process."""

    path: Path
    _known: dict[Path, tuple[Print, Scenario | ScenarioError]] = field(default_factory=dict)

    def read(self) -> Reading:
        """What the folder holds now."""
        problems: list[Problem] = []
        if not self.path.is_dir():
            text = "there is no such folder of scenarios; set DLTEST_SCENARIOS"
            return Reading({}, (Problem(str(self.path), 1, 1, text),))
        scenarios: dict[str, Scenario] = {}
        files = scenario_files([self.path], problems)
        self._known = {path: self._reading(path) for path in files}
        for path, (_, found) in self._known.items():
            if isinstance(found, ScenarioError):
                problems.extend(found.problems)
            elif found.name in scenarios:
                text = f"the name '{found.name}' is taken by another file"
                problems.append(Problem(str(path), 1, 1, text))
            else:
                scenarios[found.name] = found
        return Reading(scenarios, tuple(problems))

    def _reading(self, path: Path) -> tuple[Print, Scenario | ScenarioError]:
        known, now = self._known.get(path), _print(path)
        return known if known and known[0] == now else (now, _read(path))


def _print(path: Path) -> Print:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _read(path: Path) -> Scenario | ScenarioError:
    try:
        return load([path])[0]
    except ScenarioError as error:
        return error
