"""Storages that want tokens, and the transfers between them, on a real lab."""

import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from joserfc.util import urlsafe_b64encode

from dltest.lab.identity.keys import ensure_keys
from dltest.lab.layout import Layout
from dltest.lake.trust import tls_context
from dltest.settings import LakeSettings

PLACE = "/rucio/dltest/token-tests"
FAULTY, OTHER = "XRD5", "XRD6"


class Storages:
    """Asks storages with tokens that are signed here, with the issuer's own key."""

    def __init__(self, lab: Any) -> None:
        settings = LakeSettings.load(lab.lake_file)
        assert settings.identity is not None
        self._issuer = settings.identity.issuer
        self._keys: KeySet = ensure_keys(Layout(lab.lake_file.parent).identity)
        self.client = httpx2.Client(verify=tls_context(settings.storage.ca_file))
        self._urls = {
            rse["name"]: httpx2.URL(rse["protocols"][0]["url"]) for rse in lab.status()["rses"]
        }

    def claims(self, rse: str = FAULTY, **changed: Any) -> dict[str, Any]:
        now = int(time.time())
        good = {
            "wlcg.ver": "1.0",
            "iss": self._issuer,
            "sub": "test",
            "aud": self._urls[rse].host,
            "scope": "storage.read:/ storage.modify:/",
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": str(uuid.uuid4()),
        }
        return good | changed

    def token(self, rse: str = FAULTY, **changed: Any) -> str:
        key = self._keys.keys[0]
        header = {"alg": "ES256", "kid": key.kid}
        return jwt.encode(header, self.claims(rse, **changed), key)

    def ask(
        self, token: str | None, rse: str = FAULTY, path: str = PLACE, method: str = "PUT"
    ) -> int:
        url = self._urls[rse].copy_with(scheme="https", path=f"{path}/{uuid.uuid4()}")
        # XRootD leaves after a refusal without a word.
        headers = {"Connection": "close"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.request(method, url, headers=headers, content=b"x").status_code


@pytest.fixture
def storages(lab: Any) -> Iterator[Storages]:
    asking = Storages(lab)
    yield asking
    asking.client.close()
    for rse in (FAULTY, OTHER):
        shutil.rmtree(Path(lab.rse(rse)["folder"]) / "dltest" / "token-tests", ignore_errors=True)


def unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none"}, claims)
    return ".".join(urlsafe_b64encode(json.dumps(one).encode()).decode() for one in parts) + "."


def wrong(storages: Storages) -> dict[str, Callable[[], int]]:
    """For each hole, a request that goes through it and nowhere else."""
    ask, token = storages.ask, storages.token
    reads = "storage.read:/ "
    return {
        "storage-audience-unchecked": lambda: ask(token(aud="elsewhere.example")),
        "storage-path-unchecked": lambda: ask(token(scope=f"{reads} storage.modify:/elsewhere")),
        "storage-prefix-unchecked": lambda: ask(token(scope=f"{reads} storage.modify:/dlte")),
        "storage-expired-accepted": lambda: ask(token(exp=int(time.time()) - 1)),
        "storage-alg-none-accepted": lambda: ask(unsigned(storages.claims())),
    }


def test_a_storage_takes_the_tokens_that_are_made_out_to_it(storages: Storages) -> None:
    assert storages.ask(storages.token()) in {200, 201}
    assert storages.ask(storages.token(OTHER), OTHER) in {200, 201}
    assert storages.ask(storages.token(), OTHER) == 403
    assert storages.ask(None) == 403
    # The VO's area, and not the rest of the storage.
    assert storages.ask(storages.token(), path="/elsewhere") == 403
    assert storages.ask(storages.token(scope="storage.modify")) == 403
    assert {ask() for ask in wrong(storages).values()} == {403}


def test_a_hole_lets_in_what_it_shall_and_nothing_else(
    broken: Any, lab: Any, storages: Storages
) -> None:
    for hole, ask in wrong(storages).items():
        broken(hole, FAULTY)  # in place of the hole before it
        assert ask() in {200, 201}, hole
        let_in = {name for name, other in wrong(storages).items() if other() != 403}
        # Who does not look at the path does not look at its end either.
        also = {"storage-prefix-unchecked"} if hole == "storage-path-unchecked" else set()
        assert let_in == {hole} | also
    lab.heal()
    assert {ask() for ask in wrong(storages).values()} == {403}
