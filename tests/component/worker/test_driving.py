"""Runs are driven by messages that may be doubled, delayed, lost, or die with their worker."""

import signal
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from dltest.errors import StoreError
from dltest.model import Watch, WatchKind
from dltest.worker.app import CONTROL, app
from dltest.worker.dispatch import backlog, ping, send_admit, send_advance, wake

STEPS = 5


def test_a_run_is_driven_to_its_end_by_its_own_messages(service) -> None:
    service.plan("r1")
    service.start("control")
    wake(service.broker, ["r1"])
    service.await_(lambda: service.has_ended("r1"), "the run ends")
    assert [what for _, _, what in service.takes()] == [f"took-{n}" for n in range(STEPS)]


def test_two_workers_and_doubled_messages_take_each_step_once(service) -> None:
    ids = [f"r{n}" for n in range(6)]
    service.plan(*ids)
    wake(service.broker, ids * 8)
    service.start("control")
    service.start("control")
    service.await_(lambda: service.has_ended(*ids), "all runs end")
    steps = Counter((run_id, what) for _, run_id, what in service.takes() if what != "passed-by")
    assert steps == {(run_id, f"took-{n}"): 1 for run_id in ids for n in range(STEPS)}
    assert {run.version for run in service.store.runs_of("c1")} == {STEPS}
    service.await_(lambda: backlog(CONTROL) == 0, "no message is left")


def test_beat_finds_what_nobody_sent(service) -> None:
    service.plan("r1")
    service.start("control")
    service.start("beat")
    service.await_(lambda: service.has_ended("r1"), "the run ends")
    last = service.store.last_tick()
    assert last is not None
    assert datetime.now(UTC) - last < timedelta(seconds=30)


def test_a_killed_workers_run_goes_on_in_another(service) -> None:
    """Nothing redelivers here for ten minutes; the tick alone finds the run."""
    service.plan("r1")
    service.close_gate()
    victim = service.start("control")
    wake(service.broker, ["r1"])
    service.await_(service.holder, "the worker holds the run")
    victim.send_signal(signal.SIGKILL)
    victim.wait(10)
    service.open_gate()
    service.start("control")
    service.start("beat")
    service.await_(lambda: service.has_ended("r1"), "the run ends")
    takes = service.takes()
    assert takes[0] == (str(victim.pid), "r1", "took-0")
    # The step that was broken off is taken again, and no other.
    assert [what for _, _, what in takes[1:] if what != "passed-by"] == [
        f"took-{n}" for n in range(STEPS)
    ]


def test_a_message_whose_worker_was_killed_is_delivered_again(service) -> None:
    """Without beat: Redis gives the message to the other worker."""
    service.plan("r1")
    service.close_gate()
    victim = service.start("control", visibility_seconds=2)
    wake(service.broker, ["r1"])
    service.await_(service.holder, "the worker holds the run")
    victim.send_signal(signal.SIGKILL)
    victim.wait(10)
    service.open_gate()
    service.start("control", visibility_seconds=2)
    service.await_(lambda: service.has_ended("r1"), "the run ends")


def test_a_message_redelivered_while_its_step_lasts_does_no_harm(service) -> None:
    service.plan("r1")
    service.close_gate()
    for _ in range(2):
        service.start("control", visibility_seconds=1)
    wake(service.broker, ["r1"])
    service.await_(service.holder, "a worker holds the run")
    service.await_(
        lambda: any(what == "passed-by" for _, _, what in service.takes()),
        "the message comes a second time",
    )
    service.open_gate()
    service.await_(lambda: service.has_ended("r1"), "the run ends")
    run = service.store.run("r1")
    assert run is not None
    assert run.version == STEPS


def test_a_worker_told_to_stop_finishes_its_step(service) -> None:
    service.plan("r1")
    service.close_gate()
    worker = service.start("control")
    send_admit()  # one message alone, so that no other takes the next step
    service.await_(service.holder, "the worker holds the run")
    worker.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(0.5)
    service.open_gate()
    assert worker.wait(15) == 0
    run = service.store.run("r1")
    assert run is not None
    assert run.step_index == 1


def test_a_run_that_is_not_due_is_left_alone(service) -> None:
    service.plan("r1", "r2")
    with service.store.claim("r1") as claim:
        later = datetime.now(UTC) + timedelta(hours=1)
        claim.save(claim.run.model_copy(update={"wake_at": later}))
    service.start("control")
    wake(service.broker, ["r1", "r2"])
    service.await_(lambda: service.has_ended("r2"), "the other run ends")
    assert {run_id for _, run_id, _ in service.takes()} == {"r2"}


def test_a_broker_that_answers_is_named(service) -> None:
    assert service.broker.removeprefix("redis://") in ping(service.broker)
    assert send_advance("r1")
    assert backlog(CONTROL) == 1


def test_a_connection_that_the_brokers_death_left_in_the_pool_is_begun_anew(broker: str) -> None:
    """As kombu leaves it: a channel that is thought open, of a connection that is gone."""
    assert send_advance("r1")
    with app.producer_or_acquire() as producer:
        channel = producer.__connection__.default_channel
    channel.connection = channel._pool = None
    assert send_advance("r1")
    assert backlog(CONTROL) == 2


def test_a_broker_that_is_away_is_named_without_its_password(broker: str) -> None:
    with pytest.raises(StoreError, match="does not answer") as caught:
        wake("redis://:h0le-secret@127.0.0.1:1/0", ["r1"])
    assert "h0le-secret" not in str(caught.value)
    with pytest.raises(StoreError, match="does not answer"):
        ping("redis://127.0.0.1:1/0")


def test_one_look_at_the_lake_wakes_every_run_for_which_something_changed(service) -> None:
    service.plan("r1", "r2", watch=Watch(kind=WatchKind.RULE, key="7", seen="REPLICATING "))
    service.start("control")
    service.start("control")
    service.start("beat")
    service.await_(lambda: service.has_ended("r1", "r2"), "both are woken")
    steps = Counter((run_id, what) for _, run_id, what in service.takes() if what != "passed-by")
    assert set(steps.values()) == {1}


def test_what_is_just_asked_for_goes_before_what_is_under_way(service) -> None:
    older = [f"old{n}" for n in range(20)]
    service.plan(*older, "new", admitted_at=datetime.now(UTC))
    for run_id in older:
        send_advance(run_id)
    wake(service.broker, ["new"])
    service.start("control")
    service.await_(lambda: service.has_ended("new"), "the run ends")
    assert [run_id for _, run_id, _ in service.takes()].index("new") < 9
