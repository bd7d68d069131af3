"""What happens to bearer tokens before XRootD sees them: its own holes closed, others opened.

The SciTokens plugin of XRootD 5.5 compares paths letter by letter, so that `storage.read:/foo`
opens `/foobar` too, and takes a storage scope without a path for one of everything; the WLCG token
profile forbids both. So a token is narrowed to those of its scopes that cover the request's path.

A hole is opened by signing the token anew, with that claim put right which the storage shall not
look at. All else is left to XRootD, which decides in the end, and says so in its own words.
"""

import json
import posixpath
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from dltest.lab.front.manners import Manners, Unchecked
from dltest.lab.front.wire import Head
from dltest.lab.identity.keys import ALGORITHM, ensure_keys

Claims = dict[str, Any]
BEARER = "Bearer "
STORAGE = "storage."
_EVERYWHERE = "/"
_LIFE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Gate:
    """Stands before one storage: where its issuer's keys lie, its audience, the VO's area."""

    keys: Path
    audience: str
    base_path: str
    _ended: set[str] = field(default_factory=set)

    def admit(self, request: Head, manners: Manners) -> None:
        """Put the request's token right or wrong; what is no token of ours is left alone."""
        said = request.get("Authorization") or ""
        if not said.startswith(BEARER):
            return
        token = said.removeprefix(BEARER).strip()
        paths = [self._area(one) for one in _targets(request)]
        changed = self._changed(token, paths, manners.unchecked)
        if request.words[0] == manners.ends_tokens:
            self._ended.add(token)
        if changed is not None:
            request.put("Authorization", BEARER + changed)

    def _changed(self, token: str, paths: list[str], unchecked: Unchecked | None) -> str | None:
        keys = ensure_keys(self.keys)
        claims = _claims(token, keys, unsigned=unchecked == "algorithm")
        if claims is None:
            return None  # not good, or not ours: for XRootD to refuse
        wanted = dict(claims)
        if unchecked not in {"path", "prefix"}:
            wanted["scope"] = narrowed(str(claims.get("scope", "")), paths)
        if unchecked is not None:
            wanted |= self._forgiven(unchecked, claims)
        if token in self._ended:
            wanted["exp"] = 1
        if wanted == claims and unchecked != "algorithm":
            return None
        key = keys.keys[0]
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, wanted, key)

    def _forgiven(self, unchecked: Unchecked, claims: Claims) -> Claims:
        """The claims that hide what the storage shall not look at."""
        answers: Mapping[Unchecked, Callable[[], Claims]] = {
            "audience": lambda: {"aud": self.audience},
            "path": lambda: {"scope": _without_paths(str(claims.get("scope", "")))},
            "expiry": lambda: {"exp": int(time.time()) + _LIFE_SECONDS},
        }
        return answers.get(unchecked, dict)()

    def _area(self, path: str) -> str:
        """The path as scopes name it: within the area that the VO has on the storage."""
        return path.removeprefix(self.base_path.rstrip("/")) or "/"


def narrowed(scope: str, paths: Iterable[str]) -> str:
    """The scope without those of its storage scopes that cover none of the paths."""
    wanted = list(paths)
    return " ".join(
        one for one in scope.split() if not one.startswith(STORAGE) or _covers(one, wanted)
    )


def _covers(scope: str, paths: list[str]) -> bool:
    """Whether one of the paths is in the scope's folder, name by name, or leads to it.

    Whoever may create a file may create the folders above it, says the profile.
    """
    _, colon, area = scope.partition(":")
    folder = _folder(area)
    asked = [_folder(path) for path in paths]
    return bool(colon) and any(one.startswith(folder) or folder.startswith(one) for one in asked)


def _folder(path: str) -> str:
    return _normal(path).rstrip("/") + "/"


def _without_paths(scope: str) -> str:
    words = scope.split()
    everywhere = [f"{one.partition(':')[0]}:{_EVERYWHERE}" for one in words if STORAGE in one]
    return " ".join([*(one for one in words if STORAGE not in one), *everywhere])


def _targets(request: Head) -> list[str]:
    """The paths that a request is about: its own, and the new one of a MOVE."""
    urls = [request.words[1], request.get("Destination") or ""]
    return [_normal(unquote(urlsplit(url).path)) for url in urls if url]


def _normal(path: str) -> str:
    return "/" + posixpath.normpath(path).lstrip("/")


def _claims(token: str, keys: KeySet, *, unsigned: bool) -> Claims | None:
    """The claims, where the signature is good, or where none is needed and none is there."""
    try:
        told = jws.extract_compact(token.encode())
        if unsigned and told.headers().get("alg") == "none":
            return dict(json.loads(told.payload))
        return dict(jwt.decode(token, keys, algorithms=[ALGORITHM]).claims)
    except (JoseError, ValueError):
        return None
