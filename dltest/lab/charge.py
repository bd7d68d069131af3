"""One part in the supervisor's care: its process, its state, and when it may start again."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dltest.lab.alteration import HEALTHY, Alteration
from dltest.lab.description import PartSeen, PartState
from dltest.lab.faults.fault import WELL, Condition
from dltest.lab.layout import Layout, write_atomically
from dltest.lab.nursery import Nursery
from dltest.lab.parts import NURSERY, Part
from dltest.lab.process import Running, spawn

# A part that dies is started again after 0.25, 0.5, 1, ... seconds, at most this many.
LONGEST_PAUSE_SECONDS = 10.0
# Having lived this long counts as health: the next death starts the pauses from the beginning.
HEALTHY_SECONDS = 20.0
# After so many deaths in a row a part is called failed (and still tried again).
FAILED_AFTER = 5
SETTLED = ("ready", "done", "altered")


@dataclass(slots=True)
class Charge:
    """A part and what the supervisor knows of it."""

    part: Part
    layout: Layout
    environment: dict[str, str]
    nursery: Nursery
    alter: Callable[[Part, Alteration], Part] = lambda part, _: part
    alteration: Alteration = HEALTHY
    state: PartState = "waiting"
    running: Running | None = None
    started_at: float | None = None
    restarts: int = 0
    deaths: int = 0
    not_before: float = 0.0
    message: str | None = None
    renewal: int = 0
    _began: float = field(default=0.0)
    _well: Part = field(init=False)

    def __post_init__(self) -> None:
        self._well = self.part

    @property
    def settled(self) -> bool:
        return self.state in SETTLED

    def is_in(self, condition: Condition) -> bool:
        """Whether that is what is the matter with it, and all that is."""
        wanted = condition.stopped or ("altered" if condition.alteration else "ready")
        return self.state == wanted and self.alteration == condition.alteration

    def needs_no_waiting(self, condition: Condition) -> bool:
        """Whether what comes after it may start: it runs as it shall, or shall not run at all."""
        return bool(condition.stopped) or (self.settled and self.alteration == condition.alteration)

    def seen(self) -> PartSeen:
        return PartSeen(
            name=self.part.name,
            state=self.state,
            pid=self.running.pid if self.running else None,
            port=self.part.port,
            log=self.layout.log(self.part.name),
            restarts=self.restarts,
            started_at=self.started_at,
            message=self.message,
        )

    def tend(self, condition: Condition = WELL, *, may_start: bool) -> None:
        """Look once, and do the next thing needed; never waits."""
        if self.running is not None and not self.running.is_alive():
            self._bury(condition)
        self._obey(condition)
        if self._wants_start() and may_start:
            self._start()
        if self.state == "starting":
            self._look()
        if condition.stopped == "hung" and self.state in ("ready", "altered"):
            self._hang()

    def renew(self, renewal: int) -> None:
        """A process from before the renewal is ended; another takes its place."""
        if self.renewal != renewal and self._is_ended():
            self.renewal = renewal
            if self.state != "down":
                self._begin_anew()

    def stop(self) -> None:
        """Ask the process to end; `tend` or `kill` sees to the rest."""
        self.state = "stopped" if self.state != "done" else "done"
        if self.running is not None:
            self.running.signal_group(signal.SIGCONT)
            self.running.signal(self.part.stop_signal)

    def kill(self) -> None:
        if self.running is not None:
            self.running.forget()
            self.running = None

    def _wants_start(self) -> bool:
        waiting = self.state in ("waiting", "restarting", "failed")
        return waiting and self.running is None and time.monotonic() >= self.not_before

    def _start(self) -> None:
        if self.part.fingerprint is not None and self._is_done():
            self.state = "done"
            return
        # If the disk is full here, the state stays what it was, and this is tried again.
        self.part.prepare()
        self.running = self._launch()
        self.state, self.message = "starting", None
        self.started_at, self._began = time.time(), time.monotonic()
        if self.running is None:
            self._count_death("could not be forked")

    def _launch(self) -> Running | None:
        part = self.part
        if part.daemon is not None:
            return self.nursery.fork(part.daemon, self.layout)
        if part.name == NURSERY:
            return self._launch_nursery()
        return self._spawn(part.command)

    def _launch_nursery(self) -> Running:
        """The nursery takes its requests from a socket whose number is its first argument."""
        with self.nursery.open() as theirs:
            program, script, _, plan = self.part.command
            number = theirs.fileno()
            return self._spawn((program, script, str(number), plan), keep=(number,))

    def _spawn(self, command: tuple[str, ...], keep: tuple[int, ...] = ()) -> Running:
        part = self.part
        return spawn(
            command,
            environment=self.environment | dict(part.environment),
            log=self.layout.log(part.name),
            folder=self.layout.root / part.folder,
            keep=keep,
            death_signal=part.stop_signal,
        )

    def _look(self) -> None:
        """A started server becomes ready, or takes too long."""
        if self.part.fingerprint is None and self.part.is_ready():
            self.state = "altered" if self.alteration else "ready"
        elif time.monotonic() - self._began > self.part.start_seconds and self.running:
            self.running.signal_group(signal.SIGKILL)

    def _obey(self, condition: Condition) -> None:
        """Leave the state that is no longer wished, towards the one that is."""
        if condition.stopped == "down":
            self._keep_down()
        elif self.state == "down":
            self._begin_anew()
        elif self.state == "hung" and condition.stopped is None:
            self._wake()
        if self.alteration != condition.alteration:
            self._change(condition.alteration)

    def _change(self, alteration: Alteration) -> None:
        """End the process that runs in the former way; the next one starts in the new way."""
        if not self._is_ended():
            return
        self.part, self.alteration = self.alter(self._well, alteration), alteration
        if self.state != "down":
            self._begin_anew()

    def _bury(self, condition: Condition) -> None:
        code = self.running.code if self.running else None
        self.kill()
        if self.state in ("down", "stopped") or condition.stopped == "down":
            return
        if self.alteration != condition.alteration:
            return  # ended by us, to be started otherwise
        if self.part.fingerprint is not None and code == 0:
            write_atomically(self.layout.done / self.part.name, self.part.fingerprint, mode=0o600)
            self.state = "done"
            return
        ended = "died" if code is None else f"ended with {code}"
        self._count_death(f"{ended}: {self._last_words()}")

    def _count_death(self, message: str) -> None:
        healthy = time.monotonic() - self._began > HEALTHY_SECONDS
        self.deaths = 1 if healthy else self.deaths + 1
        self.restarts += 1
        self.message = message
        self.state = "failed" if self.deaths >= FAILED_AFTER else "restarting"
        pause = min(LONGEST_PAUSE_SECONDS, 0.125 * 2**self.deaths)
        self.not_before = time.monotonic() + pause

    def _last_words(self) -> str:
        """The last line of the log, for people."""
        log = self.layout.log(self.part.name)
        try:
            with log.open("rb") as stream:
                stream.seek(max(0, log.stat().st_size - 2000))
                lines = stream.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return f"see {log}"
        return lines[-1][:300] if lines else f"see {log}"

    def _keep_down(self) -> None:
        if self._is_ended():
            self.state = "down"

    def _is_ended(self) -> bool:
        """Whether there is no process any more; until then it is killed."""
        if self.running is not None:
            self.running.signal_group(signal.SIGKILL)
            self.running.signal(signal.SIGKILL)
            if self.running.is_alive():
                return False
            self.kill()
        return True

    def _begin_anew(self) -> None:
        self.state, self.deaths, self.not_before = "waiting", 0, 0.0

    def _hang(self) -> None:
        if self.running is not None:
            self.running.signal_group(signal.SIGSTOP)
            self.state = "hung"

    def _wake(self) -> None:
        if self.running is not None:
            self.running.signal_group(signal.SIGCONT)
        self.state, self._began = "starting", time.monotonic()

    def _is_done(self) -> bool:
        mark = self.layout.done / self.part.name
        return mark.exists() and mark.read_text() == self.part.fingerprint
