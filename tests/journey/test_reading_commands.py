"""`dltest check`, `schema`, `steps` and `plan` as people and programs meet them."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from dltest.cli.main import main

ROOT = Path(__file__).parents[2]

GOOD = """\
dltest: 1
name: mine
title: It works
owner: me
targets: {at: {rses: "type=disk"}}
steps: [{verify: {at: at}}]
"""


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


class DLTest(Protocol):
    """The whole command in this process; `environment` is added to an empty DLTEST_*."""

    def __call__(
        self, *arguments: str | Path, cwd: Path = ROOT, **environment: str | Path
    ) -> Said: ...


@pytest.fixture
def dltest(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> DLTest:
    for key in [key for key in os.environ if key.startswith("DLTEST_")]:
        monkeypatch.delenv(key)

    def call(*arguments: str | Path, cwd: Path = ROOT, **environment: str | Path) -> Said:
        for key, value in environment.items():
            monkeypatch.setenv(key, str(value))
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["dltest", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        code = left.value.code
        assert isinstance(code, int)
        return Said(code, *capsys.readouterr())

    return call


def test_the_files_that_dltest_brings_have_no_mistakes(dltest: DLTest) -> None:
    files = list(Path("scenarios").rglob("*.yaml"))
    assert dltest("check") == Said(0, f"{len(files)} scenarios, no mistakes\n", "")


def test_a_mistake_is_shown_with_its_line_and_a_caret(dltest: DLTest, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD.replace("title: It works", "titel: It works"))
    said = dltest("check", "mine.yaml", cwd=tmp_path)
    assert said == Said(
        2,
        "mine.yaml:1:1: key 'title' is missing, like"
        " `title: Files can be replicated over every link`\n"
        "    1 | dltest: 1\n"
        "      | ^\n"
        "mine.yaml:3:1: unknown key 'titel'; did you mean 'title'?\n"
        "    3 | titel: It works\n"
        "      | ^\n"
        "2 mistakes in 1 file\n",
        "",
    )


def test_wide_characters_and_tabs_do_not_move_the_caret(dltest: DLTest, tmp_path: Path) -> None:
    text = GOOD.replace("targets: {at: {rses:", "targets: {at: {数\t: 1, rsess:")
    (tmp_path / "wide.yaml").write_text(text, encoding="utf-8")
    lines = dltest("check", "wide.yaml", cwd=tmp_path).out.splitlines()
    shown = '    5 | targets: {at: {数    : 1, rsess: "type=disk"}}'
    assert lines[-3:-1] == [shown, "      |" + " " * 27 + "^"]  # the sign is two columns wide


def test_check_speaks_json_and_github(dltest: DLTest, tmp_path: Path) -> None:
    (tmp_path / "a,b.yaml").write_text(GOOD.replace("title: It works", "title: 5"))
    said = dltest("check", "--format", "json", cwd=tmp_path, DLTEST_SCENARIOS=tmp_path)
    message = "must be text, not 5; put it in quotes"
    path = f"{tmp_path}/a,b.yaml"
    assert said.code == 2
    assert said.json() == [{"path": path, "line": 3, "column": 8, "message": message}]
    said = dltest("check", "a,b.yaml", "--format", "github", cwd=tmp_path)
    assert said.out == f"::error file=a%2Cb.yaml,line=3,col=8::{message}\n"
    assert dltest("check", ROOT / "scenarios", "--format", "json").json() == []


def test_check_of_what_is_not_there_is_a_mistake_and_no_traceback(
    dltest: DLTest, tmp_path: Path
) -> None:
    said = dltest("check", "none.yaml", tmp_path, cwd=tmp_path)
    assert said.code == 2
    assert "none.yaml:1:1: cannot be read: No such file or directory" in said.out
    assert "holds no scenario file" in said.out
    assert said.err == ""


@pytest.mark.parametrize(("more", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_only_for_a_terminal_that_wants_them(
    more: dict[str, str], is_coloured: bool, tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD.replace("owner: me\n", ""))
    done = subprocess.run(
        [sys.executable, "-m", "dltest.cli.main", "check", "mine.yaml"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "FORCE_COLOR": "1", "TERM": "xterm", **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "key 'owner' is missing" in done.stdout
    assert ("\x1b[1;31m" in done.stdout) is is_coloured


def test_the_schema_goes_to_stdout_or_a_file(dltest: DLTest, tmp_path: Path) -> None:
    committed = (ROOT / "scenarios/scenario.schema.json").read_text(encoding="utf-8")
    assert dltest("schema").out == committed
    said = dltest("schema", "-o", "s.json", cwd=tmp_path)
    assert (said.code, said.out) == (0, "")
    assert (tmp_path / "s.json").read_text(encoding="utf-8") == committed
    said = dltest("schema", "-o", tmp_path / "no" / "s.json")
    assert said.code == 2
    assert "cannot write" in said.err


def test_steps_lists_all_and_explains_one(dltest: DLTest) -> None:
    listed = dltest("steps").out
    for name in ("absent", "delete", "download", "replicate", "upload", "verify"):
        assert f"\n{name} " in listed
    explained = " ".join(dltest("steps", "replicate").out.split())
    assert "- replicate: {to: destination}" in explained
    assert "Target role of the only RSE that may be read." in explained
    assert "expect.rate" in explained


def test_steps_as_json_hold_every_key(dltest: DLTest) -> None:
    (step,) = dltest("steps", "upload", "--json").json()
    assert step["name"] == "upload"
    assert step["example"] == {"upload": {"to": "source"}}
    keys = {key["key"]: key for key in step["keys"]}
    expectations = ["outcome", "reason", "phase", "blame", "states", "rate", "time"]
    expected = [f"expect.{key}" for key in expectations]
    assert list(keys) == ["to", "within", *expected, "retries", "protocol", "checksum"]
    assert keys["to"]["is_needed"]
    assert keys["within"]["default"] == "10m"


def test_an_unknown_step_is_answered_with_the_nearest(dltest: DLTest) -> None:
    said = dltest("steps", "replicat")
    assert said == Said(2, "", "dltest: there is no step 'replicat'; did you mean 'replicate'?\n")


@pytest.mark.parametrize("command", ["check", "plan", "schema", "steps"])
def test_help_teaches_by_examples_on_lines_of_their_own(dltest: DLTest, command: str) -> None:
    said = dltest(command, "--help")
    assert said.code == 0
    examples = said.out.split("Examples:\n")[1].split("\n\n")[0].splitlines()
    assert examples
    assert all(line.strip().startswith(f"dltest {command}") for line in examples)


@pytest.fixture(scope="module")
def faraway(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake whose Rucio does not answer, with RSEs that its file declares."""
    folder = tmp_path_factory.mktemp("faraway")
    rses: Sequence[str] = [
        f"  - {{name: XRD{n}, site: SITE{n}, attributes: {{dltest: 'True', type: disk}}}}\n"
        for n in (2, 1, 3)
    ]
    rucio = "{url: 'http://127.0.0.1:9', account: a, username: a, password: p, scope: s}"
    text = f"name: faraway\nrucio: {rucio}\nrses:\n{''.join(rses)}"
    (folder / "lake.yaml").write_text(text)
    return folder


def test_a_plan_shows_cases_and_what_they_write_where(dltest: DLTest, faraway: Path) -> None:
    said = dltest(
        "plan", "--lake", faraway / "lake.yaml", "--tags", "core", DLTEST_STATE_DIR=faraway
    )
    assert said.code == 0
    lines = said.out.splitlines()
    cases = [line.split()[0] for line in lines if "[" in line]
    assert len(cases) == 3 * 3 + 6
    assert cases[:2] == ["delete[XRD1]", "delete[XRD2]"]
    assert "replicate[XRD1->XRD2]" in cases
    assert lines[-1] == ("15 cases of 4 scenarios on lake 'faraway' would write 21 files, 22 MB.")
    assert "Rucio does not answer" in said.err


def test_a_plan_as_json_may_be_aimed_at_one_rse(dltest: DLTest, faraway: Path) -> None:
    planned = dltest(
        "plan",
        "--lake",
        faraway / "lake.yaml",
        "replicate",
        "--rse",
        "XRD2",
        "--json",
        DLTEST_STATE_DIR=faraway,
    ).json()
    assert planned["lake"] == "faraway"
    assert planned["stale"] is True
    assert [case["id"] for case in planned["cases"]] == [
        "replicate[XRD1->XRD2]",
        "replicate[XRD2->XRD1]",
        "replicate[XRD2->XRD3]",
        "replicate[XRD3->XRD2]",
    ]
    assert planned["cases"][0]["targets"] == {"source": "XRD1", "destination": "XRD2"}
    assert planned["total"]["files_written"] == 8
    written = {rse: part["files_written"] for rse, part in planned["footprints"].items()}
    assert written == {"XRD1": 2, "XRD2": 4, "XRD3": 2}


def test_a_plan_says_what_it_needs_and_what_changed(
    dltest: DLTest, faraway: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.yaml"
    steps = "steps: [{upload: {to: at}}, {verify: {at: at}}]"
    text = GOOD.replace("steps: [{verify: {at: at}}]", "payload: {size: 1 MB}\n" + steps)

    def planned(text: str, *options: str) -> Said:
        mine.write_text(text)
        return dltest(
            "plan", mine, "--lake", faraway / "lake.yaml", *options, DLTEST_STATE_DIR=tmp_path
        )

    first = planned(text, "--diff")
    needed = "add datasets, add rules, delete at XRD1, delete at XRD2, delete at XRD3"
    assert f"Permissions needed: {needed}, read at XRD1" in first.out
    assert "Since the last plan" not in first.out
    assert "This was not planned before" in first.out
    assert "\nSince the last plan: nothing changed\n" in planned(text, "--diff").out
    fewer = text.replace("type=disk", "XRD1|XRD2").replace("1 MB", "2 MB")
    assert planned(fewer, "--diff").out.split("Since the last plan\n")[1].splitlines()[:3] == [
        "  - mine[XRD3]",
        "  ~ mine[XRD1] writes 2 MB, before 1 MB",
        "  ~ mine[XRD2] writes 2 MB, before 1 MB",
    ]
    again = planned(text, "--diff", "--json").json()
    assert again["diff"]["added"] == ["mine[XRD3]"]
    assert again["estimated_seconds"] is None
    assert again["cases"][0]["bytes_written"] == 10**6


def test_a_plan_that_nothing_fits_says_what_there_is(dltest: DLTest, faraway: Path) -> None:
    said = dltest(
        "plan", "--lake", faraway / "lake.yaml", "--rse", "type=tape", DLTEST_STATE_DIR=faraway
    )
    assert (said.code, said.out) == (2, "")
    assert "no RSE of lake 'faraway' matches 'type=tape'. 'type=tape' fits none: type is disk." in (
        said.err.replace("\n", " ")
    )


def test_a_parameter_that_is_set_changes_the_plan(
    dltest: DLTest, faraway: Path, tmp_path: Path
) -> None:
    more = "payload: {size: 1 MB}\nparameters: {size: {sets: payload.size, at-most: 3 MB}}\n"
    (tmp_path / "mine.yaml").write_text(GOOD + more)

    def planned(*settings: str) -> Said:
        lake = ("--lake", faraway / "lake.yaml", "--json")
        return dltest("plan", tmp_path / "mine.yaml", *settings, *lake, DLTEST_STATE_DIR=faraway)

    sizes = [planned().json(), planned("--set", "size=2MB").json()]
    assert [plan["cases"][0]["size_bytes"] for plan in sizes] == [10**6, 2 * 10**6]
    for wrong, message in [
        ("size=4MB", "scenario 'mine' allows size to be 3 MB at most, not 4MB"),
        ("sizze=1MB", "scenario 'mine' has no parameter 'sizze'; did you mean 'size'?"),
        ("size", "--set size: write PARAMETER=VALUE, like --set size=10MiB"),
    ]:
        assert planned("--set", wrong) == Said(2, "", f"dltest: {message}\n")


def test_an_unknown_scenario_is_told_before_the_lake_is_asked(
    dltest: DLTest, faraway: Path
) -> None:
    said = dltest("plan", "--lake", faraway / "lake.yaml", "replicat", DLTEST_STATE_DIR=faraway)
    assert said.code == 2
    assert "there is no scenario 'replicat'" in said.err
    assert "Rucio" not in said.err


@pytest.mark.parametrize(
    ("arguments", "too_much"),
    [("--version", "sqlalchemy rucio celery"), ("check", "sqlalchemy rucio celery")],
)
def test_a_command_reads_only_what_it_needs(arguments: str, too_much: str) -> None:
    program = (
        "import sys; from dltest.cli.main import main; sys.argv = ['dltest', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit:\n    print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments.split()],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(too_much.split()) & set(done.stdout.splitlines()[-1].split()) == set()
