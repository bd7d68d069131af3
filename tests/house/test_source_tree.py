import ast
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "dltest"
SOURCES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 400


def test_no_module_is_longer_than_can_be_read_at_once() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {path.name: length for path, length in lengths.items() if length > LONGEST} == {}


def test_every_package_tells_what_it_is_for() -> None:
    silent = []
    for source in SOURCES:
        if source.name == "__init__.py":
            told = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
            if len(told.split()) < 5:
                silent.append(str(source.relative_to(ROOT)))
    assert silent == []


def test_no_committed_file_names_the_place_where_it_was_written() -> None:
    tracked = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    if tracked.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in tracked.stdout.split("\0") if name]
    texts = {path: path.read_bytes() for path in paths if path.is_file()}
    assert [path.name for path, text in texts.items() if str(ROOT).encode() in text] == []


def test_every_declared_step_and_command_can_be_loaded() -> None:
    for point in entry_points(group="dltest.steps"):
        assert point.load().name == point.name
    assert Path(sys.executable).with_name("dltest").exists()
