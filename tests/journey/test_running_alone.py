"""`dltest run` by itself, on a simulated lake that another process serves."""

import json
import os
import sys
from pathlib import Path

import pytest

from dltest import engine
from dltest.cli import watching
from dltest.cli.main import main
from dltest.lake.simulated import REAPER_DOWN
from dltest.lake.simulated.server import LakeServer

ROOT = Path(__file__).parents[2]


def test_what_passed_and_was_not_clean_in_time_has_its_time_over_again(
    shared_lake: LakeServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The reaper gets to it only once all runs have ended."""

    def reopen(*what: object) -> None:
        shared_lake.lake.heal(REAPER_DOWN)
        engine.reopen(*what)  # type: ignore[arg-type]

    shared_lake.lake.fall_ill(REAPER_DOWN)
    monkeypatch.setattr(watching, "reopen", reopen)
    for key in [key for key in os.environ if key.startswith("DLTEST_")]:
        monkeypatch.delenv(key)
    (tmp_path / "lake.yaml").write_text(f"name: shared\nsimulated: {shared_lake.path}\n")
    monkeypatch.setenv("DLTEST_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("DLTEST_CLEANUP_LIMIT", "PT3S")
    monkeypatch.chdir(ROOT)
    command = ["dltest", "run", "upload", "--lake", str(tmp_path / "lake.yaml"), "--json"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert ended.value.code == 0, err
    assert [json.loads(line)["leftovers"] for line in out.splitlines()] == [0, 0]
