"""The Celery application: where messages go, and what happens to one whose worker dies.

Messages carry wake-ups and ids, never state: one that is lost, late or delivered twice does no
harm, and `tick` sends what is missing. Tasks take seconds; Redis gives a message that is not
acknowledged within the visibility timeout to another worker, so none may take longer than that.
"""

from collections.abc import Iterable

from celery import Celery
from kombu import Queue

from dltest.settings import TRANSFER

CONTROL = "control"

TICK = "dltest.tick"
ADVANCE = "dltest.advance"
ADMIT = "dltest.admit"
SLOT = "dltest.slot"
MOVE = "dltest.move"
SWEEP = "dltest.sweep"
PRUNE = "dltest.prune"
INVENTORY = "dltest.inventory"
POLL = "dltest.poll"

VISIBILITY_SECONDS = 600
# Whatever is further away is left to `tick`, which reads it from the rows.
LONGEST_COUNTDOWN_SECONDS = 60
SHUTDOWN_SECONDS = 30

app = Celery("dltest")
app.conf.update(
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_create_missing_queues=False,
    task_default_queue=CONTROL,
    task_queues=[Queue(CONTROL), Queue(TRANSFER)],
    task_routes={MOVE: {"queue": TRANSFER}},
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_soft_shutdown_timeout=SHUTDOWN_SECONDS,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "visibility_timeout": VISIBILITY_SECONDS,
        # redis-py's own default of 5 s is shorter than a blocking read may take.
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
    },
    # A shell at the broker would let anybody who reaches it command the workers.
    worker_enable_remote_control=False,
    enable_utc=True,
    timezone="UTC",
    imports=["dltest.worker.tasks"],
)


def connect(broker_url: str, queues: Iterable[str] = ()) -> Celery:
    """The application with its broker, and sites' queues beside its own; sends nothing yet."""
    app.conf.update(broker_url=broker_url)
    for name in queues:
        app.amqp.queues.add(Queue(name))
    return app
