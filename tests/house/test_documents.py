import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from dltest.scenario import parse
from dltest.settings import LakeSettings

ROOT = Path(__file__).resolve().parents[2]
# The roadmap and the decisions may speak of what is not there; docs/reference is generated.
WRITTEN = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs" / "operators").rglob("*.md")),
]


def _commands(text: str) -> Iterator[list[str]]:
    """The dltest command lines of the fenced blocks, and those between backticks."""
    blocks = re.findall(r"^```(?:sh|console|bash)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    quoted = re.findall(r"`((?:\.venv/bin/)?dltest [^`\n]+)`", text)
    for line in [*lines, *quoted]:
        bare = line.split(" #")[0].split("|")[0].strip().removeprefix(".venv/bin/")
        if bare.startswith("dltest "):
            yield shlex.split(bare)[1:]


def _wrong(words: list[str]) -> str | None:
    """What the command line would stumble over, or None."""
    from dltest.cli.main import app

    command = typer.main.get_command(app)
    while getattr(command, "commands", None):
        if not words or words[0].startswith("-"):
            return None
        if words[0] not in command.commands:
            return f"no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    known = {option for param in command.params for option in param.opts} | {"--help"}
    options = {word.partition("=")[0] for word in words if word.startswith("--")}
    return ", ".join(sorted(options - known)) or None


@pytest.mark.parametrize("document", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_show_only_commands_that_exist(document: Path) -> None:
    commands = list(_commands(document.read_text(encoding="utf-8")))
    assert [(words, _wrong(words)) for words in commands if _wrong(words)] == []


@pytest.mark.parametrize("document", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    local = [target for target in targets if "://" not in target and target[:7] != "mailto:"]
    assert [target for target in local if not (document.parent / target).exists()] == []


def _yaml_blocks(document: Path) -> list[str]:
    text = document.read_text(encoding="utf-8")
    return re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("document", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_scenarios_in_documents_have_no_mistake(document: Path) -> None:
    for block in _yaml_blocks(document):
        if "steps:" in block:
            parse(block, document.name)


def test_the_lake_file_in_the_document_can_be_read(tmp_path: Path) -> None:
    (block,) = _yaml_blocks(ROOT / "docs" / "operators" / "lake-file.md")
    (tmp_path / "lake.yaml").write_text(block, encoding="utf-8")
    assert LakeSettings.load(tmp_path / "lake.yaml").name == "my-lake"
