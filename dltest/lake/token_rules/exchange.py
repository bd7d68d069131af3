"""One HTTP request with a chosen token, its path sent exactly as it was spelled.

Nothing but the token is shown: a client certificate would open what the token does not.
"""

import http.client
import os
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from urllib.parse import urljoin, urlsplit

from dltest.lake.storage.errors import TIMEOUT, UNKNOWN_HOST, UNREACHABLE, UNTRUSTED, clean

SECONDS = 30
KEPT_BYTES = 1 << 16
MOST_REDIRECTIONS = 3
_REDIRECTIONS = frozenset({301, 302, 303, 307, 308})
LOST = "connection-lost"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; of the content no more than rules ever need."""

    status: int
    reason: str
    content: bytes
    server: str
    seconds: float

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_refusal(self) -> bool:
        return 400 <= self.status < 500

    def words(self) -> str:
        """The status with the server's own words."""
        said = clean(self.content[:300].decode(errors="replace")) if not self.is_success else ""
        return f"{self.status} {said or self.reason}".strip()


class NoAnswerError(Exception):
    """There is none; `code` is the finding code."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = clean(detail)


def ask(
    method: str,
    url: str,
    bearer: str | None,
    *,
    content: bytes = b"",
    headers: Mapping[str, str] | None = None,
    most: int = KEPT_BYTES,
) -> Answer:
    """Send it and follow redirections; what is shown goes to the host that was asked, and no other.

    Raises:
        NoAnswerError: nobody answered.
    """
    sent = {"Content-Length": str(len(content)), **(headers or {})}
    if bearer is not None:
        sent["Authorization"] = f"Bearer {bearer}"
    asked = url
    began = time.monotonic()
    for _ in range(MOST_REDIRECTIONS + 1):
        status, reason, body, answered = _once(method, asked, sent, content, most)
        if status not in _REDIRECTIONS or "location" not in answered:
            break
        asked = urljoin(asked, answered["location"])
        if urlsplit(asked).netloc != urlsplit(url).netloc:
            sent = {"Content-Length": str(len(content))}
    return Answer(status, reason, body, answered.get("server", ""), time.monotonic() - began)


def _once(
    method: str, url: str, headers: Mapping[str, str], content: bytes, most: int
) -> tuple[int, str, bytes, dict[str, str]]:
    with connected(url) as connection:
        _begin(connection, method, url, headers)
        if content:
            connection.send(content)
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, answer.reason, answer.read(most), told


def bearing(
    connection: http.client.HTTPConnection,
    method: str,
    url: str,
    bearer: str | None,
    **headers: str,
) -> None:
    """Send the head of a request with the token; its content and the answer are the caller's."""
    shown = {"Authorization": f"Bearer {bearer}"} if bearer is not None else {}
    _begin(connection, method, url, {**headers, **shown})


def _begin(
    connection: http.client.HTTPConnection, method: str, url: str, headers: Mapping[str, str]
) -> None:
    # Not the path of `urlsplit`, which lacks the query.
    path = url.partition(urlsplit(url).netloc)[2] or "/"
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()


@contextmanager
def connected(url: str, window: int | None = None) -> Iterator[http.client.HTTPConnection]:
    """A connection to the URL's host, whose failures are told as `NoAnswerError`.

    With a `window`, no more bytes than about that are taken in before they are read.
    """
    parts = urlsplit(url)
    connection = _connection(parts.scheme, str(parts.hostname), parts.port)
    try:
        connection.connect()
        if window is not None:
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        yield connection
    except ssl.SSLCertVerificationError as error:
        raise NoAnswerError(UNTRUSTED.code, str(error)) from error
    except TimeoutError as error:
        raise NoAnswerError(TIMEOUT.code, f"no answer within {SECONDS} s") from error
    except socket.gaierror as error:
        raise NoAnswerError(UNKNOWN_HOST.code, str(error)) from error
    except ConnectionRefusedError as error:
        raise NoAnswerError(UNREACHABLE.code, str(error)) from error
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswerError(LOST, f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=SECONDS)
    return http.client.HTTPSConnection(host, port, timeout=SECONDS, context=_trust())


@cache
def _trust() -> ssl.SSLContext:
    """What a mover's environment says: `SSL_CERT_FILE`, and the folder of grid authorities."""
    context = ssl.create_default_context()
    if folder := os.environ.get("X509_CERT_DIR"):
        context.load_verify_locations(capath=folder)
    return context
