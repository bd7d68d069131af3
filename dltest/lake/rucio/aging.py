"""Answers that are good for a while."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Answer = TypeVar("Answer")


class Aging(Generic[Key, Answer]):
    """Remembers answers for some seconds; one caller asks, the others wait for its answer."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._answers: dict[Key, tuple[float, Answer]] = {}

    def get(self, key: Key, ask: Callable[[], Answer]) -> Answer:
        """The remembered answer if it is young enough, else a new one; errors are not kept."""
        with self._lock:
            known = self._answers.get(key)
            if known is None or time.monotonic() - known[0] > self._seconds:
                known = (time.monotonic(), ask())
                self._answers[key] = known
            return known[1]
