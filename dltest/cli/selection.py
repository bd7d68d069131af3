"""Which scenarios a command means: names, files, tags."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dltest.errors import SettingsError
from dltest.scenario import Scenario, load, with_values

SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PARAMETER=VALUE",
        help="Set a parameter that the scenario declares, for this time; may be repeated.",
    ),
]


def chosen(
    names: Sequence[str], tags: str | None, folder: Path, settings: Sequence[str] = ()
) -> list[Scenario]:
    """The scenarios named, or all of the folder, with one of the tags, and with values set.

    Raises:
        ParameterError: a scenario has no such parameter, or it cannot have this value.
        ScenarioError: a file is wrong.
        SettingsError: nothing is meant by a name or a tag.
    """
    files = [Path(name) for name in names if name.endswith((".yaml", ".yml"))]
    wanted = [name for name in names if not name.endswith((".yaml", ".yml"))]
    found = load(files) if files else []
    if wanted or not files:
        found += _named(wanted, folder)
    values = dict(_setting(text) for text in settings)
    return [with_values(scenario, values) for scenario in _tagged(found, tags)]


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise SettingsError(f"--set {text}: write PARAMETER=VALUE, like --set size=10MiB")
    return name, value


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
