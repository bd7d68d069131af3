"""`python -m dltest.lake.storage.mover`: one storage job in a process that may be killed.

Reads an order on stdin, writes a JSON line for every finished file, and now and then one of how
far it is. Ends with its parent: a mover without an owner would hold a storage's connection for
nobody.
"""

import ctypes
import json
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TextIO

from dltest.lake.storage.gfal import Session
from dltest.lake.storage.meter import Meter
from dltest.lake.storage.operations import perform
from dltest.lake.storage.order import Advance, FileOrder, Order, Report

_PR_SET_PDEATHSIG = 1


class Lines:
    """JSON lines from many threads."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def advance(self, advance: Advance) -> None:
        self._write({"advance": asdict(advance)})

    def report(self, report: Report) -> None:
        self._write({"report": asdict(report)})

    def _write(self, document: dict[str, object]) -> None:
        with self._lock:
            self._stream.write(json.dumps(document) + "\n")
            self._stream.flush()


def die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent ends, also if it has ended already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the process that started this mover is gone")


def run(order: Order, lines: Lines) -> None:
    """Do all files of the order, several at once; each one's report is written as it ends."""
    meter = Meter(lines.advance)
    own = threading.local()

    def one(file: FileOrder) -> None:
        if file.rule is not None:
            lines.report(_tried(meter, order, file))
            return
        if not hasattr(own, "session"):
            own.session = Session(order.bearer, order.limit_seconds)
        lines.report(perform(own.session, meter, order, file))

    with ThreadPoolExecutor(max(1, order.parallel_files)) as threads:
        for done in [threads.submit(one, file) for file in order.files]:
            done.result()
    lines.advance(meter.now())


def _tried(meter: Meter, order: Order, file: FileOrder) -> Report:
    # Imported when asked for: other jobs need not wait for what only token rules need.
    from dltest.lake.token_rules.at_rucio import show  # noqa: PLC0415
    from dltest.lake.token_rules.expiry import outlive  # noqa: PLC0415
    from dltest.lake.token_rules.trial import try_rule  # noqa: PLC0415

    try:
        work = {"token": try_rule, "token-expiry": outlive, "sign-in": show}[order.kind]
        return work(order.bearer, file)
    finally:
        meter.file_done()


def _private_stdout() -> TextIO:
    """Our own stdout; what libraries print goes to stderr instead."""
    own = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(own, "w", encoding="utf-8")


def main() -> None:
    """Read the order, carry it out."""
    lines = Lines(_private_stdout())
    order = Order.from_json(sys.stdin.read())
    die_with(order.parent)
    run(order, lines)


if __name__ == "__main__":
    main()
