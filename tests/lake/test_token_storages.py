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
from lab_command import until
from lake_runs import Runs, verdicts, what_is_left

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
            "client_id": "rucio",
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

    def url(self, rse: str, name: str) -> str:
        return str(self._urls[rse].copy_with(path=f"{PLACE}/{name}"))

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


class Transfers:
    """The transfer service behind TLS, as Rucio meets it."""

    def __init__(self, lab: Any, storages: Storages) -> None:
        port = json.loads((lab.lake_file.parent / "lab.json").read_text())["ports"]["transfers-tls"]
        self._url = f"https://localhost:{port}"
        self._storages = storages

    def ask(self, path: str, token: str | None = None, **more: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        method = "POST" if more else "GET"
        return self._storages.client.request(method, self._url + path, headers=headers, **more)

    def user(self, **claims: Any) -> str:
        """A token for the service itself."""
        return self._storages.token(**{"aud": "localhost", "scope": "fts", **claims})

    def submit(self, read_by: str, write_by: str) -> httpx2.Response:
        file = {
            "sources": [self._storages.url(FAULTY, "source")],
            "destinations": [self._storages.url(OTHER, f"copy-{uuid.uuid4()}")],
            "source_tokens": [read_by],
            "destination_tokens": [write_by],
        }
        return self.ask("/jobs", self.user(), json={"files": [file], "params": {}})

    def ended(self, job_id: str) -> dict[str, Any]:
        """The file of a job, once it has come to its end."""

        def file() -> dict[str, Any]:
            found = self.ask(f"/jobs/{job_id}/files").json()[0]
            return found if found["file_state"] in {"FINISHED", "FAILED"} else {}

        until(lambda: bool(file()), 60)
        return file()


@pytest.fixture
def transfers(lab: Any, storages: Storages) -> Transfers:
    source = Path(lab.rse(FAULTY)["folder"]) / "dltest" / "token-tests" / "source"
    url = storages.url(FAULTY, "source").replace("davs", "https")
    bearer = {"Authorization": f"Bearer {storages.token()}", "Connection": "close"}
    storages.client.put(url, headers=bearer, content=b"content")
    assert source.read_bytes() == b"content"
    return Transfers(lab, storages)


def test_the_transfer_service_knows_its_users_by_their_tokens(transfers: Transfers) -> None:
    def who(**claims: Any) -> tuple[str, str]:
        told = transfers.ask("/whoami", transfers.user(**claims)).json()
        return told["user_dn"], told["method"]

    assert who() == ("test", "oauth2")
    nobody = ("anon", "unauthenticated")
    assert who(aud="elsewhere.example") == nobody
    assert who(exp=int(time.time()) - 1) == nobody
    assert who(iss="https://elsewhere.example/") == nobody
    refused = transfers.ask("/jobs", transfers.user(exp=1), json={"files": []})
    assert (refused.status_code, refused.json()["message"]) == (403, "Not enough permissions")


def test_tokens_of_files_are_checked_when_they_come(
    transfers: Transfers, storages: Storages
) -> None:
    good = storages.token()
    for bad, words in (
        ("no token", "Token does not contain an iss claim"),
        (storages.token(exp=int(time.time()) - 1), "Failed to validate access-token"),
        (
            storages.token(iss="https://elsewhere.example/"),
            "Transfer access-token has unknown issuer: https://elsewhere.example/",
        ),
    ):
        answer = transfers.submit(good, bad)
        assert (answer.status_code, answer.json()["message"]) == (400, words)


def test_bytes_move_with_the_tokens_of_their_file_alone(
    transfers: Transfers, storages: Storages
) -> None:
    jobs = {
        "good": transfers.submit(storages.token(), storages.token(OTHER)),
        "no source": transfers.submit(storages.token(OTHER), storages.token(OTHER)),
        "read only": transfers.submit(
            storages.token(), storages.token(OTHER, scope="storage.read:/")
        ),
    }
    ended = {name: transfers.ended(answer.json()["job_id"]) for name, answer in jobs.items()}
    told = {name: (file["file_state"], file["reason"][:8]) for name, file in ended.items()}
    assert told == {
        "good": ("FINISHED", ""),
        "no source": ("FAILED", "SOURCE ["),
        "read only": ("FAILED", "TRANSFER"),
    }
    assert "HTTP 40" in ended["read only"]["reason"]


def test_a_token_that_runs_out_in_the_queue_is_renewed_where_it_may_be(
    broken: Any, lab: Any, transfers: Transfers, storages: Storages
) -> None:
    broken("transfers-queued")
    ends = int(time.time()) + 4
    scope = "storage.read:/ storage.modify:/"
    held = storages.token(OTHER, scope=f"{scope} offline_access", exp=ends)
    jobs = [
        transfers.submit(storages.token(), token).json()["job_id"]
        for token in (held, storages.token(OTHER, scope=scope, exp=ends))
    ]
    until(lambda: time.time() > ends, 10)
    lab.heal("transfers-queued")
    renewed, lost = (transfers.ended(job) for job in jobs)
    assert (renewed["file_state"], renewed["file_state_initial"]) == ("FINISHED", "SUBMITTED")
    assert (lost["file_state"], "HTTP 40" in lost["reason"]) == ("FAILED", True)


def test_a_file_lives_and_dies_by_tokens(run: Callable[..., Runs], lab: Any) -> None:
    runs = run("life-by-token")
    assert set(verdicts(runs).values()) == {"passed"}
    assert len(runs) == 2
    assert what_is_left(lab) == []
