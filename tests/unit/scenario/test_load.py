"""Files and folders of scenarios."""

from pathlib import Path

import pytest

from dltest.errors import ScenarioError
from dltest.scenario import dump, load, parse

FILE = """\
dltest: 1
name: {name}
title: t
owner: o
targets: {{at: {{rses: x}}}}
steps: [{{verify: {{at: at}}}}]
"""


def write(path: Path, name: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(FILE.format(name=name))
    return path


def test_folders_are_read_with_all_below_in_order_of_path(tmp_path: Path) -> None:
    for name in ("b/two", "a/three", "b/c/one"):
        write(tmp_path / f"{name}.yaml", Path(name).name)
    (tmp_path / "scenario.schema.json").write_text("{}")
    (tmp_path / "README.md").write_text("not one")
    assert [scenario.name for scenario in load([tmp_path])] == ["three", "one", "two"]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path / "one.yml", "one")
    assert len(load([path, tmp_path, path])) == 1


def test_mistakes_of_all_files_come_together(tmp_path: Path) -> None:
    first = write(tmp_path / "first.yaml", "same")
    second = write(tmp_path / "second.yaml", "same")
    wrong = write(tmp_path / "wrong.yaml", "WRONG")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ScenarioError) as caught:
        load([first, second, wrong, tmp_path / "empty", tmp_path / "none.yaml"])
    lines = [str(problem).removeprefix(f"{tmp_path}/") for problem in caught.value.problems]
    assert lines == [
        "empty:1:1: holds no scenario file (*.yaml)",
        "none.yaml:1:1: cannot be read: No such file or directory",
        f"second.yaml:1:1: the name 'same' is taken by {first}",
        "wrong.yaml:2:7: 'WRONG' is not a name: write small letters, digits and single dashes,"
        " like upload-many, at most 64",
    ]


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(2**36)  # sparse: 64 GiB that nobody could hold in memory
    with pytest.raises(ScenarioError, match="larger than 256 KiB"):
        load([path])


def test_the_files_that_dltest_brings_are_right() -> None:
    scenarios = load([Path("scenarios")])
    core = {scenario.name for scenario in scenarios if "core" in scenario.tags}
    assert core == {"upload", "download", "delete", "replicate"}
    for scenario in scenarios:
        assert scenario.description
        assert parse(dump(scenario), "dumped") == scenario
