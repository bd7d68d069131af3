"""The scenario folder: read once, again when it changed, and one wrong file stops no other."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dltest.scheduling import Folder, folder

Write = Callable[..., Path]


def test_a_wrong_file_stops_no_other(tmp_path: Path, write: Write) -> None:
    write("good")
    write("wrong", "dltest: 1\nname: [\n")
    write("twin", (tmp_path / "good.yaml").read_text())
    found = Folder(tmp_path).read()
    assert list(found.scenarios) == ["good"]
    assert [Path(problem.path).name for problem in found.problems] == ["twin.yaml", "wrong.yaml"]
    assert "'good' is taken by another file" in found.problems[0].message


def test_a_file_is_read_again_only_when_it_changed(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    load = folder.load
    monkeypatch.setattr(folder, "load", lambda paths: seen.append(paths[0].stem) or load(paths))
    write("one")
    write("two")
    kept = Folder(tmp_path)
    kept.read()
    kept.read()
    assert seen == ["one", "two"]
    write("two", (tmp_path / "two.yaml").read_text().replace("A file", "Any file"))
    assert kept.read().scenarios["two"].title == "Any file can be written"
    (tmp_path / "one.yaml").unlink()
    assert list(kept.read().scenarios) == ["two"]
    assert seen == ["one", "two", "two"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    found = Folder(tmp_path / "none").read()
    assert found.scenarios == {}
    assert "DLTEST_SCENARIOS" in found.problems[0].message
