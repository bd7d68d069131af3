"""The one process that bears and ends the copying processes.

It is forked from the service before anything big is imported and before any thread runs; it
imports gfal2 once, so that a copying process is there in milliseconds and shares its memory.
Being their parent it also ends them: a pid it has not yet reaped cannot be another process.

Nothing outlives the service: the nursery dies with it, the copying processes with the nursery
(PR_SET_PDEATHSIG), also when the service is killed with SIGKILL.
"""

import ctypes
import json
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1
_REAP_SECONDS = 0.5
_ANSWER_SECONDS = 10.0


class NurseryLostError(RuntimeError):
    """The nursery died; no copy can run any more and the service has to be started again."""


class Nursery:
    """The service's handle on it."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid = pid
        self._channel = channel

    @classmethod
    def start(cls) -> "Nursery":
        """Fork the nursery; to be called from the main thread while there is no other."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            ours.close()
            _die_with(parent)
            _run_nursery(theirs)
        theirs.close()
        ours.settimeout(_ANSWER_SECONDS)
        return cls(pid, ours)

    def bear(self, settings: dict[str, Any]) -> tuple[int, socket.socket]:
        """A new copying process: its pid and our end of its pipe."""
        ours, theirs = socket.socketpair()
        message = json.dumps({"bear": settings}).encode()
        try:
            socket.send_fds(self._channel, [message], [theirs.fileno()])
            answer = self._channel.recv(4096)
        except OSError as error:
            raise NurseryLostError(str(error)) from error
        finally:
            theirs.close()
        if not answer:
            raise NurseryLostError("it closed its channel")
        return int(json.loads(answer)["pid"]), ours

    def end(self, pid: int) -> None:
        with suppress(OSError):  # the nursery is gone, and its children with it
            self._channel.send(json.dumps({"end": pid}).encode())

    def close(self) -> None:
        """End it and all it bore."""
        self._channel.close()
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _die_with(parent: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        os._exit(0)


def _run_nursery(channel: socket.socket) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal group
    from dltest.lab.transfer_service import copying  # noqa: PLC0415, F401 - warm, here only

    children: set[int] = set()
    while True:
        readable, _, _ = select.select([channel], [], [], _REAP_SECONDS)
        if readable and not _obey(channel, children):
            break
        _reap(children)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    os._exit(0)


def _obey(channel: socket.socket, children: set[int]) -> bool:
    message, descriptors, _, _ = socket.recv_fds(channel, 65536, 1)
    if not message:
        return False
    order = json.loads(message)
    if "end" in order and order["end"] in children:
        os.kill(order["end"], signal.SIGKILL)
    if "bear" in order:
        pid = _bear(channel, descriptors[0], order["bear"])
        children.add(pid)
        os.close(descriptors[0])
        channel.send(json.dumps({"pid": pid}).encode())
    return True


def _bear(channel: socket.socket, descriptor: int, settings: dict[str, Any]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        _die_with(parent)
        channel.close()
        from dltest.lab.transfer_service.copying import serve_copies  # noqa: PLC0415 - see above

        serve_copies(socket.socket(fileno=descriptor), settings)
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


def _reap(children: set[int]) -> None:
    for pid in tuple(children):
        if os.waitpid(pid, os.WNOHANG)[0]:
            children.discard(pid)
