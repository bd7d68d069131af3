"""A pool of copying processes: gives them orders, hears their reports, ends those that hang.

gfal2's own time limits do not hold on a server that neither answers nor closes. So every step
has a deadline here: at first the process is asked to cancel, and if it does not within a grace
period it is killed. Either way the order's end is told, once, and a new process takes the place.
"""

import asyncio
import errno
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dltest.lab.transfer_service.configuration import ServiceConfig, client_environment
from dltest.lab.transfer_service.failure import Failure
from dltest.lab.transfer_service.nursery import Nursery
from dltest.lab.transfer_service.vocabulary import Scope

Order = dict[str, Any]
Report = dict[str, Any]

_LOG = logging.getLogger(__name__)
_CHECKSUM_BYTES_PER_SECOND = 10_000_000  # a slow disk's pace; hashing may take that long
_EARLY_DEATH_PAUSE_SECONDS = 1.0
_LINE_BYTES = 1 << 20


@dataclass(slots=True, eq=False)
class Mover:
    """One copying process, and what it is at."""

    pid: int
    writer: asyncio.StreamWriter
    ready: bool = False
    order: Order | None = None
    scope: Scope = Scope.SOURCE
    copying: bool = False
    stoppable: bool = True
    moved_bytes: int = 0
    deadline: float = 0.0
    copy_deadline: float = 0.0
    overdue: Failure | None = None
    kill_at: float | None = None


@dataclass(slots=True, frozen=True)
class Ending:
    """How an order ended: its last report if there was one, and what stopped it if anything."""

    order: Order
    report: Report | None
    stopped_by: Failure | None
    was_copying: bool
    killed: bool


@dataclass(slots=True)
class _Listeners:
    report: Callable[[Mover, Report], None]
    ended: Callable[[Mover, Ending], None]
    free: Callable[[], None]


class MoverPool:
    def __init__(self, nursery: Nursery, config: ServiceConfig, size: int) -> None:
        self._nursery = nursery
        self._config = config
        self._size = size
        self._movers: set[Mover] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners = _Listeners(lambda *_: None, lambda *_: None, lambda: None)
        self._closing = False
        self._fault: BaseException | None = None

    def listen(
        self,
        *,
        report: Callable[[Mover, Report], None],
        ended: Callable[[Mover, Ending], None],
        free: Callable[[], None],
    ) -> None:
        self._listeners = _Listeners(report, ended, free)

    async def start(self) -> None:
        for _ in range(self._size):
            await self._bear()

    def idle(self) -> list[Mover]:
        return [mover for mover in self._movers if mover.ready and mover.order is None]

    def busy(self) -> list[Mover]:
        return [mover for mover in self._movers if mover.order is not None]

    def holding(self, order_id: int) -> Mover | None:
        return next((m for m in self.busy() if m.order and m.order["id"] == order_id), None)

    def assign(self, mover: Mover, order: Order) -> None:
        mover.order = order
        mover.copying = False
        mover.moved_bytes = 0
        mover.overdue = mover.kill_at = None
        self._begin_step(mover, Scope.SOURCE, 0)
        mover.writer.write(json.dumps(order).encode() + b"\n")

    def stop(self, mover: Mover, failure: Failure) -> None:
        """Ask politely; `check` kills it when the grace is over. Asking twice changes nothing."""
        if mover.order is None or mover.kill_at is not None:
            return
        mover.overdue = failure
        mover.kill_at = time.monotonic() + self._config.cancel_grace_seconds
        mover.writer.write(json.dumps({"cancel": mover.order["id"]}).encode() + b"\n")

    def check(self) -> None:
        """End what is overdue; to be called often.

        Raises what went wrong while a process was heard, such as `NurseryLostError`: a pool
        that has gone deaf must not be taken for one that has nothing to say.
        """
        if self._fault:
            raise self._fault
        now = time.monotonic()
        for mover in self.busy():
            if mover.kill_at is not None:
                if now >= mover.kill_at:
                    self._nursery.end(mover.pid)
            elif now >= min(mover.deadline, mover.copy_deadline):
                self.stop(mover, self._overdue(mover, now))

    def close(self) -> None:
        self._closing = True
        for mover in self._movers:
            self._nursery.end(mover.pid)
        for task in self._tasks:
            task.cancel()

    # -- processes -----------------------------------------------------------------------

    async def _bear(self) -> None:
        settings = {
            "environment": client_environment(self._config),
            "tpc_fallback": self._config.tpc_fallback,
        }
        pid, channel = self._nursery.bear(settings)
        reader, writer = await asyncio.open_connection(sock=channel, limit=_LINE_BYTES)
        mover = Mover(pid, writer)
        self._movers.add(mover)
        task = asyncio.create_task(self._hear(mover, reader))
        self._tasks.add(task)
        task.add_done_callback(self._on_deaf)

    def _on_deaf(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            self._fault = task.exception()

    async def _hear(self, mover: Mover, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                self._on_report(mover, json.loads(line))
        except ConnectionError:
            _LOG.warning("copying process %d broke its pipe", mover.pid)
        mover.writer.close()
        self._movers.discard(mover)
        if self._closing:
            return
        self._on_death(mover)
        if not mover.ready:
            await asyncio.sleep(_EARLY_DEATH_PAUSE_SECONDS)
        await self._bear()

    def _on_death(self, mover: Mover) -> None:
        if mover.order is None:
            _LOG.warning("copying process %d died while idle", mover.pid)
            return
        failure = mover.overdue or Failure(
            Scope.AGENT, errno.EINTR, "Transfer process died unexpectedly"
        )
        self._end(mover, Ending(mover.order, None, failure, mover.copying, killed=True))

    # -- reports -------------------------------------------------------------------------

    def _on_report(self, mover: Mover, report: Report) -> None:
        event = report["event"]
        if event == "ready":
            mover.ready = True
            self._listeners.free()
        elif mover.order is None or report["id"] != mover.order["id"]:
            return
        elif event in {"done", "answer"}:
            ending = Ending(mover.order, report, mover.overdue, mover.copying, killed=False)
            self._end(mover, ending)
        else:
            self._note_progress(mover, report)
            self._listeners.report(mover, report)

    def _end(self, mover: Mover, ending: Ending) -> None:
        mover.order = mover.kill_at = None
        self._listeners.ended(mover, ending)
        self._listeners.free()

    def _note_progress(self, mover: Mover, report: Report) -> None:
        event = report["event"]
        if event == "step":
            mover.copying = False
            self._begin_step(mover, Scope(report["scope"]), report["bytes"])
        elif event == "copying":
            mover.copying = True
            mover.scope = Scope.TRANSFER
            limit = report["timeout_seconds"] + self._config.timeout_margin_seconds
            mover.copy_deadline = time.monotonic() + limit
            self._extend(mover)
        elif event == "bytes" and report["bytes"] > mover.moved_bytes:
            mover.moved_bytes = report["bytes"]
            self._extend(mover)

    def _begin_step(self, mover: Mover, scope: Scope, size_bytes: int) -> None:
        mover.scope = scope
        allowed = self._config.operation_seconds + size_bytes / _CHECKSUM_BYTES_PER_SECOND
        mover.deadline = time.monotonic() + allowed
        mover.copy_deadline = float("inf")

    def _extend(self, mover: Mover) -> None:
        """mock:// copies move no bytes; only their whole time is limited."""
        order = mover.order or {}
        shows_bytes = not str(order.get("destination", "")).startswith("mock://")
        stall = self._config.stall_seconds if shows_bytes else float("inf")
        mover.deadline = time.monotonic() + stall

    def _overdue(self, mover: Mover, now: float) -> Failure:
        if not mover.copying:
            seconds = self._config.operation_seconds
            message = f"Operation timed out (no answer within {seconds:g} seconds)"
        elif now >= mover.copy_deadline:
            message = "Operation timed out (the copy took longer than its timeout)"
        else:
            message = f"Operation timed out (no bytes for {self._config.stall_seconds:g} seconds)"
        return Failure(mover.scope, errno.ETIMEDOUT, message)
