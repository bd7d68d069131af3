"""A payload that is made while it is copied: a source for gfal2 on this process's loopback.

gfal2's HTTP plugin streams a copy from an http:// source in one GET, taking bytes as fast as the
destination does. Making a large payload so costs no time of its own, and no memory or disk.
"""

import secrets
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from dltest.lake.payload import adler32_text, chunks

# Below this, writing the payload into memory first is quicker than the questions of HTTP.
WORTH_IT_BYTES = 32 << 20
_DESTINATIONS = ("davs://", "dav://", "https://", "http://")


def is_worth_it(destination: str, size: int) -> bool:
    """Whether the file is large enough, and its destination's plugin can stream it."""
    return size >= WORTH_IT_BYTES and destination.startswith(_DESTINATIONS)


@dataclass(slots=True)
class Source:
    """`adler32` is that of the payload once it was read to its end, until then None."""

    url: str
    adler32: str | None = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, seed: str, index: int, size: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seed, self.index, self.size = seed, index, size
        # Payloads are no secret, but nobody else shall make us busy.
        self.path = f"/{secrets.token_urlsafe(16)}"
        self.source = Source(f"http://127.0.0.1:{self.server_port}{self.path}")

    def handle_error(self, *_: object) -> None:
        """A copy that was broken off closes its connection; gfal2 says why."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_HEAD(self) -> None:
        self._begin()

    def do_GET(self) -> None:
        if not self._begin():
            return
        server, adler, left = self.server, 1, self.server.size
        for piece in chunks(server.seed, server.index, server.size):
            adler = zlib.adler32(piece, adler)
            left -= len(piece)
            # Before the last piece goes: with it the copy may end, and its sum be asked for.
            if not left:
                server.source.adler32 = adler32_text(adler)
            self.wfile.write(piece)

    def do_PROPFIND(self) -> None:
        """What davix asks first; it asks by HEAD then."""
        self._refuse(405)

    def log_message(self, *_: object) -> None:
        """Nothing to stderr: the mover's words there tell of its own death."""

    def _begin(self) -> bool:
        if self.path != self.server.path:
            self._refuse(404)
            return False
        self.send_response(200)
        self.send_header("Content-Length", str(self.server.size))
        self.end_headers()
        return True

    def _refuse(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def serving(seed: str, index: int, size: int) -> Iterator[Source]:
    """The payload at a URL of this machine, for as long as the block runs."""
    with _Server(seed, index, size) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.source
        finally:
            server.shutdown()
