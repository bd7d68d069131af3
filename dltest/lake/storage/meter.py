"""How much of a job is done: fed by all threads of a mover, told at most twice a second."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dltest.lake.storage.order import Advance

TELL_EVERY_SECONDS = 0.5


class Meter:
    """Counts files and bytes, and the seconds in which at least one file was on its way."""

    def __init__(self, tell: Callable[[Advance], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._files = 0
        self._bytes = 0
        self._moving = 0
        self._began = 0.0
        self._seconds = 0.0
        self._told = 0.0

    @contextmanager
    def moving(self) -> Iterator[Callable[[int], None]]:
        """Around one file's bytes; yields a function to call with the bytes so far of it."""
        self._start()
        counted = 0

        def so_far(count: int) -> None:
            nonlocal counted
            self._add(count - counted)
            counted = count

        try:
            yield so_far
        finally:
            self._stop()

    def file_done(self) -> None:
        with self._lock:
            self._files += 1
        self._maybe_tell()

    def now(self) -> Advance:
        with self._lock:
            running = time.monotonic() - self._began if self._moving else 0.0
            return Advance(self._files, self._bytes, self._seconds + running)

    def _start(self) -> None:
        with self._lock:
            if self._moving == 0:
                self._began = time.monotonic()
            self._moving += 1

    def _stop(self) -> None:
        with self._lock:
            self._moving -= 1
            if self._moving == 0:
                self._seconds += time.monotonic() - self._began

    def _add(self, count: int) -> None:
        with self._lock:
            self._bytes += count
        self._maybe_tell()

    def _maybe_tell(self) -> None:
        with self._lock:
            now = time.monotonic()
            if now - self._told < TELL_EVERY_SECONDS:
                return
            self._told = now
        self._tell(self.now())
