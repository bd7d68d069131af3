"""Every fault of the lab: in effect when `break` returns, undone when `heal` returns."""

import os
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from lab_command import run_lab


@pytest.fixture
def whole(lab: Any) -> Iterator[Any]:
    """The shared lab, healed afterwards."""
    yield lab
    lab.heal()
    assert lab.status()["ready"]


def connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize(
    ("fault", "target", "part"),
    [
        ("storage-down", "XRD2", "XRD2"),
        ("transfer-service-down", None, "transfers"),
        ("rucio-down", None, "rucio"),
    ],
)
def test_a_server_that_is_down_refuses(whole: Any, fault: str, target: str, part: str) -> None:
    port = whole.part(part)["port"]
    assert connects(port)
    whole.break_(fault, target)
    assert not connects(port)
    assert not whole.status()["ready"]
    assert [(one["fault"], one["target"]) for one in whole.status()["broken"]] == [(fault, target)]
    whole.heal(fault, target)
    assert connects(port)
    assert whole.status()["broken"] == []


def test_a_storage_that_hangs_accepts_and_never_answers(whole: Any) -> None:
    port = whole.part("XRD3")["port"]
    whole.break_("storage-hung", "XRD3")
    connection = HTTPConnection("127.0.0.1", port, timeout=1.5)
    connection.request("GET", "/")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    whole.heal("storage-hung", "XRD3")
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/")
    assert connection.getresponse().status
    connection.close()


@pytest.mark.parametrize("daemon", ["conveyor-poller", "reaper", "undertaker", "dark-reaper"])
def test_a_daemon_that_is_down_is_dead_until_healed(whole: Any, daemon: str) -> None:
    before = whole.part(daemon)["pid"]
    whole.break_("daemon-down", daemon)
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)
    assert whole.part(daemon)["state"] == "down"
    whole.heal("daemon-down", daemon)
    assert whole.part(daemon)["state"] == "ready"
    assert whole.part(daemon)["restarts"] == 0


def test_breaking_twice_is_breaking_once(whole: Any) -> None:
    whole.break_("storage-down", "XRD1")
    whole.break_("storage-down", "XRD1")
    assert len(whole.status()["broken"]) == 1


def test_a_server_that_is_down_and_hung_is_down_and_heals_of_both(whole: Any) -> None:
    whole.break_("storage-down", "XRD1")
    whole.break_("storage-hung", "XRD1")
    assert whole.part("XRD1")["state"] == "down"
    whole.heal("storage-down")
    assert whole.part("XRD1")["state"] in ("hung", "starting")
    whole.heal("storage-hung", "XRD1")
    assert whole.part("XRD1")["state"] == "ready"


def test_heal_alone_heals_everything(whole: Any) -> None:
    whole.break_("storage-down", "XRD1")
    whole.break_("daemon-down", "reaper")
    answer = run_lab("heal", "--dir", whole.dir)
    assert answer.stdout.splitlines() == ["healed: storage-down XRD1", "healed: daemon-down reaper"]
    assert whole.status()["ready"]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("storge-down", "XRD1"), "did you mean storage-down?"),
        (("storage-down", "XRD9"), "known: XRD1, XRD2, XRD3, XRD4"),
        (("daemon-down",), "needs a target"),
    ],
)
def test_a_slip_of_the_pen_breaks_nothing(
    whole: Any, arguments: tuple[str, ...], hint: str
) -> None:
    answer = run_lab("break", *arguments, "--dir", whole.dir)
    assert answer.returncode == 2
    assert hint in answer.stderr
    assert whole.status()["broken"] == []
