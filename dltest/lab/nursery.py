"""Asks the process that has imported Rucio to fork its daemons (`rucio_side/nursery.py`)."""

import json
import socket
from contextlib import suppress

from dltest.lab.daemons import Daemon
from dltest.lab.layout import Layout
from dltest.lab.process import Running

FORK_SECONDS = 10


class Nursery:
    """The supervisor's end of the conversation with the nursery."""

    def __init__(self) -> None:
        self._ours: socket.socket | None = None

    def open(self) -> socket.socket:
        """A fresh conversation; the answer is the end for the new nursery."""
        if self._ours is not None:
            self._ours.close()
        self._ours, theirs = socket.socketpair()
        self._ours.settimeout(FORK_SECONDS)
        return theirs

    def fork(self, daemon: Daemon, layout: Layout) -> Running | None:
        """The daemon's process, or nothing if the nursery or the daemon died on the spot."""
        with suppress(FileNotFoundError):
            (layout.rounds / daemon.name).unlink()
        request = {
            "name": daemon.name,
            "module": daemon.module,
            "options": daemon.options,
            "look_again_seconds": daemon.look_again_seconds,
            "log": str(layout.log(daemon.name)),
        }
        pid = self._ask(request)
        return None if pid is None else Running.held(pid)

    def _ask(self, request: dict[str, object]) -> int | None:
        if self._ours is None:
            return None
        try:
            self._ours.sendall(json.dumps(request).encode() + b"\n")
            answer = self._ours.recv(4096)
        except OSError:
            return None
        return int(json.loads(answer)["pid"]) if answer else None
