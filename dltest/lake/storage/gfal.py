"""gfal2 as a mover uses it: one session a thread, time limits set, credentials by URL.

The client's environment (whom to trust, how long to wait) is set before this module is imported:
davix and XrdCl read it once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import gfal2

from dltest.lake.storage.errors import Meaning, clean, meaning

READ_BYTES = 4 << 20
_NAMESPACE_SECONDS = 60
_HTTP_SCHEMES = {"davs", "dav", "https", "http"}


class StorageRefusalError(Exception):
    """A storage element's no, or its silence, translated."""

    def __init__(self, found: Meaning, detail: str) -> None:
        super().__init__(detail)
        self.meaning = found
        self.detail = clean(detail)


class Session:
    """One gfal2 context; not to be shared between threads."""

    def __init__(self, bearer: str | None, limit_seconds: int) -> None:
        self._context = gfal2.creat_context()
        self._bearer = bearer
        self._limit_seconds = limit_seconds
        self._known: set[str] = set()
        namespace = min(limit_seconds, _NAMESPACE_SECONDS)
        for group in ("CORE", "HTTP PLUGIN", "XROOTD PLUGIN"):
            self._context.set_opt_integer(group, "NAMESPACE_TIMEOUT", namespace)
        self._context.set_opt_integer("HTTP PLUGIN", "OPERATION_TIMEOUT", limit_seconds)
        # All copies of a mover pass through it: a storage must never be asked to fetch from us.
        self._context.set_opt_boolean("HTTP PLUGIN", "ENABLE_REMOTE_COPY", False)  # noqa: FBT003
        self._context.set_opt_integer("CORE", "CHECKSUM_TIMEOUT", limit_seconds)

    def copy(self, source: str, destination: str, moved: Callable[[int], None]) -> None:
        """Copy one file over whatever stands there; makes missing folders."""
        self._present_bearer(source)
        self._present_bearer(destination)
        parameters = self._context.transfer_parameters()
        parameters.overwrite = True
        parameters.create_parent = True
        parameters.timeout = self._limit_seconds
        parameters.monitor_callback = _monitor(moved)
        with _translated():
            self._context.filecopy(parameters, source, destination)

    def checksum(self, url: str) -> str:
        """The storage's own Adler-32 of the file, eight hex digits."""
        self._present_bearer(url)
        with _translated():
            return str(self._context.checksum(url, "ADLER32")).strip().lower().rjust(8, "0")

    def size(self, url: str) -> int:
        self._present_bearer(url)
        with _translated():
            return int(self._context.stat(url).st_size)

    def read(self, url: str) -> Iterator[bytes]:
        """All bytes of the file, in order."""
        self._present_bearer(url)
        with _translated():
            content = self._context.open(url, "r")
        while True:
            with _translated():
                piece = content.read_bytes(READ_BYTES)
            if not piece:
                return
            yield piece

    def unlink(self, url: str) -> None:
        self._present_bearer(url)
        with _translated():
            self._context.unlink(url)

    def _present_bearer(self, url: str) -> None:
        """The bearer for this storage; the xrootd plugin ignores it, so only for HTTP."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if self._bearer is None or parts.scheme not in _HTTP_SCHEMES or origin in self._known:
            return
        self._known.add(origin)
        self._context.cred_set(origin, self._context.cred_new("BEARER", self._bearer))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except gfal2.GError as error:
        raise StorageRefusalError(meaning(error.code, str(error)), str(error)) from None


def _monitor(moved: Callable[[int], None]) -> Callable[..., None]:
    def mark(*facts: Any) -> None:
        # (source, destination, average rate, instant rate, bytes so far, seconds)
        moved(int(facts[4]))

    return mark
