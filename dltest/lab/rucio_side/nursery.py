"""Imports Rucio once, then forks one process a daemon on request.

Started with two arguments: the number of an open socket, and a JSON file with `modules` (to
import beforehand), `rounds` (folder) and `ready` (file to write when requests are taken).
A request is a JSON line {name, module, options, look_again_seconds, log}; the answer is a JSON
line {pid}. The daemons die with this process, and this process with the socket's other end.
"""

import contextlib
import ctypes
import functools
import gc
import importlib
import inspect
import json
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rucio.daemons.common as daemons_common
from rucio.core import heartbeat, topology
from rucio.core import request as request_core
from rucio.db.sqla import session as rucio_session
from sqlalchemy.orm import configure_mappers

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
LIBC = ctypes.CDLL(None)
Round = Callable[..., Any]


# One round of these takes 0.1 s and halves the memory that each daemon needs of its own.
WARM_UP = (
    "rucio.daemons.judge.evaluator",
    "rucio.daemons.judge.cleaner",
    "rucio.daemons.badreplicas.minos",
    "rucio.daemons.undertaker.undertaker",
)
# What the patches below ask of the process that they find themselves in.
ME: dict[str, Any] = {"name": "nursery", "look_again_seconds": 600}
BUSY_ROW_SECONDS = 1
TOPOLOGY_SECONDS = 2


class PatientQueue(queue.Queue[Any]):
    """A queue whose consumer waits for work instead of looking once a second.

    The producer waits in turn until its work is done, so that it never hands out the same
    request twice although it looks for it again soon.
    """

    def get_nowait(self) -> Any:
        return self.get(timeout=3600)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002 - the base class's signature
        super().put(item, block, timeout)
        self.join()


def patch_producers() -> None:
    """End a daemon whose producer has ended, as one does whose database went away.

    Its consumers would else wait in a `PatientQueue` for what never comes.
    """
    produce = daemons_common.ProducerConsumerDaemon._produce  # noqa: SLF001 - there is no other way

    @functools.wraps(produce)
    def produced(*args: Any, **options: Any) -> None:
        produce(*args, **options)
        os._exit(1)

    daemons_common.ProducerConsumerDaemon._produce = produced  # noqa: SLF001


def patch_rounds(rounds: Path) -> None:
    """Skip the wait for other workers, and note the end of every round in a file."""
    original = daemons_common.db_workqueue

    def without_wait(*args: Any, **options: Any) -> Round:
        if "partition_wait_time" in options:
            options["partition_wait_time"] = 0
        decorate = original(*args, **options)
        return lambda once: decorate(noting(once))

    def noting(once: Round) -> Round:
        @functools.wraps(once)
        def noted(*args: Any, **options: Any) -> Any:
            try:
                return once(*args, **options)
            finally:
                (rounds / ME["name"]).touch()

        return noted

    daemons_common.db_workqueue = without_wait


def patch_patience() -> None:
    """Look at a request again after seconds instead of ten minutes.

    A transfer that is still running when the poller first asks would else stay unknown to
    Rucio for ten minutes: production has many transfers and many pollers, a lab has neither.
    """
    for name in (
        "get_and_mark_next",
        "list_and_mark_transfer_requests_and_source_replicas",
    ):
        setattr(request_core, name, _impatient(getattr(request_core, name)))


def patch_topology() -> None:
    """Heed a change of an RSE's attributes after seconds instead of five minutes."""
    original = topology.ExpiringObjectCache.__init__

    def brief(self: Any, ttl: int, new_obj_fnc: Round) -> None:
        original(self, min(ttl, TOPOLOGY_SECONDS), new_obj_fnc)

    topology.ExpiringObjectCache.__init__ = brief


def _impatient(original: Round) -> Round:
    @functools.wraps(original)
    def marked(*args: Any, **options: Any) -> Any:
        options.setdefault("processed_at_delay", ME["look_again_seconds"])
        return original(*args, **options)

    return marked


def patch_pauses(module: Any) -> None:
    """Set what met a locked row aside for a second instead of up to 40 minutes.

    The judges and the undertaker draw the length of that pause with `randint`, and nothing else.
    """
    if hasattr(module, "randint"):
        module.randint = lambda _shortest, _longest: BUSY_ROW_SECONDS


def die_whole(raised: Any) -> None:
    """End the process with the thread, so that it is started again.

    A database that goes away ends the threads of some daemons, and leaves the process standing.
    """
    sys.excepthook(raised.exc_type, raised.exc_value, raised.exc_traceback)
    sys.stderr.flush()
    os._exit(1)


def become(request: dict[str, Any], listener: socket.socket) -> None:
    """Turn this fresh child into one daemon; never returns."""
    listener.close()
    os.setpgid(0, 0)
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    LIBC.prctl(PR_SET_NAME, request["name"].encode()[:15])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    ME["name"] = request["name"]
    ME["look_again_seconds"] = request["look_again_seconds"]
    # Rucio reads the component's name from the program's name.
    sys.argv = ["rucio-" + request["name"]]
    threading.excepthook = die_whole
    module = importlib.import_module(request["module"])
    patch_pauses(module)
    known = inspect.signature(module.run).parameters
    options = {key: value for key, value in request["options"].items() if key in known}
    module.run(once=False, **options)
    # Several daemons return from `run` while their threads go on.
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()


def forget_database() -> None:
    """Connections must not be shared over a fork."""
    if rucio_session._ENGINE is not None:  # noqa: SLF001 - Rucio has no public way
        rucio_session._ENGINE.dispose(close=False)  # noqa: SLF001


def warm_up() -> None:
    """Do once, before the fork, what every daemon would do for itself in memory of its own."""
    configure_mappers()
    heartbeat.sanity_check(executable="nursery", hostname="localhost")
    me = ("nursery", "localhost", os.getpid(), threading.current_thread())
    heartbeat.live(*me)
    heartbeat.die(*me)
    for module in WARM_UP:
        importlib.import_module(module).run(once=True)


def serve(listener: socket.socket) -> None:
    """Fork one daemon a line, until the other end goes away."""
    for line in listener.makefile("r"):
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                forget_database()
                become(request, listener)
                code = 0
            except BaseException:  # noqa: BLE001 - the last frame of a process
                sys.excepthook(*sys.exc_info())
            finally:
                with contextlib.suppress(OSError):
                    sys.stdout.flush()
                    sys.stderr.flush()
                os._exit(code)
        listener.sendall(json.dumps({"pid": pid}).encode() + b"\n")


def main() -> None:
    descriptor, plan_file = sys.argv[1:]
    plan = json.loads(Path(plan_file).read_text())
    patch_rounds(Path(plan["rounds"]))
    patch_patience()
    patch_topology()
    # Only the conveyor's producers and consumers use a queue of that module.
    daemons_common.queue.Queue = PatientQueue
    patch_producers()
    for module in plan["modules"]:
        importlib.import_module(module)
    warm_up()
    forget_database()
    # Keeps the collector of the children off what they share with us.
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    Path(plan["ready"]).write_text(str(os.getpid()))
    serve(socket.socket(fileno=int(descriptor)))


if __name__ == "__main__":
    main()
