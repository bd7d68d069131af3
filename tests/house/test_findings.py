"""Every finding code that the code can give is explained to people."""

import re
from pathlib import Path

from dltest.lake.rucio.errors import REFUSALS
from dltest.lake.storage.errors import CODES, WORDS

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("steps", "lake", "judge", "engine", "scheduling")


def written_codes() -> set[str]:
    """Codes as literals: `code="..."`, and the first argument of `_rucio(...)`."""
    found: set[str] = set()
    for place in PLACES:
        for path in (ROOT / "dltest" / place).rglob("*.py"):
            text = path.read_text()
            found |= set(re.findall(r'code="([a-z-]+)"', text))
            found |= set(re.findall(r'_rucio\(\s*"([a-z-]+)"', text))
    return found


def test_every_code_is_documented():
    page = (ROOT / "docs" / "reference" / "findings.md").read_text()
    explained = set(re.findall(r"`([a-z-]+)`", page))
    meanings = {meaning.code for meaning in CODES.values()} | {m.code for _, m in WORDS}
    given = written_codes() | meanings | set(REFUSALS.values())
    assert given - explained == set()
    assert len(given) > 40
