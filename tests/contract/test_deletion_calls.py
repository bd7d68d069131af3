"""What every adapter promises of letting data go, and of keeping it."""

from datetime import UTC, datetime, timedelta

import pytest
from trial import LIFETIME, Trial, until

from dltest.errors import CatalogueError
from dltest.lake.ports import JobKind, ReplicaState, Rule, RuleState

NO_RULE = "0" * 32
AT_ONCE = timedelta(0)


def rule_for(trial: Trial, did: str, tag: str) -> str:
    """A rule at the source that is OK."""
    rule_id = trial.ports.catalogue.add_rule(
        did, trial.source, tag=f"{trial.dataset}.{tag}", lifetime=timedelta(hours=6)
    )
    until(lambda: trial.ports.catalogue.rule(rule_id), lambda rule: rule.state is RuleState.OK)
    return rule_id


def is_gone(rule: Rule) -> bool:
    return rule.state is RuleState.GONE


def states(trial: Trial) -> list[ReplicaState]:
    return [
        replica.state for replica in trial.ports.catalogue.replicas(trial.names(), trial.source)
    ]


def are_there(trial: Trial) -> list[bool | None]:
    return [one.present for one in trial.do(JobKind.STAT, trial.refs(trial.source)).outcomes]


def test_a_rule_tells_its_did_and_place(trial: Trial) -> None:
    trial.upload()
    rule = trial.ports.catalogue.rule(rule_for(trial, trial.dataset, "1"))
    assert (rule.did, rule.rse) == (trial.dataset, trial.source)


def test_a_rule_whose_lifetime_ends_takes_its_replicas_along(trial: Trial) -> None:
    trial.upload()
    catalogue = trial.ports.catalogue
    rule_id = rule_for(trial, trial.dataset, "1")
    catalogue.set_rule_lifetime(rule_id, AT_ONCE, purge=True)
    catalogue.set_rule_lifetime(rule_id, AT_ONCE, purge=True)
    until(lambda: catalogue.rule(rule_id), is_gone)
    until(lambda: set(states(trial)), lambda seen: seen == {ReplicaState.MISSING})
    assert are_there(trial) == [False] * 3
    catalogue.set_rule_lifetime(rule_id, AT_ONCE, purge=True)
    catalogue.set_rule_lifetime(NO_RULE, AT_ONCE, purge=True)


def test_a_deleted_rule_ends_in_one_hour_however_often_it_is_deleted(trial: Trial) -> None:
    trial.upload()
    catalogue = trial.ports.catalogue
    rule_id = rule_for(trial, trial.dataset, "1")
    catalogue.delete_rule(rule_id)
    catalogue.delete_rule(rule_id)

    now = trial.simulated.clock.now() if trial.simulated else datetime.now(UTC)
    earliest, latest = now + timedelta(minutes=57), now + timedelta(minutes=61)
    until(lambda: catalogue.rule(rule_id).expires_at or now, lambda at: earliest < at < latest)
    catalogue.delete_rule(NO_RULE)


def test_a_locked_rule_is_not_deleted_and_keeps_its_dataset(trial: Trial) -> None:
    trial.upload()
    catalogue = trial.ports.catalogue
    rule_id = rule_for(trial, trial.dataset, "1")
    catalogue.lock_rule(rule_id, locked=True)
    with pytest.raises(CatalogueError) as refused:
        catalogue.delete_rule(rule_id)
    assert refused.value.code == "rule-locked"
    assert refused.value.answered
    catalogue.set_rule_lifetime(rule_id, AT_ONCE, purge=True)
    # That nothing happens is for the scenario `locked-rule` to wait for; here, the unlocking.
    assert states(trial) == [ReplicaState.AVAILABLE] * 3
    catalogue.lock_rule(rule_id, locked=False)
    until(lambda: catalogue.rule(rule_id), is_gone)


def test_a_locked_rule_can_be_ended(trial: Trial) -> None:
    trial.upload()
    rule_id = rule_for(trial, trial.dataset, "1")
    trial.ports.catalogue.lock_rule(rule_id, locked=True)
    trial.ports.catalogue.end_rule(rule_id)
    until(lambda: trial.ports.catalogue.rule(rule_id), is_gone)


def test_shared_files_stay_with_the_dataset_or_the_rule_that_is_left(trial: Trial) -> None:
    trial.upload()
    catalogue, names = trial.ports.catalogue, trial.names()
    first = rule_for(trial, trial.dataset, "1")
    second = f"{trial.dataset}.kept"
    for _ in range(2):
        catalogue.add_dataset(second, names[:1], LIFETIME)
    rule_for(trial, second, "2")
    own = rule_for(trial, names[1], "3")
    catalogue.expire(trial.dataset)
    until(lambda: catalogue.rule(first), is_gone)
    kept = [ReplicaState.AVAILABLE] * 2
    assert until(lambda: states(trial), lambda seen: seen[2] is ReplicaState.MISSING)[:2] == kept
    assert are_there(trial) == [True, True, False]
    catalogue.end_rule(own)
    catalogue.expire(second)
    until(lambda: catalogue.dids(trial.dataset), lambda left: left == [])


def test_dark_files_are_removed_and_known_ones_are_not(trial: Trial) -> None:
    """The first file is known, the others are dark."""
    facts = trial.upload(1)
    assert len(facts) == 1
    rule_for(trial, trial.dataset, "1")
    trial.do(JobKind.PUT, trial.refs(trial.source))
    for _ in range(2):
        trial.ports.catalogue.quarantine(trial.source, trial.names())
    until(lambda: are_there(trial), lambda there: there == [True, False, False], every=1)
