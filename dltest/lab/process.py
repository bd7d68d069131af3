"""Processes of the lab: started so that they die with the supervisor, watched without races."""

import ctypes
import os
import select
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


@dataclass(slots=True)
class Running:
    """A process held by its descriptor, so that a reused number is never mistaken for it."""

    pid: int
    descriptor: int
    child: "subprocess.Popen[bytes] | None" = None

    @classmethod
    def held(cls, pid: int) -> "Running | None":
        """The process of that number, or nothing if it is gone already."""
        try:
            return cls(pid, os.pidfd_open(pid))
        except ProcessLookupError:
            return None

    def is_alive(self) -> bool:
        if self.child is not None:
            return self.child.poll() is None
        return not select.select([self.descriptor], [], [], 0)[0]

    @property
    def code(self) -> int | None:
        """The exit code, where it can be known."""
        return None if self.child is None else self.child.poll()

    def signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.descriptor, number)

    def signal_group(self, number: int) -> None:
        """The process and all that it started; each part leads a group of its own."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def forget(self) -> None:
        """Close what we hold; what the process left behind in its group is killed."""
        self.signal_group(signal.SIGKILL)
        if self.child is not None:
            self.child.wait()
        os.close(self.descriptor)


def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    folder: Path,
    keep: Sequence[int] = (),
    death_signal: int = signal.SIGTERM,
) -> Running:
    """Start a process in a group of its own that gets `death_signal` when we die."""
    with log.open("ab") as stream:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            cwd=folder,
            env=dict(environment),
            pass_fds=keep,
            process_group=0,
            # Safe: the supervisor has one thread, and the library is loaded already.
            preexec_fn=die_with_parent(death_signal),  # noqa: PLW1509
        )
    return Running(child.pid, os.pidfd_open(child.pid), child)


def die_with_parent(number: int) -> Callable[[], None]:
    parent = os.getpid()

    def arrange() -> None:
        _LIBC.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os.kill(os.getpid(), number)

    return arrange
