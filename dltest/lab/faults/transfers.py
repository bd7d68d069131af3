"""Faults of the transfer service."""

from typing import Any

from dltest.lab.alteration import Alteration
from dltest.lab.faults.fault import OTHER, TRANSFERS, Drill, Fault, Notice, Stopped

PART = "transfers"


UNDETECTED = Notice(
    "corrupted-source",
    (OTHER, OTHER),
    "replicate",
    ("corruption-undetected",),
    "link {0}->{1}",
)


def _stopped(name: str, title: str, how: Stopped, *codes: str) -> Fault:
    return Fault(name, title, part=PART, stopped=how, drills=_drills(codes))


def _settings(name: str, title: str, *codes: str, **settings: Any) -> Fault:
    alteration = Alteration(settings=settings)
    return Fault(name, title, part=PART, alteration=alteration, drills=_drills(codes))


def _front(name: str, title: str, code: str, *answers: dict[str, Any]) -> Fault:
    alteration = Alteration(manners={"answers": list(answers)})
    return Fault(name, title, part=PART, alteration=alteration, drills=_drills((code,)))


def _drills(codes: tuple[str, ...]) -> tuple[Drill, ...]:
    notice = Notice("replicate", (OTHER, OTHER), "replicate", codes, "fts")
    return (Drill((notice,), (TRANSFERS,)),)


FAULTS = (
    _stopped(
        "transfer-service-down", "the transfer service is killed", "down", "submission-failed"
    ),
    _stopped(
        "transfer-service-hung", "the transfer service never answers", "hung", "submission-failed"
    ),
    _settings(
        "transfers-queued",
        "transfers are taken, and stay in the queue for ever",
        "transfer-queued",
        per_link=0,
    ),
    Fault(
        "transfers-unchecked",
        "transfers are said to be checked, and nobody looks at their checksums",
        part=PART,
        alteration=Alteration(settings={"verify_checksums": False}),
        # Blinds those who look for damage, and stops nothing: only a damaged file tells.
        drills=(Drill((UNDETECTED,), (TRANSFERS,)),),
    ),
    _front(
        "transfers-refused",
        "the transfer service refuses new transfers: the client is not authorised",
        "submission-failed",
        {
            "status": 403,
            "methods": ["POST", "PUT"],
            "body": '{"status": "403 Forbidden", "message": "not authorised"}',
            "kind": "application/json",
        },
    ),
    _front(
        "transfers-errors",
        "the transfer service answers everything with an internal error",
        "submission-failed",
        {"status": 500, "body": "internal error"},
    ),
    _front(
        "transfers-unreadable",
        "transfers are taken and carried out, and nobody is told how they stand",
        "transfer-service-unreachable",
        {"status": 500, "methods": ["GET"], "path": "/jobs", "body": "internal error"},
    ),
    _front(
        "transfers-lost",
        "transfers are taken, and nobody knows of them any more",
        "job-lost",
        {
            "status": 404,
            "methods": ["GET"],
            "path": "/jobs",
            "body": '{"http_status": "404 Not Found", "http_message": "No job with that id"}',
            "kind": "application/json",
        },
    ),
    _front(
        "transfers-maintenance",
        "a page for people, `down for maintenance`, stands where the transfer service was",
        "submission-failed",
        {"status": 200, "body": "<html>down for maintenance</html>", "kind": "text/html"},
    ),
)
