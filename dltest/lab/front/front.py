"""The front itself: a thread a connection, since a lab has few."""

import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from dltest.lab.front.gate import Gate
from dltest.lab.front.manners import Answer, Manners
from dltest.lab.front.wire import (
    PIECE_BYTES,
    Head,
    answer_body,
    ends_with_connection,
    read_head,
    request_body,
)

_TLS_HANDSHAKE = b"\x16"
_SLICES_PER_SECOND = 5
_LINGER_NOT = struct.pack("ii", 1, 0)
_PATIENCE_SECONDS = 30.0
_BEHIND_SECONDS = 20.0


class ResetError(Exception):
    """This connection has carried enough."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the front listens, what is behind it, and as whom it speaks TLS.

    A `gate` sees to the bearer tokens of a storage that wants them.
    """

    port: int
    behind: int
    certificate: Path
    key: Path
    host: str = "127.0.0.1"
    gate: Gate | None = None


class Front:
    """Attends to every connection until the process ends."""

    def __init__(self, place: Place, manners: Manners) -> None:
        self._place = place
        self._manners = manners
        self._server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server_side.load_cert_chain(place.certificate, place.key)
        self._client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client_side.check_hostname = False
        self._client_side.verify_mode = ssl.CERT_NONE

    def listen(self) -> socket.socket:
        """From here on clients wait; fails where somebody else has the port."""
        return socket.create_server((self._place.host, self._place.port), backlog=128)

    def serve(self, listener: socket.socket) -> None:
        while True:
            client, _ = listener.accept()
            threading.Thread(target=self._attend, args=(client,), daemon=True).start()

    def _attend(self, client: socket.socket) -> None:
        try:
            self._converse(client)
        except (OSError, ValueError):
            pass  # one of the two has left: so does the other
        finally:
            client.close()

    def _converse(self, client: socket.socket) -> None:
        first = client.recv(1, socket.MSG_PEEK)
        server = self._server()
        with server:
            if first == _TLS_HANDSHAKE:
                near = self._server_side.wrap_socket(client, server_side=True)
                far: socket.socket = self._client_side.wrap_socket(server)
                Conversation(near, far, self._manners, self._place.gate).hold()
            elif first.isalpha():
                Conversation(client, server, self._manners, self._place.gate).hold()
            elif first:
                _pass_on(client, server, self._manners)

    def _server(self) -> socket.socket:
        """Connected to what is behind, which may still be starting."""
        deadline = time.monotonic() + _BEHIND_SECONDS
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self._place.behind))
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


class Conversation:
    """HTTP between one client and the server, request by request."""

    def __init__(
        self,
        client: socket.socket,
        server: socket.socket,
        manners: Manners,
        gate: Gate | None = None,
    ) -> None:
        self._client = client
        self._server = server
        self._manners = manners
        self._gate = gate
        self._from_client: BinaryIO = client.makefile("rb")
        self._from_server: BinaryIO = server.makefile("rb")

    def hold(self) -> None:
        try:
            while (request := read_head(self._from_client)) and self._serve(request):
                pass
        except ResetError:
            _reset(self._client)
        finally:
            with suppress(OSError):
                self._client.shutdown(socket.SHUT_RDWR)

    def _serve(self, request: Head) -> bool:
        """One request; whether the connection can carry another."""
        method, path = request.words[0], request.words[1]
        if answer := self._manners.answer_to(method, path):
            return self._refuse(request, answer)
        if method == "PUT" and self._manners.uploads == "swallow":
            return self._refuse(request, Answer(HTTPStatus.CREATED), polite=True)
        return self._pass_on(request, method)

    def _refuse(self, request: Head, answer: Answer, *, polite: bool = False) -> bool:
        """Our own answer, after all that the client has to say."""
        time.sleep(self._manners.delay_seconds)
        waits = request.get("Expect") is not None
        if waits and polite:
            self._client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not waits or polite:
            for _ in request_body(request, self._from_client):
                pass
        body = answer.body.encode()
        head = Head(f"HTTP/1.1 {answer.status} {answer.reason}")
        head.headers = [
            *answer.headers.items(),
            ("Content-Type", answer.kind),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        self._client.sendall(head.dump() + (b"" if request.words[0] == "HEAD" else body))
        return False

    def _pass_on(self, request: Head, method: str) -> bool:
        if self._gate is not None:
            self._gate.admit(request, self._manners)
        body = self._request_body(request, method)
        self._server.sendall(request.dump())
        answer = self._continued(request)
        if answer is None:
            # A server that refuses may leave without hearing all; what it says counts.
            with suppress(BrokenPipeError, ConnectionResetError):
                self._send(self._server, body, chunked=request.is_chunked)
            answer = self._final()
        if answer is None:
            return False
        time.sleep(self._manners.delay_seconds)
        self._lie(answer)
        self._client.sendall(answer.dump())
        told = answer_body(answer, method, self._from_server)
        if method == "GET" and self._manners.downloads == "flip":
            told = _flipped(told)
        self._send(self._client, told, chunked=answer.is_chunked and method != "HEAD")
        return not ends_with_connection(answer, method)

    def _request_body(self, request: Head, method: str) -> Iterator[bytes]:
        """The client's bytes, spoiled as ordered; for a shorter body the head is changed too."""
        body = request_body(request, self._from_client)
        if method != "PUT":
            return body
        if self._manners.uploads == "flip":
            return _flipped(body)
        if self._manners.uploads == "truncate" and request.length:
            kept = request.length // 2
            request.put("Content-Length", str(kept))
            return _first(kept, body)
        return body

    def _continued(self, request: Head) -> Head | None:
        """Where the client asks first: the server's final answer, unless it says to go on."""
        if request.get("Expect") is None:
            return None
        answer = read_head(self._from_server)
        if answer is None:
            raise ConnectionError("the server left")
        if answer.words[1] != "100":
            return answer
        self._client.sendall(answer.dump())
        return None

    def _final(self) -> Head | None:
        answer = read_head(self._from_server)
        while answer is not None and answer.words[1] == "100":
            answer = read_head(self._from_server)
        return answer

    def _lie(self, answer: Head) -> None:
        if self._manners.lies_about_checksums and (said := answer.get("Digest")):
            algorithm, _, value = said.partition("=")
            answer.put("Digest", f"{algorithm}={_another(value)}")

    def _send(self, to: socket.socket, body: Iterable[bytes], *, chunked: bool) -> None:
        for piece in _measured(body, self._manners):
            to.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            to.sendall(b"0\r\n\r\n")


def _reset(client: socket.socket) -> None:
    """Leave without the goodbye of a shutdown, whoever else still holds the socket."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    with suppress(OSError):
        os.close(client.detach())


def _pass_on(client: socket.socket, server: socket.socket, manners: Manners) -> None:
    """Bytes both ways, of a protocol that the front does not speak."""

    def carry(source: socket.socket, sink: socket.socket) -> None:
        try:
            for piece in _measured(iter(lambda: source.recv(PIECE_BYTES), b""), manners):
                sink.sendall(piece)
        except ResetError:
            _reset(client)
        except OSError:
            pass
        for one in (client, server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    back = threading.Thread(target=carry, args=(server, client), daemon=True)
    back.start()
    carry(client, server)
    back.join(_PATIENCE_SECONDS)


def _measured(body: Iterable[bytes], manners: Manners) -> Iterator[bytes]:
    """The body at the pace and up to the length that the manners allow."""
    sent = 0
    for piece in body:
        for part in _slices(piece, manners.bytes_per_second):
            sent += len(part)
            if manners.reset_after_bytes is not None and sent > manners.reset_after_bytes:
                raise ResetError
            yield part


def _slices(piece: bytes, bytes_per_second: int) -> Iterator[bytes]:
    if not bytes_per_second:
        yield piece
        return
    size = max(1, bytes_per_second // _SLICES_PER_SECOND)
    for start in range(0, len(piece), size):
        time.sleep(1 / _SLICES_PER_SECOND)
        yield piece[start : start + size]


def _flipped(body: Iterable[bytes]) -> Iterator[bytes]:
    """The body with the last bit of its first byte turned over."""
    flip = 1
    for piece in body:
        yield bytes((piece[0] ^ flip,)) + piece[1:]
        flip = 0


def _first(kept: int, body: Iterable[bytes]) -> Iterator[bytes]:
    """So many bytes of the body, and all of it is read."""
    for piece in body:
        yield piece[:kept]
        kept -= min(kept, len(piece))


def _another(value: str) -> str:
    """A checksum of the same form."""
    return value[:-1] + ("1" if value.endswith("0") else "0")
