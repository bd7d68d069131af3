"""Transfers that outlast their token: bytes are sent and taken slowly, until after its end.

Most storages look at a token when a file is opened, so that a copy under way may come to its end;
others break it off. Both are well, if the file is whole or is not there, and somebody says why.
"""

import http.client
import time
from collections.abc import Iterator
from typing import Any

from dltest.lake.storage.order import FileOrder
from dltest.lake.token_rules.catalogue import Action
from dltest.lake.token_rules.exchange import Answer, NoAnswerError, ask, bearing, connected
from dltest.lake.token_rules.scene import ACCEPTED, FAILED, METHODS, REFUSED, Scene, Storage

PIECES = 40
PIECE_BYTES = 128 << 10
BEYOND_SECONDS = 8.0
# So little that what is not taken yet waits at the storage, and not on the way.
WINDOW_BYTES = 64 << 10


def crossed(storage: Storage, scene: Scene, file: FileOrder, action: Action) -> dict[str, Any]:
    """What came of a transfer that ended after its token, and of the next request with it."""
    end = float(file.claims["exp"])
    way = _upload if action is Action.UPLOAD else _download
    before = round(end - time.time(), 1)
    try:
        told = way(storage, scene.file, file.bearer, end + BEYOND_SECONDS)
    except NoAnswerError as error:
        told = {"outcome": FAILED, "answer": error.detail, "whole": False}
    after = round(time.time() - end, 1)
    then = ask("GET", scene.file, file.bearer)
    return {
        "request": f"{METHODS[action]} {scene.file}",
        **told,
        "begun_before_its_end_seconds": before,
        "ended_after_its_end_seconds": after,
        "next_request": then.words(),
    }


def _upload(storage: Storage, url: str, bearer: str | None, until: float) -> dict[str, Any]:
    storage.put(url, b"")
    storage.clear(url)
    answer = _sent(url, bearer, until)
    left = storage.content(url, most=2 * PIECES * PIECE_BYTES)
    return {
        "outcome": _outcome(answer),
        "answer": answer.words(),
        "whole": left == CONTENT if answer.is_success else left is None,
    }


def _download(storage: Storage, url: str, bearer: str | None, until: float) -> dict[str, Any]:
    storage.put(url, CONTENT)
    with connected(url, WINDOW_BYTES) as connection:
        bearing(connection, "GET", url, bearer)
        answer = connection.getresponse()
        taken = b"".join(_taken(answer, until))
    status = Answer(answer.status, answer.reason, taken, "", 0.0)
    return {
        "outcome": _outcome(status),
        "answer": f"{answer.status} {answer.reason}, {len(taken)} of {len(CONTENT)} bytes",
        "whole": taken == CONTENT if status.is_success else True,
    }


CONTENT = b"".join(bytes([number]) * PIECE_BYTES for number in range(PIECES))


def _sent(url: str, bearer: str | None, until: float) -> Answer:
    with connected(url) as connection:
        bearing(connection, "PUT", url, bearer, **{"Content-Length": str(len(CONTENT))})
        for number in range(PIECES):
            connection.send(CONTENT[number * PIECE_BYTES : (number + 1) * PIECE_BYTES])
            _rest(until, PIECES - number)
        answer = connection.getresponse()
        return Answer(answer.status, answer.reason, answer.read(), "", 0.0)


def _taken(answer: http.client.HTTPResponse, until: float) -> Iterator[bytes]:
    for number in range(PIECES):
        piece = answer.read(PIECE_BYTES)
        yield piece
        if not piece:
            return
        _rest(until, PIECES - number)


def _rest(until: float, parts: int) -> None:
    time.sleep(max(0.0, (until - time.time()) / parts))


def _outcome(answer: Answer) -> str:
    if answer.is_success:
        return ACCEPTED
    return REFUSED if answer.is_refusal else FAILED
