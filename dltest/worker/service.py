"""Starts the service's processes: workers on threads, and beat."""

import logging
import os
import socket
import sys
import warnings
from collections.abc import Sequence

from celery.exceptions import SecurityWarning
from celery.signals import worker_shutting_down

from dltest.worker.app import CONTROL, TICK, app, connect
from dltest.worker.dispatch import send_chore
from dltest.worker.station import PARALLEL_MOVES, Station, occupy

CONTROL_THREADS = 8

# Ticks may wait behind busy threads; those that meet there become one (`tasks.tick`).
TICK_EXPIRES_SECONDS = 60

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
NOISY = ("celery.app.trace", "celery.worker.strategy", "kombu", "urllib3", "rucio")


def work(station: Station, queues: Sequence[str], threads: int | None = None) -> int:
    """Take tasks until SIGTERM; running steps end, running movers give their jobs back.

    Threads, not processes: what a task waits for is the lake, and bytes move in processes of
    their own. Gives the exit code.
    """
    _log()
    occupy(station)
    if CONTROL in queues:
        station.open_house()
    connect(
        station.settings.broker_url(station.lake_settings),
        station.lake_settings.transfer_queues(),
    )
    worker_shutting_down.connect(lambda **_: station.ending.set(), weak=False)
    worker = app.Worker(
        hostname=f"{'-'.join(queues)}-{os.getpid()}@{socket.gethostname()}",
        pool="threads",
        concurrency=threads or _threads(queues),
        queues=list(queues),
        loglevel="INFO",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def _threads(queues: Sequence[str]) -> int:
    """A process decides so much and moves so much, from however many queues."""
    moves = any(queue != CONTROL for queue in queues)
    return (CONTROL_THREADS if CONTROL in queues else 0) + (PARALLEL_MOVES if moves else 0)


def beat(station: Station) -> None:
    """Wake the scheduler every few seconds. Two of them do no harm."""
    _log()
    connect(station.settings.broker_url(station.lake_settings))
    every = station.settings.tick_seconds
    app.conf.beat_schedule = {
        "tick": {"task": TICK, "schedule": every, "options": {"expires": TICK_EXPIRES_SECONDS}}
    }
    send_chore(TICK, TICK_EXPIRES_SECONDS)
    # Celery's default scheduler remembers the last tick in a file; this one has nothing to lose.
    app.Beat(scheduler_cls="celery.beat:Scheduler", loglevel="INFO", quiet=True).run()


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Only JSON is accepted, which is what the warning about root is for.
    warnings.simplefilter("ignore", SecurityWarning)
