"""Where a token is tried on a storage: what lies there before and after, and what is asked.

The scene is set and looked at with our own token, which has all rights in the run's area.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from posixpath import dirname
from urllib.parse import urlsplit

from dltest.lake.storage.order import FileOrder
from dltest.lake.token_rules.catalogue import Action, Must
from dltest.lake.token_rules.exchange import KEPT_BYTES, Answer, ask
from dltest.lake.token_rules.places import in_requests, path_of

BEFORE, AFTER = b"dltest: as it was\n", b"dltest: as the token wrote it\n"
SCHEMES = {"davs": "https", "dav": "http"}

ACCEPTED, REFUSED = Must.ACCEPTED.value, Must.REFUSED.value
FAILED = "failed"
"""It neither did what was asked nor refused it."""
NOT_TRIED = "not-tried"
# RFC 9110, 15.5.6 and 15.6.2: the storage knows no such request, whoever asks.
NOT_OFFERED = frozenset({405, 501})


class NotPreparedError(Exception):
    """The storage refuses dltest's own token, so nothing can be tried."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a rule is tried: at its file, with another one beside it, in another folder.

    `origin` is scheme, host and port.
    """

    origin: str
    places: Mapping[str, str]
    beside: str

    @classmethod
    def of(cls, file: FileOrder) -> "Scene":
        parts = urlsplit(file.url)
        scheme = SCHEMES.get(parts.scheme, parts.scheme)
        beside = file.beside or file.url
        origin = f"{scheme}://{parts.netloc}"
        return cls(origin, in_requests(file.url, beside), f"{origin}{path_of(beside)}")

    @property
    def file(self) -> str:
        return f"{self.origin}{self.places['file']}"


@dataclass(frozen=True, slots=True)
class Storage:
    """Requests with dltest's own token."""

    keeper: str | None

    def content(self, url: str, most: int = KEPT_BYTES) -> bytes | None:
        """What lies there; None: nothing."""
        answer = ask("GET", url, self.keeper, most=most)
        if answer.status == 404:
            return None
        return self._demanded("GET", url, answer).content

    def put(self, url: str, content: bytes) -> None:
        """Write it, with the folders above it."""
        answer = ask("PUT", url, self.keeper, content=content)
        if answer.status in {404, 409}:
            self._make_folders(url)
            answer = ask("PUT", url, self.keeper, content=content)
        self._demanded("PUT", url, answer)

    def clear(self, url: str) -> None:
        if self.content(url) is not None:
            self._demanded("DELETE", url, ask("DELETE", url, self.keeper))

    def _make_folders(self, url: str) -> None:
        origin, path = url.split(path_of(url), maxsplit=1)[0], dirname(path_of(url))
        missing = []
        while path != "/":
            missing.append(path)
            path = dirname(path)
        for folder in reversed(missing):
            ask("MKCOL", f"{origin}{folder}", self.keeper)

    @staticmethod
    def _demanded(method: str, url: str, answer: Answer) -> Answer:
        if not answer.is_success:
            raise NotPreparedError(f"{method} {url} with our own token: {answer.words()}")
        return answer


METHODS = {
    Action.READ: "GET",
    Action.LIST: "PROPFIND",
    Action.CREATE: "PUT",
    Action.OVERWRITE: "PUT",
    Action.DELETE: "DELETE",
    Action.MOVE: "MOVE",
    Action.COPY: "COPY",
    Action.UPLOAD: "PUT",
    Action.DOWNLOAD: "GET",
}
_MAKES = frozenset({Action.CREATE, Action.COPY})


def prepare(storage: Storage, scene: Scene, action: Action) -> None:
    """Set the scene: what shall be there is there, and what shall be made is not."""
    if scene.beside != scene.file:
        # For its folder too, without which no `..` leads anywhere.
        storage.put(scene.beside, BEFORE)
    storage.put(scene.file, BEFORE)
    if action is Action.MOVE:
        storage.clear(scene.beside)
    if action in _MAKES:
        storage.clear(scene.file)


def seen(storage: Storage, scene: Scene, action: Action) -> tuple[bytes | None, ...]:
    """What lies in all places that the action could change."""
    places = [scene.file, scene.beside] if action is Action.MOVE else [scene.file]
    return tuple(storage.content(place) for place in places)


def act(storage: Storage, action: Action, url: str, scene: Scene, token: str | None) -> Answer:
    """Ask it of the storage with the token under test; of a copy's source with our own."""
    method = METHODS[action]
    match action:
        case Action.LIST:
            return ask(method, dirname(url), token, headers={"Depth": "1"})
        case Action.CREATE | Action.OVERWRITE:
            return ask(method, url, token, content=AFTER)
        case Action.MOVE:
            return ask(method, url, token, headers={"Destination": scene.beside})
        case Action.COPY:
            # HTTP third-party copy as WLCG agreed on it: the destination fetches.
            wanted = {"Source": scene.beside, "Overwrite": "T"}
            wanted["TransferHeaderAuthorization"] = f"Bearer {storage.keeper}"
            return ask(method, url, token, headers=wanted)
        case _:
            return ask(method, url, token)


def outcome(action: Action, answer: Answer) -> str:
    """The storage's yes or no; a page in place of the file's bytes is neither."""
    if answer.is_refusal:
        return REFUSED
    is_done = answer.is_success
    if action is Action.READ:
        is_done &= answer.content == BEFORE
    if action is Action.COPY:
        # The status comes before the bytes; how it ended stands in the last line.
        is_done &= b"success" in answer.content.lower()
    return ACCEPTED if is_done else FAILED
