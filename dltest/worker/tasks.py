"""The tasks: a few lines each, safe to run twice, at once, or never."""

import logging
from datetime import UTC, datetime, timedelta

from celery import Task

from dltest import engine
from dltest.errors import LakeError, StoreError
from dltest.store.marks import TICK as TICK_MARK
from dltest.worker.app import (
    ADMIT,
    ADVANCE,
    CONTROL,
    INVENTORY,
    LONGEST_COUNTDOWN_SECONDS,
    MOVE,
    POLL,
    PRUNE,
    SLOT,
    SWEEP,
    TICK,
    app,
)
from dltest.worker.dispatch import (
    backlog,
    send_advance,
    send_chore,
    send_move,
)
from dltest.worker.moving import carry_out
from dltest.worker.scheduling import let_begin, let_begin_soon, see_to_schedules, settle_slot
from dltest.worker.station import Station, current

log = logging.getLogger(__name__)

# Chores, and how often one of all workers does them.
CHORES = {
    INVENTORY: timedelta(minutes=5),
    SWEEP: timedelta(minutes=10),
    PRUNE: timedelta(days=1),
}
RETENTION = timedelta(days=90)

# A poll that takes longer than the first has died; one rests twice as long as it took.
POLL_LIMIT = timedelta(minutes=2)
POLL_SHARE = 2

# More messages than this in the queue say that workers are busy, not that they sleep.
FULL_QUEUE = 200
# A queued job that no worker took for this long may have lost its message.
MESSAGE_LOST_AFTER = timedelta(minutes=1)
# A wake-up that found the store away comes back; were it dropped, its run would wait for `tick`.
STORE_AWAY_SECONDS = 5
# Clocks of machines differ, and timers fire a little early.
TOLERANCE = timedelta(milliseconds=500)


@app.task(name=TICK)
def tick() -> None:
    """See to everything whose time has come."""
    station, now = current(), datetime.now(UTC)
    store, lake = station.store, station.lake_settings.name
    if not store.take_turn(
        f"{TICK_MARK} {lake}", now, timedelta(seconds=station.settings.tick_seconds / 2)
    ):
        return
    if backlog(CONTROL) < FULL_QUEUE:
        for run_id in store.due(now, FULL_QUEUE, lake):
            send_advance(run_id)
    for job_id, rse in store.stranded_moves(now, now - MESSAGE_LOST_AFTER, lake=lake):
        send_move(job_id, station.lake_settings.queue_of(rse))
    send_chore(POLL, station.settings.tick_seconds)
    for chore, every in CHORES.items():
        if store.take_turn(f"{chore} {lake}", now, every):
            send_chore(chore, every.total_seconds())
    see_to_schedules(station, now)


@app.task(name=POLL)
def poll() -> None:
    """Look at the lake once for all runs that wait, and come back.

    Each message sends the next. Of several chains one goes on, since only one gets the turn; a
    chain that broke is begun anew by the next tick.
    """
    station, now = current(), datetime.now(UTC)
    store, mark = station.store, f"{POLL} {station.lake_settings.name}"
    # The mark lies in the future: at the next turn, or where this one is given up.
    if not store.take_turn(mark, now + POLL_LIMIT, POLL_LIMIT):
        return
    try:
        for run_id in engine.poll(station.house):
            send_advance(run_id)
    except LakeError as error:
        log.warning("waiting runs could not be looked for: %s", error)
    ended = datetime.now(UTC)
    pause = max((ended - now) * POLL_SHARE, timedelta(seconds=station.settings.poll_seconds))
    store.book_turn(mark, ended + pause - TOLERANCE)
    send_chore(POLL, POLL_LIMIT.total_seconds(), pause.total_seconds())


@app.task(name=ADVANCE)
def advance(run_id: str) -> None:
    """Let the engine take the run as far as it goes, and come back when it wants.

    A run that is not due was advanced by another message, which will come back: so messages for
    one run become one again, however many there were.
    """
    station = current()
    try:
        again = _advanced(run_id, station)
    except StoreError as error:
        log.warning("run %s is tried again in %d s: %s", run_id, STORE_AWAY_SECONDS, error)
        send_advance(run_id, STORE_AWAY_SECONDS)
        return
    if again is None:
        let_begin_soon(station)  # it may have ended, and made room
        return
    seconds = (again - datetime.now(UTC)).total_seconds()
    if seconds <= LONGEST_COUNTDOWN_SECONDS:
        send_advance(run_id, max(seconds, 0))


def _advanced(run_id: str, station: Station) -> datetime | None:
    soon = datetime.now(UTC) + TOLERANCE
    if not station.store.is_due(run_id, soon, station.lake_settings.name):
        return None
    return engine.advance(run_id, station.house)


@app.task(name=ADMIT)
def admit() -> None:
    """Let runs begin that wait to, as far as there is room."""
    let_begin(current())


@app.task(name=SLOT)
def slot(scenario: str) -> None:
    """Open the campaign of the scenario's slot that has come."""
    station = current()
    if settle_slot(station, scenario, datetime.now(UTC)):
        let_begin(station)


@app.task(name=MOVE, bind=True)
def move(self: Task[[str], None], job_id: str) -> None:
    """Move the bytes of one storage job, unless this process moves enough already."""
    station, queue = current(), str((self.request.delivery_info or {}).get("routing_key"))
    if not station.moving.acquire(blocking=False):
        send_move(job_id, queue, countdown_seconds=1)
        return
    try:
        carry_out(job_id, station)
    except StoreError as error:
        log.warning("job %s is tried again in %d s: %s", job_id, STORE_AWAY_SECONDS, error)
        send_move(job_id, queue, STORE_AWAY_SECONDS)
    finally:
        station.moving.release()


@app.task(name=INVENTORY)
def inventory() -> None:
    """Remember the lake as it is now, for when it cannot be asked."""
    station = current()
    try:
        station.store.remember_lake(station.lake.catalogue.inventory())
    except LakeError as error:
        log.warning("the lake's inventory was not renewed: %s", error)


@app.task(name=SWEEP)
def sweep() -> None:
    """Send runs that left something behind back to their clean-up."""
    for run_id in engine.reopen_unclean(current().house):
        send_advance(run_id)


@app.task(name=PRUNE)
def prune() -> None:
    """Forget old runs; totals stay."""
    pruned = current().store.prune(datetime.now(UTC) - RETENTION)
    log.info("pruned %d runs older than %d days", pruned, RETENTION.days)
