"""Runs that wait for something in the catalogue: found together, and woken once."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from dltest.model import Campaign, Run, Watch, WatchKind
from dltest.store import Store

RULE = Watch(kind=WatchKind.RULE, key="7", seen="REPLICATING ")
JOB = Watch(kind=WatchKind.JOB, key="r2.0.put")


def waiting(planned: Callable[..., Run], now: datetime, run_id: str, watch: Watch | None) -> Run:
    wake_at = now + timedelta(hours=1)
    return planned(run_id, watch=watch, admitted_at=now, wake_at=wake_at)


def test_only_what_the_catalogue_can_tell_is_looked_for(store, campaign: Campaign, planned, now):
    watches = {"r1": RULE, "r2": JOB, "r3": None}
    runs = [waiting(planned, now, run_id, watch) for run_id, watch in watches.items()]
    store.create_campaign(campaign, runs)
    assert store.watching("lab") == [("r1", RULE)]
    assert store.watching("elsewhere") == []


def test_a_woken_run_is_due_and_waits_for_nothing(store, campaign: Campaign, planned, now):
    runs = [waiting(planned, now, run_id, RULE) for run_id in ("r1", "r2", "r3")]
    store.create_campaign(campaign, runs)
    assert sorted(store.wake(["r1", "r3", "unknown"])) == ["r1", "r3"]
    assert store.wake(["r1"]) == [], "once"
    assert sorted(store.due(now)) == ["r1", "r3"]
    assert store.watching("lab") == [("r2", RULE)]
    assert store.run("r1").watch is None
    assert store.run("r2") == runs[1]


def test_a_run_that_is_held_is_passed_by_and_found_by_the_next_poll(
    postgresql_store: Store, campaign: Campaign, planned, now
):
    postgresql_store.create_campaign(campaign, [waiting(planned, now, "r1", RULE)])
    with postgresql_store.claim("r1"):
        assert postgresql_store.wake(["r1"]) == []
    assert postgresql_store.wake(["r1"]) == ["r1"]


def test_a_job_that_ends_while_its_run_is_about_to_wait_wakes_it(
    postgresql_store: Store, campaign: Campaign, planned, now
):
    """The mover may be quicker than the step that writes down that it waits."""
    postgresql_store.create_campaign(campaign, [planned("r2", admitted_at=now)])
    woken: list[bool] = []
    mover = threading.Thread(target=lambda: woken.append(postgresql_store.wake_for_job("r2")))
    with postgresql_store.claim("r2") as claim:
        mover.start()
        mover.join(0.3)
        assert woken == [], "it waits for the step to be written down"
        claim.save(waiting(planned, now, "r2", JOB))
    mover.join(20)
    assert woken == [True]
    assert postgresql_store.due(now) == ["r2"]
