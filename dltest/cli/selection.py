"""Which scenarios a command means: names, files, tags."""

from collections.abc import Sequence
from pathlib import Path

from dltest.errors import SettingsError
from dltest.scenario import Scenario, load


def chosen(names: Sequence[str], tags: str | None, folder: Path) -> list[Scenario]:
    """The scenarios named, or all of the folder, with one of the tags.

    Raises:
        ScenarioError: a file is wrong.
        SettingsError: nothing is meant by a name or a tag.
    """
    files = [Path(name) for name in names if name.endswith((".yaml", ".yml"))]
    wanted = [name for name in names if not name.endswith((".yaml", ".yml"))]
    found = load(files) if files else []
    if wanted or not files:
        found += _named(wanted, folder)
    return _tagged(found, tags)


def _named(names: Sequence[str], folder: Path) -> list[Scenario]:
    if not folder.is_dir():
        raise SettingsError(f"there is no scenario folder {folder}; set DLTEST_SCENARIOS")
    known = {scenario.name: scenario for scenario in load([folder])}
    for name in names:
        if name not in known:
            have = ", ".join(sorted(known)) or "none"
            raise SettingsError(f"there is no scenario '{name}' in {folder}; there are: {have}")
    return [known[name] for name in names] if names else list(known.values())


def _tagged(scenarios: list[Scenario], tags: str | None) -> list[Scenario]:
    if tags is None:
        return scenarios
    wanted = {tag.strip() for tag in tags.split(",")}
    kept = [scenario for scenario in scenarios if wanted & set(scenario.tags)]
    if not kept:
        have = ", ".join(sorted({tag for scenario in scenarios for tag in scenario.tags}))
        raise SettingsError(f"no scenario has a tag of '{tags}'; there are: {have or 'none'}")
    return kept
