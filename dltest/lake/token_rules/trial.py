"""Tries one rule on a storage: sets the scene, asks with the token, and looks what came of it.

The scene is set and looked at with dltest's own token, which has all rights in the run's area.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from posixpath import dirname
from typing import Any
from urllib.parse import urlsplit

from dltest.lake.storage.errors import DENIED
from dltest.lake.storage.order import FileOrder, Report
from dltest.lake.token_rules.catalogue import RULES, Action, Must, Rule
from dltest.lake.token_rules.exchange import Answer, NoAnswerError, ask
from dltest.lake.token_rules.places import in_requests, path_of

BEFORE, AFTER = b"dltest: as it was\n", b"dltest: as the token wrote it\n"
PAST_ITS_END_SECONDS = 1.0

SCHEMES = {"davs": "https", "dav": "http"}

ACCEPTED, REFUSED = Must.ACCEPTED.value, Must.REFUSED.value
FAILED = "failed"
"""It neither did what was asked nor refused it."""
NOT_TRIED = "not-tried"


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

    def content(self, url: str) -> bytes | None:
        """What lies there; None: nothing."""
        answer = ask("GET", url, self.keeper)
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


def try_rule(keeper: str | None, file: FileOrder) -> Report:
    """What came of the rule that the file stands for; `keeper` is dltest's own token."""
    storage = Storage(keeper)
    rule = RULES[str(file.rule)]
    if file.untried:
        return _report(file, rule, {"outcome": NOT_TRIED, "reason": file.untried})
    try:
        return _report(file, rule, _tried(storage, file, rule))
    except NotPreparedError as error:
        return Report(file.url, DENIED.code, detail=str(error))
    except NoAnswerError as error:
        return Report(file.url, error.code, answered=False, detail=error.detail)


def _tried(storage: Storage, file: FileOrder, rule: Rule) -> dict[str, Any]:
    scene = Scene.of(file)
    prepare(storage, scene, rule.does)
    before = seen(storage, scene, rule.does)
    if rule.bearer and rule.bearer.outlived:
        _wait_until(float(file.claims.get("exp", 0)) + PAST_ITS_END_SECONDS)
    asked_for = f"{scene.origin}{rule.path.format_map(scene.places)}"
    answer = act(rule.does, asked_for, scene, file.bearer)
    return {
        "outcome": outcome(rule.does, answer),
        "request": f"{METHODS[rule.does]} {asked_for}",
        "status": answer.status,
        "reason": answer.words(),
        "unchanged": before == seen(storage, scene, rule.does),
        "server": answer.server,
        "seconds": round(answer.seconds, 3),
    }


METHODS = {
    Action.READ: "GET",
    Action.LIST: "PROPFIND",
    Action.CREATE: "PUT",
    Action.OVERWRITE: "PUT",
    Action.DELETE: "DELETE",
    Action.MOVE: "MOVE",
}


def prepare(storage: Storage, scene: Scene, action: Action) -> None:
    """Set the scene: what shall be there is there, and what shall be made is not."""
    if scene.beside != scene.file:
        # For its folder too, without which no `..` leads anywhere.
        storage.put(scene.beside, BEFORE)
    storage.put(scene.file, BEFORE)
    if action is Action.MOVE:
        storage.clear(scene.beside)
    if action is Action.CREATE:
        storage.clear(scene.file)


def seen(storage: Storage, scene: Scene, action: Action) -> tuple[bytes | None, ...]:
    """What lies in all places that the action could change."""
    places = [scene.file, scene.beside] if action is Action.MOVE else [scene.file]
    return tuple(storage.content(place) for place in places)


def act(action: Action, url: str, scene: Scene, token: str | None) -> Answer:
    """Ask it of the storage with the token under test."""
    method = METHODS[action]
    match action:
        case Action.LIST:
            return ask(method, dirname(url), token, headers={"Depth": "1"})
        case Action.CREATE | Action.OVERWRITE:
            return ask(method, url, token, content=AFTER)
        case Action.MOVE:
            return ask(method, url, token, headers={"Destination": scene.beside})
        case _:
            return ask(method, url, token)


def outcome(action: Action, answer: Answer) -> str:
    """The storage's yes or no; a page in place of the file's bytes is neither."""
    if answer.is_refusal:
        return REFUSED
    gave_it = action is not Action.READ or answer.content == BEFORE
    return ACCEPTED if answer.is_success and gave_it else FAILED


def _report(file: FileOrder, rule: Rule, told: Mapping[str, Any]) -> Report:
    evidence = {"rule": rule.name, "must": rule.must.value, **told, "claims": file.claims}
    return Report(file.url, evidence=evidence)


def _wait_until(moment: float) -> None:
    """In a mover, which may be killed at any time: no step waits here."""
    time.sleep(max(0.0, moment - time.time()))
