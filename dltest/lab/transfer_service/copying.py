"""The body of a copying process: takes orders from its pipe and reports what happens.

Orders and reports are JSON, one a line. A copy is `{"id", "source", "destination", ...}`
(see `Order`), a question about tape `{"id", "ask": "bring_online", ...}`. A second thread
listens for `{"cancel": id}` while the first one is inside gfal2. What gfal2 does not give up in
time, the service ends from outside.
"""

import json
import os
import queue
import socket
import threading
from typing import Any

from dltest.lab.transfer_service.copier import Copier
from dltest.lab.transfer_service.tape import ask


class _Pipe:
    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._lock = threading.Lock()

    def send(self, report: dict[str, Any]) -> None:
        with self._lock:
            self._channel.sendall(json.dumps(report).encode() + b"\n")


def serve_copies(channel: socket.socket, settings: dict[str, Any]) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]  # a proxy would carry loopback away
    os.environ.update(settings["environment"])
    orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    pipe = _Pipe(channel)
    copier = Copier(pipe.send, tpc_fallback=settings["tpc_fallback"])
    threading.Thread(target=_listen, args=(channel, orders, copier), daemon=True).start()
    pipe.send({"event": "ready"})
    while True:
        order = orders.get()
        if "ask" in order:
            pipe.send(ask(copier.context, order))
        else:
            copier.carry_out(order)


def _listen(
    channel: socket.socket, orders: queue.SimpleQueue[dict[str, Any]], copier: Copier
) -> None:
    with channel.makefile("rb") as lines:
        for line in lines:
            order = json.loads(line)
            if "cancel" in order:
                copier.cancel(order["cancel"])
            else:
                orders.put(order)
    os._exit(0)  # the service is gone
