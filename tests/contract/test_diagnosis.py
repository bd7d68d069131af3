"""Questions about one transfer: what every catalogue answers."""

from datetime import UTC, datetime, timedelta

from trial import LIFETIME, Trial, until

from dltest.lake.ports import Operation, ReplicaState, RuleState


def test_what_is_forbidden_at_an_rse_is_seen_and_allowed_again(trial: Trial) -> None:
    catalogue, rse = trial.ports.catalogue, trial.destination
    assert catalogue.rse(rse).attributes["dltest-faults"] == "True"
    assert (catalogue.rse(rse).readable, catalogue.rse(rse).writable) == (True, True)
    try:
        catalogue.allow(rse, Operation.WRITE, allowed=False)
        assert (catalogue.rse(rse).readable, catalogue.rse(rse).writable) == (True, False)
    finally:
        catalogue.allow(rse, Operation.WRITE, allowed=True)
    assert catalogue.rse(rse).writable


def test_it_is_known_where_a_file_is_and_how_far_from_here(trial: Trial) -> None:
    (name, *_) = trial.names()
    assert trial.ports.catalogue.places(name) == []
    trial.upload(1)
    (place,) = trial.ports.catalogue.places(name)
    assert (place.rse, place.state) == (trial.source, ReplicaState.AVAILABLE)
    assert trial.ports.catalogue.distance(trial.source, trial.destination) == 1


def test_daemons_that_live_were_seen_lately(trial: Trial) -> None:
    now = trial.simulated.clock.now() if trial.simulated else datetime.now(UTC)
    seen = {beat.daemon: beat.seen_at for beat in trial.ports.catalogue.heartbeats()}
    for daemon in ("conveyor-submitter", "conveyor-poller", "conveyor-finisher", "reaper"):
        assert abs(now - seen[daemon]) < timedelta(minutes=1)


def test_our_own_quota_is_known(trial: Trial) -> None:
    assert (trial.ports.catalogue.usage(trial.source).left or 0) > 10**9


def test_what_was_tried_in_vain_is_known_and_can_be_hurried_on(trial: Trial) -> None:
    """Left alone, Rucio looks at a stuck rule again after half an hour, and this test fails."""
    catalogue, faults = trial.ports.catalogue, trial.ports.faults
    assert faults is not None
    down = ("storage-down", trial.source, trial.run)
    names = [fact.name for fact in trial.upload(1)]
    until(lambda: faults.break_(*down), bool)
    try:
        rule = catalogue.add_rule(
            trial.dataset,
            trial.destination,
            tag=f"{trial.dataset}.0",
            lifetime=LIFETIME,
            source=trial.source,
        )
        assert (catalogue.tries(rule), catalogue.ended_attempts(names, trial.destination)) == (
            0,
            [],
        )
        until(lambda: catalogue.rule(rule).state, lambda state: state is RuleState.STUCK)
        assert catalogue.tries(rule) > 0
        (attempt, *_) = catalogue.ended_attempts(names, trial.destination)
        assert attempt.error
    finally:
        until(lambda: faults.heal(*down), bool)
    catalogue.boost(rule)
    until(lambda: catalogue.rule(rule).locks_ok, lambda ok: ok == 1)
