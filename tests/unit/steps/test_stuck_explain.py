"""Every situation of a stuck rule that was seen on a real Rucio, and whom dltest sends for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dltest.lake.ports import (
    Heartbeat,
    Replica,
    ReplicaState,
    Rule,
    RuleState,
    TransferFile,
    TransferRequest,
    Usage,
)
from dltest.model import FTS, IDENTITY, RSE, Trouble
from dltest.steps.stuck import Candidate, Facts, Job, Route, evidence_of, explain

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
URL = "http://fts:8446/jobs/j1"
REFUSED = "Result Could not connect to server after 1 attempts"


def request(state: str, **facts: Any) -> TransferRequest:
    return TransferRequest(name="f", destination="XRD2", state=state, **facts)


def at_fts(*states: str) -> Job:
    def file(state: str) -> TransferFile:
        return TransferFile(job_id="j1", source_url="s", destination_url="d", state=state)

    return Job(url=URL, files=tuple(map(file, states)))


def source(
    state: ReplicaState = ReplicaState.AVAILABLE,
    *,
    readable: bool = True,
    distance: int | None = 1,
) -> tuple[Candidate, ...]:
    replica = Replica(name="f", rse="XRD1", state=state)
    return (Candidate(replica=replica, readable=readable, distance=distance),)


def facts(state: str, error: str | None = None, **known: Any) -> Facts:
    rule = {"locks_replicating": 1, **known.pop("rule", {})}
    defaults = {
        "now": NOW,
        "rule": Rule(id="r1", state=RuleState(state), error=error, **rule),
        "route": Route(source="XRD1", destination="XRD2"),
        "files": 1,
        "destination": RSE(name="XRD2"),
        "candidates": source(),
    }
    return Facts.model_validate(defaults | known)


SUBMITTED = request("SUBMITTED", source="XRD1", transfer_host="http://fts:8446", transfer_id="j1")
ASLEEP = request("QUEUED")
TRIED = request("QUEUED", attempt=3, source="XRD1")
DEAD = Trouble(code="transfer-service-unreachable", message="fts is silent", blame=FTS)
BAD_TOKENS = Trouble(code="token-lacks-rights", message="it may not write", blame=IDENTITY)
NO_SOURCES = "NO_SOURCES:RequestState.NO_SOURCES"

SITUATIONS = [
    (
        "transfer service hangs",
        facts("REPLICATING", requests=(request("SUBMITTING"),)),
        "submission-failed fts",
    ),
    (
        "source down",
        facts("STUCK", f"TRANSFER_FAILED:SOURCE [112] {REFUSED}"),
        "storage-unreachable site XRD1",
    ),
    (
        "destination down",
        facts("STUCK", f"TRANSFER_FAILED:DESTINATION [112] {REFUSED}"),
        "storage-unreachable site XRD2",
    ),
    (
        "source down, Rucio tries again",
        facts(
            "REPLICATING",
            requests=(TRIED,),
            attempts=(request("FAILED", error=f"SOURCE [112] {REFUSED}"),),
        ),
        "storage-unreachable site XRD1",
    ),
    (
        "file missing",
        facts("STUCK", "TRANSFER_FAILED:SOURCE [2] Result HTTP 404 : File not found"),
        "file-missing site XRD1",
    ),
    (
        "checksum",
        facts("STUCK", "TRANSFER_FAILED:TRANSFER [5] SOURCE CHECKSUM MISMATCH (1 != 2)"),
        "checksum-mismatch site XRD1",
    ),
    (
        "source blocklisted",
        facts("STUCK", NO_SOURCES, candidates=source(readable=False)),
        "rse-blocked rucio",
    ),
    (
        "only replica bad",
        facts("STUCK", NO_SOURCES, candidates=source(ReplicaState.BAD)),
        "no-sources site XRD1",
    ),
    ("no replica at all", facts("STUCK", NO_SOURCES, candidates=()), "no-sources site XRD1"),
    (
        "no distance",
        facts("STUCK", NO_SOURCES, candidates=source(distance=None)),
        "no-distance rucio",
    ),
    (
        "no common scheme",
        facts("STUCK", "MISMATCH_SCHEME:RequestState.MISMATCH_SCHEME"),
        "no-common-protocol link XRD1->XRD2",
    ),
    (
        "a storage refuses, and the issuer gives no good tokens",
        facts(
            "STUCK",
            "TRANSFER_FAILED:DESTINATION [1] HTTP 403 : Permission refused",
            tokens=BAD_TOKENS,
        ),
        "token-lacks-rights identity",
    ),
    (
        "the transfer service refuses, and the issuer gives no good tokens",
        facts("STUCK", "SUBMISSION_FAILED:", tokens=BAD_TOKENS),
        "token-lacks-rights identity",
    ),
    (
        "no token has to do with a wrong checksum",
        facts(
            "STUCK",
            "TRANSFER_FAILED:TRANSFER [5] SOURCE CHECKSUM MISMATCH do not match",
            tokens=BAD_TOKENS,
        ),
        "checksum-mismatch site XRD1",
    ),
    ("FTS down", facts("STUCK", "SUBMISSION_FAILED:"), "submission-failed fts"),
    (
        "FTS down, Rucio tries again",
        facts("REPLICATING", requests=(TRIED,), attempts=(request("SUBMISSION_FAILED"),)),
        "submission-failed fts",
    ),
    (
        "FTS silent",
        facts("REPLICATING", requests=(SUBMITTED,), job=Job(url=URL, silence=DEAD)),
        "transfer-service-unreachable fts",
    ),
    (
        "FTS lost the job",
        facts("REPLICATING", requests=(SUBMITTED,), job=at_fts()),
        "job-lost fts",
    ),
    (
        "FTS lost the job, Rucio tries again",
        facts("REPLICATING", requests=(TRIED,), attempts=(request("LOST", transfer_id="j1"),)),
        "job-lost fts",
    ),
    ("submitter", facts("REPLICATING", requests=(ASLEEP,)), "not-submitted rucio"),
    (
        "destination blocked after creation",
        facts("REPLICATING", requests=(ASLEEP,), destination=RSE(name="XRD2", writable=False)),
        "rse-blocked rucio",
    ),
    (
        "poller",
        facts("REPLICATING", requests=(SUBMITTED,), job=at_fts("FINISHED")),
        "not-polled rucio",
    ),
    ("finisher", facts("REPLICATING", requests=(request("DONE"),)), "not-finished rucio"),
    (
        "slow link",
        facts("REPLICATING", requests=(SUBMITTED,), job=at_fts("ACTIVE")),
        "transfer-slow link XRD1->XRD2",
    ),
    (
        "queue of FTS",
        facts("REPLICATING", requests=(SUBMITTED,), job=at_fts("SUBMITTED")),
        "transfer-queued fts",
    ),
    ("evaluator, no request", facts("REPLICATING"), "no-request rucio"),
    ("evaluator, no lock", facts("OK", rule={"locks_ok": 0}), "locks-missing rucio"),
    ("injector", facts("INJECT"), "rule-not-injected rucio"),
    (
        "cleaner",
        facts("REPLICATING", rule={"expires_at": NOW - timedelta(minutes=5)}),
        "rule-not-removed rucio",
    ),
    (
        "reaper",
        facts(
            "GONE",
            arrived=(Replica(name="f", rse="XRD2", state=ReplicaState.AVAILABLE),),
        ),
        "replica-not-deleted rucio",
    ),
    ("quota", facts("REPLICATING", usage=Usage(used=5, left=0)), "quota-exceeded rucio"),
    ("throttler", facts("REPLICATING", requests=(request("WAITING"),)), "not-submitted rucio"),
    ("suspended", facts("SUSPENDED"), "rule-suspended rucio"),
    ("approval", facts("WAITING_APPROVAL"), "approval-needed rucio"),
    ("gone", facts("GONE"), "rule-gone rucio"),
]


@pytest.mark.parametrize(
    ("known", "expected"),
    [situation[1:] for situation in SITUATIONS],
    ids=[situation[0] for situation in SITUATIONS],
)
def test_each_situation_is_told_from_all_others(known: Facts, expected: str) -> None:
    found = explain(known)
    assert f"{found.trouble.code} {found.trouble.blame}" == expected


@pytest.mark.parametrize(
    ("situation", "daemon"),
    [
        ("submitter", "conveyor-submitter"),
        ("poller", "conveyor-poller"),
        ("finisher", "conveyor-finisher"),
        ("evaluator, no request", "judge-evaluator"),
        ("evaluator, no lock", "judge-evaluator"),
        ("injector", "judge-injector"),
        ("cleaner", "judge-cleaner"),
        ("reaper", "reaper"),
        ("throttler", "conveyor-throttler"),
    ],
)
def test_the_daemon_that_should_have_acted_is_named(situation: str, daemon: str) -> None:
    known = next(known for name, known, _ in SITUATIONS if name == situation)
    assert explain(known).daemon == daemon
    assert daemon in explain(known).trouble.message


def test_an_error_from_before_a_repair_is_not_the_reason_now() -> None:
    old = f"TRANSFER_FAILED:SOURCE [112] {REFUSED}"
    known = facts("REPLICATING", old, requests=(SUBMITTED,), job=at_fts("FINISHED"))
    assert explain(known).trouble.code == "not-polled"


def test_the_evidence_is_a_sentence_and_a_short_table() -> None:
    beats = (Heartbeat(daemon="conveyor-poller", seen_at=NOW - timedelta(seconds=43)),)
    known = facts(
        "REPLICATING",
        requests=(SUBMITTED,),
        job=at_fts("FINISHED"),
        heartbeats=beats,
        unanswered=("usage of XRD2 (rucio-refused)",),
    )
    told: Any = evidence_of(known, explain(known))
    assert told["sentence"].endswith("rucio must act")
    assert told["who"] == "rucio"
    assert told["facts"] == {
        "rule": "r1 REPLICATING, locks 0 ok, 1 replicating, 0 stuck of 1",
        "requests": "1 SUBMITTED attempt 1 from XRD1",
        "transfer job": f"{URL}: FINISHED",
        "sources": "XRD1 AVAILABLE (readable, distance 1)",
        "destination": "XRD2 not blocked",
        "daemon": "conveyor-poller, seen alive last 43 s ago (11:59:17 UTC)",
        "not answered": "usage of XRD2 (rucio-refused)",
    }


def test_the_evidence_has_a_bounded_size() -> None:
    endless = facts("STUCK", f"TRANSFER_FAILED:SOURCE [5] {'x' * 10_000}", candidates=source() * 10)
    assert len(str(evidence_of(endless, explain(endless)))) < 4000
