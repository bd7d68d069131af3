"""The life of a lab: up, up again, killed in every way, down, gone.

These tests have a lab of their own beside the one that the others share, which also shows
that two live side by side.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab_command import LAB, processes_of, run_lab, until
from rucio.client import Client

import dltest
from dltest.lab import control
from dltest.lab.status import status

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can hide and limit folders")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("life") / "lab"
    yield folder
    control.down(folder, purge=True)


@pytest.fixture
def own(folder: Path) -> Path:
    """The folder of a lab that is up."""
    control.up(folder)
    return folder


def seen(folder: Path) -> dict[str, Any]:
    answer = status(folder)
    assert answer is not None
    return answer


def pid_of(folder: Path, part: str) -> int:
    return next(one["pid"] for one in seen(folder)["parts"] if one["name"] == part)


def supervisor_of(folder: Path) -> int:
    return int(json.loads((folder / "state.json").read_text())["supervisor"])


def test_it_tells_where_everything_is(own: Path) -> None:
    answer = run_lab("status", "--dir", own, "--json")
    assert answer.returncode == 0
    told = json.loads(answer.stdout)
    assert told["ready"]
    assert told["broken"] == []
    assert {"XRD1", "rucio", "conveyor-poller", "reaper", "transfers", "postgres", "redis"} <= {
        part["name"] for part in told["parts"]
    }
    assert all(Path(rse["folder"]).is_dir() for rse in told["rses"])
    assert Path(told["credentials"]["ca_file"]).is_file()
    assert Path(told["lake_file"]).stat().st_mode & 0o777 == 0o600


def test_no_process_of_it_is_roots(own: Path) -> None:
    owners = {Path(f"/proc/{pid}").stat().st_uid for pid in processes_of(own)}
    assert owners
    assert 0 not in owners


def test_it_stays_below_its_memory(own: Path) -> None:
    assert sum(part["pss_mib"] or 0 for part in seen(own)["parts"]) < 1536


def test_a_second_up_says_that_it_is_up(own: Path) -> None:
    before = supervisor_of(own)
    answer = run_lab("up", "--dir", own)
    assert answer.returncode == 0
    assert "already up" in answer.stdout
    assert supervisor_of(own) == before


def test_another_release_is_refused_with_the_remedy(own: Path) -> None:
    answer = run_lab("up", "--dir", own, "--rucio", "1.2.3")
    assert answer.returncode == 1
    assert "lab down --purge" in answer.stderr


def test_it_dies_with_its_supervisor_and_comes_back_as_it_was(own: Path) -> None:
    before = seen(own)
    os.kill(supervisor_of(own), signal.SIGKILL)
    until(lambda: not processes_of(own))
    assert run_lab("status", "--dir", own).returncode == 1
    control.up(own)
    after = seen(own)
    assert after["ready"]
    assert after["endpoints"] == before["endpoints"]
    assert after["credentials"] == before["credentials"]


@pytest.mark.parametrize("part", ["judge-cleaner", "rucio-daemons", "redis", "XRD3"])
def test_a_part_that_dies_is_started_again(own: Path, part: str) -> None:
    before = pid_of(own, part)
    os.kill(before, signal.SIGKILL)
    until(lambda: seen(own)["ready"] and pid_of(own, part) != before, 60)


def test_down_leaves_no_process_and_up_finds_the_data(own: Path) -> None:
    kept = Path(seen(own)["rses"][0]["folder"]) / "kept"
    kept.write_text("data")
    assert run_lab("down", "--dir", own).returncode == 0
    assert processes_of(own) == set()
    assert run_lab("status", "--dir", own).returncode == 1
    control.up(own)
    assert kept.read_text() == "data"
    kept.unlink()


def test_a_taken_port_is_told_and_replaced_everywhere(own: Path) -> None:
    control.down(own)
    taken = seen(own)["rses"][1]["port"]
    with socket.create_server(("127.0.0.1", taken)):
        answer = run_lab("up", "--dir", own)
        assert answer.returncode == 0, answer.stderr
        assert f"port {taken} is taken by another process; XRD2 moves to" in answer.stdout
        moved = seen(own)["rses"][1]["port"]
        assert moved != taken
        known = catalogue_of(own).get_protocols("XRD2")
        assert {protocol["port"] for protocol in known} == {moved}


def catalogue_of(folder: Path) -> Client:
    told = seen(folder)
    account = told["credentials"]["accounts"]["dltest"]
    url = told["endpoints"]["rucio"]
    return Client(
        rucio_host=url, auth_host=url, account="dltest", auth_type="userpass", creds=account
    )


def test_an_up_killed_half_way_is_finished_by_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    first = subprocess.Popen([*LAB, "up", "--dir", str(folder)], stdout=subprocess.DEVNULL)
    try:
        until((folder / "state.json").exists, 60)
        first.kill()
        first.wait()
        os.kill(supervisor_of(folder), signal.SIGKILL)
        control.up(folder)
        assert seen(folder)["ready"]
    finally:
        first.kill()
        first.wait()
        real = Path(os.path.realpath(folder))
        assert run_lab("down", "--purge", "--dir", folder).returncode == 0
    assert processes_of(real) == set()
    assert not real.exists()
    assert not folder.is_symlink()


def test_a_damaged_description_is_told_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text("{")
    answer = run_lab("up", "--dir", tmp_path)
    assert answer.returncode == 1
    assert "is damaged" in answer.stderr
    assert "--purge" in answer.stderr


def test_a_folder_with_other_files_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    for command in (["up"], ["down", "--purge"]):
        run_lab(*command, "--dir", tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("command", [["status"], ["break", "rucio-down"], ["heal"]])
def test_where_there_is_no_lab_it_says_how_to_make_one(tmp_path: Path, command: list[str]) -> None:
    answer = run_lab(*command, "--dir", tmp_path / "lab")
    assert answer.returncode == 1
    assert "dltest lab up" in answer.stderr


@needs_root
def test_a_disk_without_room_is_told() -> None:
    # Not below pytest's own folder, which only its owner can enter.
    disk = Path(tempfile.mkdtemp(prefix="dltest-disk-"))
    disk.chmod(0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=755", "lab", disk], check=True)
    try:
        answer = run_lab("up", "--dir", disk / "lab")
    finally:
        run_lab("down", "--purge", "--dir", disk / "lab")
        subprocess.run(["umount", disk], check=True)
        disk.rmdir()
    assert answer.returncode == 1
    assert "MiB are free" in answer.stderr
    assert "make room" in answer.stderr


@needs_root
def test_it_runs_from_a_checkout_that_its_user_cannot_enter(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    shutil.copytree(Path(dltest.__file__).parent, hidden / "dltest")
    environment = os.environ | {"PYTHONPATH": str(hidden)}
    folder = hidden / "lab"
    up = subprocess.run(
        [*LAB, "up", "--dir", folder, "--json"],
        env=environment,
        cwd=hidden,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    real = Path(os.path.realpath(folder))
    try:
        assert up.returncode == 0, up.stderr
        assert json.loads(up.stdout)["ready"]
        assert not real.is_relative_to(hidden)
        environments = [Path(f"/proc/{pid}/environ").read_bytes() for pid in processes_of(folder)]
        assert any(str(real / "code").encode() in one for one in environments)
        assert not any(str(hidden).encode() in one for one in environments)
    finally:
        assert run_lab("down", "--purge", "--dir", folder).returncode == 0
    assert not real.exists()
    assert not folder.is_symlink()
