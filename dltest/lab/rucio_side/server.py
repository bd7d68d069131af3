"""Settings of gunicorn for Rucio's REST server (a gunicorn configuration file).

Rucio is imported once and forked, which saves memory and start-up time; Rucio opens database
connections while it is imported, so each worker starts with a fresh pool of its own.
"""

from typing import Any

preload_app = True
worker_class = "gthread"
graceful_timeout = 2
timeout = 120
keepalive = 30
errorlog = "-"


def post_fork(server: Any, worker: Any) -> None:  # noqa: ARG001 - gunicorn's signature
    from rucio.db.sqla import session  # noqa: PLC0415 - only once the application is loaded

    if session._ENGINE is not None:  # noqa: SLF001 - Rucio has no public way
        session._ENGINE.dispose(close=False)  # noqa: SLF001
