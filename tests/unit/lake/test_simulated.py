"""Each ailment of the simulated lake shows where, and only where, a real one would."""

from datetime import timedelta

import pytest

from dltest.errors import CatalogueError
from dltest.lake.ports import (
    FileFacts,
    FileOutcome,
    FileRef,
    JobKind,
    JobState,
    JobStatus,
    ReplicaState,
    Rule,
    RuleState,
    StorageJob,
)
from dltest.lake.simulated import (
    REAPER_DOWN,
    RUCIO_DOWN,
    SUBMITTER_DOWN,
    TRANSFERS_DOWN,
    Ailment,
    ManualClock,
    SimulatedLake,
    silent_corruption,
    silent_truncation,
    storage_down,
    storage_hung,
)

LIFETIME = timedelta(hours=1)
NAME, DATASET = "dltest.x.000000", "dltest.x"
TURNS = 10


def ill(*ailments: Ailment) -> SimulatedLake:
    return SimulatedLake(("XRD1", "XRD2"), ailments=ailments)


def do(lake: SimulatedLake, kind: JobKind, rse: str) -> JobStatus:
    [url] = lake.catalogue.urls(rse, [NAME])
    file = FileRef(url=url, index=0, size_bytes=100)
    limit = timedelta(seconds=5)
    job = StorageJob(id=f"{kind}.{rse}", kind=kind, rse=rse, seed="x", files=(file,), limit=limit)
    lake.storage.start(job)
    assert lake.storage.look(job.id).state is JobState.RUNNING
    return lake.storage.look(job.id)


def outcome(lake: SimulatedLake, kind: JobKind, rse: str) -> FileOutcome:
    [only] = do(lake, kind, rse).outcomes
    return only


def replicate(lake: SimulatedLake) -> Rule:
    """Upload to XRD1, a rule for XRD2, and time for it to be carried out."""
    put = outcome(lake, JobKind.PUT, "XRD1")
    facts = FileFacts(name=NAME, size_bytes=100, adler32=str(put.adler32))
    lake.catalogue.register(DATASET, "XRD1", [facts], LIFETIME)
    rule_id = lake.catalogue.add_rule(DATASET, "XRD2", tag="t", lifetime=LIFETIME, source="XRD1")
    return [lake.catalogue.rule(rule_id) for _ in range(TURNS)][-1]


def test_a_healthy_lake_replicates_and_forgets() -> None:
    lake = ill()
    assert replicate(lake).state is RuleState.OK
    assert outcome(lake, JobKind.READ, "XRD2").code is None
    lake.catalogue.expire(DATASET)
    assert [lake.catalogue.dids("") for _ in range(TURNS)][-1] == []
    assert lake.litter() == []


def test_a_dead_storage_refuses_and_its_rule_says_which_end() -> None:
    destination = replicate(ill(storage_down("XRD2")))
    assert destination.state is RuleState.STUCK
    assert "DESTINATION [112]" in str(destination.error)
    lake = ill(storage_down("XRD1"))
    assert outcome(lake, JobKind.PUT, "XRD1").code == "storage-unreachable"
    assert outcome(lake, JobKind.PUT, "XRD2").code is None


def test_a_hung_storage_costs_the_whole_limit() -> None:
    status = do(ill(storage_hung("XRD1")), JobKind.PUT, "XRD1")
    assert (status.state, status.detail) == (JobState.LOST, "killed at its limit of 5 s")


@pytest.mark.parametrize(
    ("ailment", "code"),
    [
        (silent_truncation("XRD2"), "size-mismatch"),
        (silent_corruption("XRD2"), "checksum-mismatch"),
    ],
)
def test_silent_damage_shows_only_when_the_bytes_are_read(ailment: Ailment, code: str) -> None:
    lake = ill(ailment)
    assert replicate(lake).state is RuleState.OK
    [replica] = lake.catalogue.replicas([NAME], "XRD2")
    assert (replica.state, replica.size_bytes) == (ReplicaState.AVAILABLE, 100)
    assert outcome(lake, JobKind.READ, "XRD1").code is None
    assert outcome(lake, JobKind.READ, "XRD2").code == code


def test_a_rucio_that_is_down_answers_nothing_until_healed() -> None:
    lake = ill(RUCIO_DOWN)
    with pytest.raises(CatalogueError) as silent:
        lake.catalogue.ping()
    assert not silent.value.answered
    lake.heal(RUCIO_DOWN)
    assert lake.catalogue.ping()


def test_without_a_submitter_requests_wait_for_ever() -> None:
    lake = ill(SUBMITTER_DOWN)
    rule = replicate(lake)
    assert (rule.state, rule.error) == (RuleState.REPLICATING, None)
    [request] = lake.catalogue.requests([NAME], "XRD2")
    assert (request.state, request.transfer_id) == ("QUEUED", None)


def test_without_a_transfer_service_submission_fails() -> None:
    assert "SUBMISSION_FAILED" in str(replicate(ill(TRANSFERS_DOWN)).error)


def test_without_a_reaper_rules_go_and_replicas_stay() -> None:
    lake = ill(REAPER_DOWN)
    replicate(lake)
    lake.catalogue.expire(DATASET)
    assert [lake.catalogue.rules("") for _ in range(TURNS)][-1] == []
    [replica] = lake.catalogue.replicas([NAME], "XRD1")
    assert replica.state is ReplicaState.AVAILABLE
    lake.heal(REAPER_DOWN)
    assert [lake.catalogue.dids("") for _ in range(TURNS)][-1] == []


def test_a_crash_can_be_had_before_and_after_every_effect() -> None:
    class Crash(BaseException):
        """What no adapter may swallow."""

    def crash(what: str, when: str) -> None:
        if (what, when) == ("catalogue.add_rule", "after"):
            raise Crash

    lake = SimulatedLake(("XRD1", "XRD2"), on_call=crash)
    with pytest.raises(Crash):
        replicate(lake)
    assert [rule.tag for rule in lake.catalogue._world.rules.values()] == ["t"]


def test_a_restarted_process_has_lost_its_jobs() -> None:
    lake = ill()
    assert do(lake, JobKind.PUT, "XRD1").state is JobState.DONE
    lake.storage.forget()
    assert lake.storage.look("put.XRD1").state is JobState.LOST


def test_the_clock_moves_only_when_told() -> None:
    clock = ManualClock()
    began = clock.now()
    clock.move(timedelta(hours=1))
    assert clock.now() - began == timedelta(hours=1)
