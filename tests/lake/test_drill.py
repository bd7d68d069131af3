"""The drill as people start it, on a real lab."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lab_command import until

from dltest.cli.drill import QUICK
from dltest.lab.description import Wish

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


def drill(lab: Any, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "dltest.cli.main", "drill", "--lab", str(lab.dir)]
    return subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def broken(lab: Any) -> list[str]:
    wish = Wish.read(Path(lab.dir) / "wish.json")
    return [thing.fault for thing in wish.broken] if wish else []


def test_each_of_a_few_faults_is_noticed_for_what_it_is_and_turns_nothing_else_red(lab: Any):
    with drill(lab, "--quick", "--json") as running:
        told, progress = running.communicate(timeout=800)
    outcomes = [json.loads(line) for line in told.splitlines()]
    assert [wrong for one in outcomes for wrong in one["wrong"]] == []
    assert {one["fault"] for one in outcomes if one["good"]} == set(QUICK)
    assert running.returncode == 0
    assert "about" in progress
    assert lab.status()["ready"]


def test_whoever_ends_a_drill_finds_the_lab_healed(lab: Any):
    with drill(lab, "--fault", "storage-full") as running:
        until(lambda: "storage-full" in broken(lab), 120)
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=120) == 130
    assert broken(lab) == []
    assert lab.status()["ready"]


def test_a_drill_that_was_killed_is_healed_by_the_next(lab: Any):
    with drill(lab, "--fault", "storage-full") as killed:
        until(lambda: "storage-full" in broken(lab), 120)
        os.kill(killed.pid, signal.SIGKILL)
    assert "storage-full" in broken(lab)
    with drill(lab, "--fault", "certificate-expired") as following:
        until(lambda: "storage-full" not in broken(lab), 120)
        following.send_signal(signal.SIGTERM)
        assert following.wait(timeout=120) == 130
    assert lab.status()["ready"]
