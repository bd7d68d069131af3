"""Questions that tell whether a server is ready; each is answered within a second."""

import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

PATIENCE_SECONDS = 1.0


def listens(port: int) -> bool:
    """Whether something accepts connections on the loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS).close()
    except OSError:
        return False
    return True


def answers(port: int, path: str, status: int | None = 200, *, tls: bool = False) -> bool:
    """Whether a GET is answered with that status, or with any if none is given."""
    connection = _connection(port, tls=tls)
    try:
        connection.request("GET", path)
        answer = connection.getresponse().status
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return status is None or answer == status


def _connection(port: int, *, tls: bool) -> HTTPConnection:
    if not tls:
        return HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    # Whether its certificate is good is for its clients to say.
    trust = ssl._create_unverified_context()  # noqa: S323, SLF001 - the documented name for it
    return HTTPSConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS, context=trust)


def redis_answers(port: int) -> bool:
    """Whether Redis has loaded its data and says PONG."""
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def postgres_ready(data: Path) -> bool:
    """Whether PostgreSQL says of itself, in its pid file, that it takes connections."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"
