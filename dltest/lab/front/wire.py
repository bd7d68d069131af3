"""HTTP/1.1 as bytes: heads, and how long the bodies after them are."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

PIECE_BYTES = 64 * 1024
_NO_BODY = {"204", "304"}


@dataclass(slots=True)
class Head:
    """The first line and the headers of a request or an answer."""

    first: str
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        return self.first.split(" ", 2)

    def get(self, name: str) -> str | None:
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    def put(self, name: str, value: str) -> None:
        others = [one for one in self.headers if one[0].lower() != name.lower()]
        self.headers = [*others, (name, value)]

    def dump(self) -> bytes:
        lines = [self.first, *(f"{name}: {value}" for name, value in self.headers)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    @property
    def is_chunked(self) -> bool:
        return "chunked" in (self.get("Transfer-Encoding") or "").lower()

    @property
    def length(self) -> int | None:
        text = self.get("Content-Length")
        return int(text) if text is not None else None


def read_head(stream: BinaryIO) -> Head | None:
    """The next head, or nothing if the peer has left."""
    first = stream.readline(65536).decode("latin-1").rstrip("\r\n")
    if not first:
        return None
    head = Head(first)
    while line := stream.readline(65536).decode("latin-1").rstrip("\r\n"):
        name, _, value = line.partition(":")
        head.headers.append((name, value.strip()))
    return head


def request_body(head: Head, stream: BinaryIO) -> Iterator[bytes]:
    """The bytes after a request's head, without its framing."""
    return _chunks(stream) if head.is_chunked else _counted(stream, head.length or 0)


def answer_body(head: Head, method: str, stream: BinaryIO) -> Iterator[bytes]:
    """The bytes after an answer's head, without its framing."""
    if method == "HEAD" or head.words[1] in _NO_BODY:
        return iter(())
    if head.is_chunked:
        return _chunks(stream)
    if head.length is not None:
        return _counted(stream, head.length)
    return iter(lambda: stream.read1(PIECE_BYTES), b"")  # type: ignore[attr-defined]


def ends_with_connection(head: Head, method: str) -> bool:
    """Whether only the end of the connection ends this answer, or the server says so."""
    if (head.get("Connection") or "").lower() == "close":
        return True
    framed = head.is_chunked or head.length is not None or head.words[1] in _NO_BODY
    return not framed and method != "HEAD"


def _counted(stream: BinaryIO, left: int) -> Iterator[bytes]:
    while left > 0:
        piece = stream.read1(min(left, PIECE_BYTES))  # type: ignore[attr-defined]
        if not piece:
            raise ConnectionError("the peer left in the middle of a body")
        left -= len(piece)
        yield piece


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while True:
        line = stream.readline(1024)
        if not line:
            raise ConnectionError("the peer left in the middle of a body")
        size = int(line.split(b";")[0], 16)
        if size:
            yield from _counted(stream, size)
        stream.readline(1024)
        if not size:
            return
