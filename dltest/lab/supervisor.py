"""The process that brings a lab up, keeps it up, and takes it down: `python -m` with its folder.

One thread, one loop: it looks at every part, does the next thing needed, and never waits for
any of them. It takes its orders from `wish.json` and signals, and reports in `state.json`.
While it lives it holds the lock that tells everybody that the lab has a supervisor.
"""

import fcntl
import logging
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO

from dltest.errors import LabError
from dltest.lab.authority import Authority
from dltest.lab.charge import Charge
from dltest.lab.description import BrokenThing, Lab, State, Wish, read_lab
from dltest.lab.faults import conditions_of
from dltest.lab.faults.fault import WELL
from dltest.lab.layout import Layout
from dltest.lab.nursery import Nursery
from dltest.lab.parts import NEED_DATABASE, altered, base_environment, lake_parts, service_parts

BUSY_SECONDS = 0.05
IDLE_SECONDS = 0.25
STOP_SECONDS = 6.0
LOCK_SECONDS = 3.0
LOG_BYTES = 50_000_000

_log = logging.getLogger("dltest.lab.supervisor")


class Supervisor:
    """Reconciles the parts of one lab with what is wished."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.layout = lab.layout
        self.began_at = time.time()
        self.stopping = False
        self.trouble: str | None = None
        self.wish = Wish()
        self.nursery = Nursery()
        self.charges = self._charges(service=False)
        self._wish_seen: tuple[int, int] | None = None
        self._last_state = ""
        self._looked_at_logs = 0.0

    def run(self) -> None:
        """Until SIGTERM; then every part has ended."""
        while not self.stopping:
            self.look()
            self.report()
            settled = all(charge.settled for charge in self.charges)
            time.sleep(IDLE_SECONDS if settled else BUSY_SECONDS)
        self.stop()
        self.report()

    def look(self) -> None:
        """One round over all parts."""
        self._hear()
        wanted = conditions_of(self.wish.broken)
        settled = {
            charge.part.name
            for charge in self.charges
            if charge.needs_no_waiting(wanted.get(charge.part.name, WELL))
        }
        troubles = []
        for charge in self.charges:
            self._renew(charge)
            may_start = settled.issuperset(charge.part.after)
            try:
                charge.tend(wanted.get(charge.part.name, WELL), may_start=may_start)
            except OSError as trouble:
                # A full disk, say: told to people, tried again at the next round.
                troubles.append(f"{charge.part.name}: {trouble}")
        self._tell_trouble("; ".join(troubles[:3]) or None)
        self._trim_logs()

    def _renew(self, charge: Charge) -> None:
        if charge.part.name in NEED_DATABASE:
            charge.renew(self.wish.renewal)

    def report(self) -> None:
        """Write the state if it changed."""
        state = State(
            supervisor=os.getpid(),
            started_at=self.began_at,
            parts=tuple(charge.seen() for charge in self.charges),
            broken=self._in_effect(),
            service=self.wish.service,
            renewal=min(self._renewals(), default=0),
            trouble=self.trouble,
        )
        text = state.model_dump_json()
        if text == self._last_state:
            return
        try:
            state.write(self.layout.state)
            self._last_state = text
        except OSError:
            _log.exception("cannot write the state")

    def stop(self) -> None:
        """Dependents first: service and daemons, then servers, then the databases."""
        databases = {"postgres", "redis"}
        last = [charge for charge in self.charges if charge.part.name in databases]
        first = [charge for charge in self.charges if charge.part.name not in databases]
        for wave in (first, last):
            for charge in wave:
                charge.stop()
            _await_end(wave)
            for charge in wave:
                charge.kill()

    def _charges(self, *, service: bool) -> list[Charge]:
        parts = service_parts(self.lab) if service else lake_parts(self.lab)
        environment = base_environment(self.lab)
        alter = partial(altered, self.lab)
        return [Charge(part, self.layout, environment, self.nursery, alter) for part in parts]

    def _hear(self) -> None:
        try:
            stat = self.layout.wish.stat()
        except FileNotFoundError:
            return
        if (stat.st_mtime_ns, stat.st_ino) == self._wish_seen:
            return
        self._wish_seen = (stat.st_mtime_ns, stat.st_ino)
        try:
            wish = Wish.read(self.layout.wish) or Wish()
            conditions_of(wish.broken)  # such as nobody knows came from another release
            self.wish = wish
        except LabError:
            _log.exception("the wish is not understood and is ignored")
        have_service = any(charge.part.name == "web" for charge in self.charges)
        if self.wish.service and not have_service:
            self.charges += self._charges(service=True)

    def _in_effect(self) -> tuple[BrokenThing, ...]:
        charges = {charge.part.name: charge for charge in self.charges}
        wanted = conditions_of(self.wish.broken)
        return tuple(
            thing
            for thing in self.wish.broken
            if all(charges[part].is_in(wanted[part]) for part in conditions_of((thing,)))
        )

    def _renewals(self) -> list[int]:
        return [charge.renewal for charge in self.charges if charge.part.name in NEED_DATABASE]

    def _tell_trouble(self, trouble: str | None) -> None:
        if trouble and trouble != self.trouble:
            _log.error("cannot tend %s", trouble)
        self.trouble = trouble

    def _trim_logs(self) -> None:
        """Keep one old copy of a log that has grown large."""
        if time.monotonic() - self._looked_at_logs < 60:
            return
        self._looked_at_logs = time.monotonic()
        for log in self.layout.logs.glob("*.log"):
            try:
                if log.stat().st_size > LOG_BYTES:
                    shutil.copyfile(log, log.with_suffix(".log.1"))
                    os.truncate(log, 0)
            except OSError as trouble:
                _log.warning("cannot trim %s: %s", log, trouble)


def _await_end(wave: list[Charge]) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if not any(charge.running and charge.running.is_alive() for charge in wave):
            return
        time.sleep(BUSY_SECONDS)


def take_lock(layout: Layout) -> IO[str] | None:
    """The lab's lock, or nothing if another supervisor has it."""
    stream = layout.lock.open("a")
    deadline = time.monotonic() + LOCK_SECONDS
    while time.monotonic() < deadline:
        with suppress(BlockingIOError):
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return stream
        time.sleep(BUSY_SECONDS)
    stream.close()
    return None


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    lab = read_lab(Path(sys.argv[1]))
    if lab is None:
        _log.error("there is no lab in %s", sys.argv[1])
        return 1
    if os.geteuid() == 0:
        _log.error("a lab never runs as root")
        return 1
    lock = take_lock(lab.layout)
    if lock is None:
        _log.info("another supervisor has this lab")
        return 0
    os.umask(0o022)
    Authority(lab.layout.authority).ensure()
    supervisor = Supervisor(lab)

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's signature
        supervisor.stopping = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    _log.info("supervisor %d of %s", os.getpid(), lab.root)
    supervisor.run()
    lock.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
