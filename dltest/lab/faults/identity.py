"""Faults of the token issuer: of its name, of its nodes, and of what it says in tokens."""

from typing import Any

from dltest.lab.alteration import Alteration
from dltest.lab.faults.fault import DELETION, ISSUER, TRANSFERS, Drill, Fault, Notice
from dltest.lab.identity.nodes import BALANCER, NODES
from dltest.model import Verdict

FIRST, *OTHERS = NODES
STEP = "token-issuer"
SLOW_SECONDS = 4.0
CLOCK_SECONDS = 600.0


# Rucio asks for tokens without a time limit: its reaper and its submitter stand still, for all
# RSEs, while the issuer does not answer.
PATIENT = (ISSUER, DELETION, TRANSFERS)


def _drills(
    code: str, verdict: Verdict = Verdict.FAILED, shadow: tuple[str, ...] = (ISSUER,)
) -> tuple[Drill, ...]:
    notice = Notice(STEP, (), STEP, (code,), "identity", verdict)
    return (Drill((notice,), shadow),)


def _of_all_nodes(name: str, title: str, drills: tuple[Drill, ...], **effect: Any) -> Fault:
    return Fault(name, title, part=FIRST, others=tuple(OTHERS), drills=drills, **effect)


def _settings(name: str, title: str, drills: tuple[Drill, ...], **settings: Any) -> Fault:
    return _of_all_nodes(name, title, drills, alteration=Alteration(settings=settings))


FAULTS = (
    _of_all_nodes(
        "identity-down",
        "all nodes of the token issuer are killed",
        _drills("issuer-unreachable"),
        stopped="down",
    ),
    Fault(
        "identity-hung",
        "the token issuer takes connections and never answers",
        part=BALANCER,
        stopped="hung",
        drills=_drills("issuer-unreachable", shadow=PATIENT),
    ),
    Fault(
        "identity-slow",
        "the token issuer answers after seconds",
        part=BALANCER,
        alteration=Alteration(manners={"delay_seconds": SLOW_SECONDS}),
        drills=_drills("issuer-slow", Verdict.DEGRADED, PATIENT),
    ),
    Fault(
        "identity-one-node-down",
        "one node of the token issuer is killed; the other does its work",
        part=FIRST,
        stopped="down",
        drills=_drills("issuer-node-down", Verdict.DEGRADED),
    ),
    _settings(
        "identity-key-rotated",
        "the token issuer signs with its next key, which it has long published",
        # Whoever learns an issuer's keys as it publishes them has nothing to notice.
        (),
        signing="next",
    ),
    _settings(
        "identity-key-unknown",
        "the token issuer signs with a key that it does not publish",
        _drills("token-untrustworthy"),
        signing="unpublished",
    ),
    _settings(
        "identity-clock-skew",
        "the clock of the token issuer is ten minutes ahead",
        _drills("issuer-clock-wrong"),
        clock_seconds=CLOCK_SECONDS,
    ),
    _settings(
        "token-expired",
        "tokens of the issuer run out as soon as they are given",
        _drills("token-short-lived"),
        lifetime_seconds=1,
    ),
    _settings(
        "token-scope-missing",
        "tokens of the issuer lack the right to write",
        _drills("token-lacks-rights"),
        withheld=["storage.create", "storage.modify"],
    ),
    _settings(
        "token-audience-wrong",
        "tokens of the issuer are made out to another storage",
        _drills("token-for-others"),
        audience="https://elsewhere.example",
    ),
)
