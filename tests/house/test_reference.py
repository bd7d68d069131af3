import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> dict[Path, str]:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    sys.modules.pop("reference", None)
    import reference

    return reference.pages()


def test_generated_pages_are_those_that_the_code_would_write(pages: dict[Path, str]) -> None:
    stale = [
        str(path)
        for path, text in pages.items()
        if not (ROOT / path).is_file() or (ROOT / path).read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run `make docs` and commit what it writes"


def test_every_scenario_file_points_editors_at_the_schema() -> None:
    for path in sorted((ROOT / "scenarios").rglob("*.yaml")):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        prefix = "# yaml-language-server: $schema="
        assert first.startswith(prefix), path
        assert (path.parent / first.removeprefix(prefix)).resolve() == (
            ROOT / "scenarios" / "scenario.schema.json"
        ), path
