"""The part of the catalogue port that is about bad replicas."""

from datetime import UTC, datetime, timedelta

import pytest
from trial import LIFETIME, Trial, until

from dltest.errors import CatalogueError
from dltest.lake.ports import BadState, JobKind, ReplicaState, RuleState

REASON = "a contract test"


def now(trial: Trial) -> datetime:
    """A little early: the lake's clock may not be ours."""
    lake = trial.simulated
    return (lake.clock.now() if lake else datetime.now(UTC)) - timedelta(seconds=5)


def listed(trial: Trial, rse: str, since: datetime) -> list[BadState]:
    lines = trial.ports.catalogue.bad_replicas(trial.names(), rse, since)
    return [line.state for line in lines]


def replicated(trial: Trial) -> None:
    """The run's files at both ends, kept there by rules."""
    catalogue = trial.ports.catalogue
    trial.upload()
    for rse in (trial.source, trial.destination):
        rule = catalogue.add_rule(
            trial.dataset, rse, tag=f"{trial.dataset}.{rse}", lifetime=LIFETIME
        )
        until(lambda rule=rule: catalogue.rule(rule).state, lambda s: s is RuleState.OK)


def test_a_bad_replica_is_recovered_from_the_good_one(trial: Trial) -> None:
    since = now(trial)
    replicated(trial)
    catalogue, [name, *_] = trial.ports.catalogue, trial.names()
    trial.do(JobKind.UNLINK, trial.refs(trial.source)[:1])
    for _ in range(2):  # the second time, it is declared already
        catalogue.declare_bad(trial.source, [name], REASON)
    assert len(listed(trial, trial.source, since)) == 1
    until(lambda: listed(trial, trial.source, since), lambda s: s == [BadState.RECOVERED])
    replicas = catalogue.replicas(trial.names(), trial.source)
    assert {replica.state for replica in replicas} == {ReplicaState.AVAILABLE}
    assert {o.code for o in trial.do(JobKind.READ, trial.refs(trial.source)).outcomes} == {None}
    assert listed(trial, trial.destination, since) == []


def test_a_lost_file_leaves_its_dataset_and_is_remembered_as_lost(trial: Trial) -> None:
    since = now(trial)
    trial.upload()
    catalogue, [name, *others] = trial.ports.catalogue, trial.names()
    assert catalogue.dataset_files(trial.dataset) == trial.names()
    catalogue.add_rule(trial.dataset, trial.source, tag=f"{trial.dataset}.1", lifetime=LIFETIME)
    catalogue.declare_bad(trial.source, [name], REASON)
    until(lambda: listed(trial, trial.source, since), lambda s: s == [BadState.LOST])
    assert catalogue.dataset_files(trial.dataset) == others
    assert catalogue.dids(trial.dataset) == [trial.dataset, *others]


def test_suspicion_changes_no_state_and_counts(trial: Trial) -> None:
    since = now(trial)
    trial.upload()
    catalogue, [name, *_] = trial.ports.catalogue, trial.names()
    catalogue.declare_suspicious(trial.source, [name], REASON)
    assert listed(trial, trial.source, since) == [BadState.SUSPICIOUS]
    [replica, *_] = catalogue.replicas([name], trial.source)
    assert replica.state is ReplicaState.AVAILABLE


def test_what_rucio_does_not_know_cannot_be_bad(trial: Trial) -> None:
    with pytest.raises(CatalogueError) as refused:
        trial.ports.catalogue.declare_bad(trial.source, [f"{trial.dataset}.none"], REASON)
    assert refused.value.code == "rucio-refused"


def test_a_dataset_that_is_not_there_has_no_files(trial: Trial) -> None:
    assert trial.ports.catalogue.dataset_files(f"{trial.dataset}.none") == []
