"""Faults of the transfer service."""

from typing import Any

from dltest.lab.alteration import Alteration
from dltest.lab.faults.fault import Fault, Stopped

PART = "transfers"


def _stopped(name: str, title: str, how: Stopped) -> Fault:
    return Fault(name, title, part=PART, stopped=how)


def _settings(name: str, title: str, **settings: Any) -> Fault:
    return Fault(name, title, part=PART, alteration=Alteration(settings=settings))


def _front(name: str, title: str, *answers: dict[str, Any], **manners: Any) -> Fault:
    alteration = Alteration(manners={**manners, "answers": list(answers)})
    return Fault(name, title, part=PART, alteration=alteration)


FAULTS = (
    _stopped("transfer-service-down", "the transfer service is killed", "down"),
    _stopped("transfer-service-hung", "the transfer service never answers", "hung"),
    _settings(
        "transfers-queued",
        "transfers are taken, and stay in the queue for ever",
        per_link=0,
    ),
    _front(
        "transfers-refused",
        "the transfer service refuses new transfers: the client is not authorised",
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
        {"status": 500, "body": "internal error"},
    ),
    _front(
        "transfers-unreadable",
        "transfers are taken and carried out, and nobody is told how they stand",
        {"status": 500, "methods": ["GET"], "path": "/jobs", "body": "internal error"},
    ),
    _front(
        "transfers-lost",
        "transfers are taken, and nobody knows of them any more",
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
        {"status": 200, "body": "<html>down for maintenance</html>", "kind": "text/html"},
    ),
)
