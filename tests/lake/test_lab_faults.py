"""Every fault of the lab: in effect when `break` returns, undone when `heal` returns."""

import json
import os
import signal
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPSConnection
from typing import Any

import psycopg
import pytest
from lab_command import run_lab

from dltest.errors import LabError
from dltest.lab import control
from dltest.lab.damage import Damage
from dltest.lab.description import State
from dltest.lab.faults import FAULTS
from dltest.lab.parts import NEED_DATABASE


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
    before = whole.part(daemon)
    whole.break_("daemon-down", daemon)
    with pytest.raises(ProcessLookupError):
        os.kill(before["pid"], 0)
    assert whole.part(daemon)["state"] == "down"
    whole.heal("daemon-down", daemon)
    assert whole.part(daemon)["state"] == "ready"
    assert whole.part(daemon)["restarts"] == before["restarts"]


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


def storage_answer(whole: Any, rse: str, method: str = "GET") -> int:
    """The status that a client gets from a storage, over TLS that it checks."""
    trust = ssl.create_default_context(cafile=whole.status()["credentials"]["ca_file"])
    connection = HTTPSConnection("localhost", whole.part(rse)["port"], timeout=10, context=trust)
    try:
        connection.request(method, "/rucio/nothing", body=b"x" if method == "PUT" else None)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("fault", "method", "status"),
    [
        ("storage-errors", "GET", 500),
        ("storage-full", "PUT", 507),
        ("storage-refuses", "GET", 403),
    ],
)
def test_an_altered_storage_is_itself_again_when_healed(
    whole: Any, fault: str, method: str, status: int
) -> None:
    whole.break_(fault, "XRD1")
    assert whole.part("XRD1")["state"] == "altered"
    assert storage_answer(whole, "XRD1", method) == status
    whole.heal(fault, "XRD1")
    assert storage_answer(whole, "XRD1") == 404
    assert whole.part("XRD1")["restarts"] == 0


@pytest.mark.parametrize("flaw", ["expired", "untrusted", "of-another-host"])
def test_a_bad_certificate_is_shown_until_healed(whole: Any, flaw: str) -> None:
    whole.break_(f"certificate-{flaw}", "XRD1")
    with pytest.raises(ssl.SSLCertVerificationError):
        storage_answer(whole, "XRD1")
    whole.heal(f"certificate-{flaw}")
    assert storage_answer(whole, "XRD1") == 404


def test_a_fault_outlives_its_supervisor_and_heals_all_the_same(whole: Any) -> None:
    whole.break_("storage-full", "XRD1")
    before = State.read(whole.dir / "state.json")
    os.kill(before.supervisor, signal.SIGKILL)
    assert run_lab("up", "--dir", whole.dir).returncode == 0
    assert whole.part("XRD1")["state"] == "altered"
    assert storage_answer(whole, "XRD1", "PUT") == 507
    whole.heal()
    assert storage_answer(whole, "XRD1", "GET") == 404


DAMAGES = [fault for fault in FAULTS if isinstance(fault.damage, Damage)]


def rows(whole: Any, tables: set[str]) -> dict[str, list[str]]:
    """All that these tables of Rucio's database hold."""
    url = whole.status()["endpoints"]["rucio_database"].replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        return {
            table: sorted(
                json.dumps(row[0], sort_keys=True)
                for row in connection.execute(f"SELECT to_jsonb(t) FROM {table} t")  # noqa: S608
            )
            for table in tables
        }


def test_damaged_rows_are_what_they_were_once_they_are_healed(whole: Any) -> None:
    tables = {str(fault.damage.table) for fault in DAMAGES if isinstance(fault.damage, Damage)}
    before = rows(whole, tables)
    for fault in DAMAGES:
        control.break_(whole.dir, fault.name, "XRD2" if fault.kind else None)
        assert rows(whole, tables) != before, fault.name
        control.heal(whole.dir, fault.name)
        assert rows(whole, tables) == before, fault.name


def test_of_two_damages_to_the_same_rows_the_second_is_refused(whole: Any) -> None:
    control.break_(whole.dir, "fts-wrong", "XRD2")
    with pytest.raises(LabError, match="heal that one first"):
        control.break_(whole.dir, "fts-missing", "XRD2")
    assert [one["fault"] for one in whole.status()["broken"]] == ["fts-wrong"]
    control.break_(whole.dir, "fts-missing", "XRD3")
    with pytest.raises(LabError, match="heal that one first"):
        control.break_(whole.dir, "fts-wrong", "XRD3")


def test_damages_to_other_rows_of_the_same_table_are_there_together(whole: Any) -> None:
    before = rows(whole, {"rse_attr_map"})
    control.break_(whole.dir, "fts-wrong", "XRD2")
    control.break_(whole.dir, "rse-unchecked", "XRD2")
    control.heal(whole.dir)
    assert rows(whole, {"rse_attr_map"}) == before


def test_a_database_that_is_shut_heals_with_the_rows_damaged_before(whole: Any) -> None:
    before = rows(whole, {"rses"})
    control.break_(whole.dir, "rse-write-blocked", "XRD2")
    control.break_(whole.dir, "database-down")
    with pytest.raises(psycopg.OperationalError):
        rows(whole, {"rses"})
    control.heal(whole.dir)
    assert rows(whole, {"rses"}) == before
    assert whole.status()["ready"]


def test_who_slept_through_a_shut_database_is_started_anew(whole: Any) -> None:
    before = {name: whole.part(name)["pid"] for name in NEED_DATABASE}
    control.break_(whole.dir, "database-down")
    control.heal(whole.dir)
    after = {name: whole.part(name)["pid"] for name in NEED_DATABASE}
    assert not set(before.values()) & set(after.values())


def test_a_lab_comes_up_as_broken_as_it_went_down(whole: Any) -> None:
    control.break_(whole.dir, "database-down")
    control.down(whole.dir)
    control.up(whole.dir)
    assert not whole.status()["ready"]
    whole.heal()
    assert whole.status()["ready"]
