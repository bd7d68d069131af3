"""Faults of Rucio's server and of the database behind it."""

from typing import Any

from dltest.lab.alteration import Alteration
from dltest.lab.damage import Shut
from dltest.lab.faults.fault import CATALOGUE, OTHER, Drill, Fault, Notice, Stopped
from dltest.model import Verdict

PART = "rucio"
SIGN_IN = "/auth"
WRITING = ["POST", "PUT", "DELETE"]


def _drills(code: str, blame: str) -> tuple[Drill, ...]:
    """Who is not let in, or gets no answer, knows nothing of the lake."""
    notice = Notice("upload", (OTHER,), "upload", (code,), blame, Verdict.INCONCLUSIVE)
    return (Drill((notice,), (CATALOGUE,)),)


SILENT = _drills("rucio-unreachable", "rucio")
REJECTED = _drills("sign-in-failed", "identity")


def _stopped(name: str, title: str, how: Stopped) -> Fault:
    return Fault(name, title, part=PART, stopped=how, drills=SILENT)


def _front(
    name: str,
    title: str,
    *answers: dict[str, Any],
    drills: tuple[Drill, ...] = SILENT,
    **manners: Any,
) -> Fault:
    alteration = Alteration(manners={**manners, "answers": list(answers)})
    return Fault(name, title, part=PART, alteration=alteration, drills=drills)


FAULTS = (
    _stopped("rucio-down", "Rucio's server is killed; its daemons go on", "down"),
    _stopped("rucio-hung", "Rucio's server takes connections and never answers", "hung"),
    _front(
        "rucio-errors",
        "Rucio's server answers everything with an internal error",
        {"status": 500, "body": "internal error"},
    ),
    _front(
        "rucio-maintenance",
        "a page for people, `down for maintenance`, stands where Rucio's server was",
        {"status": 503, "body": "<html>down for maintenance</html>", "kind": "text/html"},
    ),
    _front(
        "rucio-drops",
        "connections to Rucio's server are reset in the middle of an answer",
        reset_after_bytes=0,
    ),
    _front(
        "rucio-rejects",
        "Rucio's server accepts no password",
        {
            "status": 401,
            "path": SIGN_IN,
            "body": '{"ExceptionClass": "CannotAuthenticate", "ExceptionMessage": "no"}',
            "kind": "application/json",
            "headers": {"ExceptionClass": "CannotAuthenticate", "ExceptionMessage": "no"},
        },
        drills=REJECTED,
    ),
    Fault(
        "database-down",
        "Rucio's database takes no connections",
        drills=SILENT,
        damage=Shut("ALLOW_CONNECTIONS false", "ALLOW_CONNECTIONS true", starves=True),
    ),
    Fault(
        "database-read-only",
        "Rucio's database takes no writes, as after a failover to a replica",
        drills=SILENT,
        damage=Shut(
            "SET default_transaction_read_only = on", "RESET default_transaction_read_only"
        ),
    ),
)
