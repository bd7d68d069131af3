"""Sends messages. A broker that is out of reach delays a wake-up and loses nothing."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from kombu.exceptions import OperationalError

from dltest.errors import StoreError
from dltest.worker.app import ADMIT, ADVANCE, CONTROL, MOVE, SLOT, app, connect

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5
# `tick` sends both again.
ADMIT_EXPIRES_SECONDS = 60
SLOT_EXPIRES_SECONDS = 60
RETRY = {"max_retries": 1, "interval_start": 0.2}

# Redis gives out messages of the lowest number first: what somebody has just asked for begins
# before what is under way goes on.
JUST_ASKED, UNDER_WAY = 0, 6


def wake(broker_url: str, run_ids: Iterable[str]) -> None:
    """Have the service let runs begin that wait to, and look at these now.

    Raises:
        StoreError: the broker is out of reach. The runs stand in the store, and begin when the
            service can be reached again.
    """
    connect(broker_url)
    if not send_admit() or not all(send_advance(run_id, priority=JUST_ASKED) for run_id in run_ids):
        raise StoreError(
            f"the message broker {_where()} does not answer; the runs are written down and begin"
            " when the service is back"
        )


def send_advance(run_id: str, countdown_seconds: float = 0, *, priority: int = UNDER_WAY) -> bool:
    return _send(ADVANCE, run_id, CONTROL, countdown_seconds, priority=priority)


def send_admit(countdown_seconds: float = 0) -> bool:
    """Have a worker let runs begin that wait to."""
    return _send(
        ADMIT,
        None,
        CONTROL,
        countdown_seconds,
        ADMIT_EXPIRES_SECONDS,
        priority=JUST_ASKED,
    )


def send_slot(scenario: str) -> bool:
    """Have a worker settle the scenario's slot that has come."""
    return _send(SLOT, scenario, CONTROL, expires_seconds=SLOT_EXPIRES_SECONDS)


def send_move(job_id: str, queue: str, countdown_seconds: float = 0) -> bool:
    """`queue` is that of the job's RSE: `LakeSettings.queue_of`."""
    return _send(MOVE, job_id, queue, countdown_seconds)


def send_chore(task: str, expires_seconds: float, countdown_seconds: float = 0) -> bool:
    """A task of the service's own; pointless once the next one is due."""
    return _send(task, None, CONTROL, countdown_seconds, expires_seconds)


def ping(broker_url: str) -> str:
    """The broker's URL as it may be shown, once it has answered.

    Raises:
        StoreError: it does not.
    """
    connect(broker_url)
    backlog(CONTROL)
    return _where()


def backlog(queue: str) -> int:
    """How many messages wait for a worker.

    Raises:
        StoreError: the broker is out of reach.
    """
    try:
        with app.connection_for_read() as connection:
            connection.ensure_connection(max_retries=1, timeout=CONNECT_SECONDS)
            channel: Any = connection.default_channel
            return int(channel.queue_declare(queue, passive=False).message_count)
    except OperationalError as error:
        raise StoreError(f"the message broker {_where()} does not answer: {error}") from None


def _where() -> str:
    return str(app.connection_for_read().as_uri())  # without its password


def _send(
    task: str,
    argument: str | None,
    queue: str,
    countdown_seconds: float = 0,
    expires_seconds: float | None = None,
    *,
    priority: int = UNDER_WAY,
) -> bool:
    message = {
        "args": () if argument is None else (argument,),
        "queue": queue,
        "countdown": countdown_seconds or None,
        "expires": expires_seconds,
        "priority": priority,
    }
    try:
        try:
            _publish(task, message)
        except AttributeError:
            # What kombu says of a channel whose connection is gone; it has a new one now.
            _publish(task, message)
    except (OperationalError, AttributeError) as error:
        log.warning("cannot send %s %s: %s", task, argument or "", error)
        return False
    return True


def _publish(task: str, message: dict[str, Any]) -> None:
    with _producer() as producer:
        app.send_task(task, retry_policy=RETRY, ignore_result=True, producer=producer, **message)


@contextmanager
def _producer() -> Iterator[Any]:
    """One of the pool, whose connection begins anew after anything went wrong with it.

    kombu gives a connection that broke back to its pool with a channel that is dead for good.
    """
    with app.producer_or_acquire() as producer:
        try:
            yield producer
        except Exception:
            producer.__connection__.collect()
            raise
