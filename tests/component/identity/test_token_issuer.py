"""The lab's issuer as its clients meet it: every grant, what it remembers, and what it refuses."""

import base64
import hashlib
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import KeySet
from werkzeug.test import TestResponse

from dltest.lab.identity.configuration import NodeConfig
from dltest.lab.identity.holders import DEVICE, EXCHANGE, Client, User
from dltest.lab.identity.keys import rotate
from dltest.lab.identity.web import application

ISSUER = "https://localhost:8443/"
BACK = "https://client.example/back"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


def _config(folder: Path, **changes: Any) -> NodeConfig:
    return NodeConfig(
        issuer=ISSUER,
        port=0,
        folder=folder,
        certificate=folder,
        key=folder,
        clients=(
            Client("robot", "robot-secret", groups=("/vo", "/vo/ops"), redirect_uris=(BACK,)),
            Client("mover", "mover-secret"),
        ),
        users=(User("ada", "ada-secret", ("/vo",)),),
        **changes,
    )


@pytest.fixture
def node(tmp_path: Path) -> FlaskClient:
    return application(_config(tmp_path)).test_client()


def _post(node: FlaskClient, path: str, client: str = "robot", **form: Any) -> TestResponse:
    return node.post(path, base_url=ISSUER, auth=(client, f"{client}-secret"), data=form)


def _token(node: FlaskClient, client: str = "robot", **form: Any) -> dict[str, Any]:
    answer = _post(node, "/token", client, **form)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def _own(node: FlaskClient, scope: str, **form: Any) -> dict[str, Any]:
    return _token(node, grant_type="client_credentials", scope=scope, **form)


def _claims(node: FlaskClient, token: str) -> dict[str, Any]:
    published = node.get("/jwk", base_url=ISSUER).get_json()
    return dict(jwt.decode(token, KeySet.import_key_set(published), ["ES256"]).claims)


def test_a_client_gets_a_token_of_the_profile(node: FlaskClient) -> None:
    scope = "storage.read:/a storage.create:/a/b wlcg.groups:/vo/ops root.everything"
    given = _own(node, scope, audience="https://se.example:1094")
    claims = _claims(node, given["access_token"])
    assert claims.pop("iat") == pytest.approx(time.time(), abs=5)
    assert claims["exp"] - claims.pop("nbf") == 3600
    assert claims.pop("exp") > time.time()
    assert claims.pop("jti")
    assert claims == {
        "wlcg.ver": "1.0",
        "iss": ISSUER,
        "sub": "robot",
        "client_id": "robot",
        "aud": "https://se.example:1094",
        "scope": "storage.read:/a storage.create:/a/b wlcg.groups:/vo/ops",
        "wlcg.groups": ["/vo/ops"],
    }
    assert "refresh_token" not in given


def test_a_request_chooses_audiences_and_times(node: FlaskClient) -> None:
    given = _own(node, "openid", resource=["a", "b"], lifetime="7", not_before="600")
    claims = _claims(node, given["access_token"])
    assert claims["aud"] == ["a", "b"]
    assert claims["exp"] - claims["nbf"] == given["expires_in"] == 7
    assert claims["nbf"] - claims["iat"] == 600
    assert _claims(node, _own(node, "openid")["access_token"])["aud"].endswith("/any")


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "root.all"}, 400, "invalid_scope"),
        ({"grant_type": "client_credentials", "lifetime": "long"}, 400, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "made-up"}, 400, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "made-up"}, 400, "invalid_grant"),
    ],
)
def test_what_is_wrong_is_refused_in_the_words_of_the_rfc(
    node: FlaskClient, form: dict[str, str], status: int, error: str
) -> None:
    answer = _post(node, "/token", **form)
    assert (answer.status_code, answer.get_json()["error"]) == (status, error)


def test_a_wrong_secret_is_no_client(node: FlaskClient) -> None:
    form = {"grant_type": "client_credentials", "scope": "openid"}
    answer = node.post("/token", base_url=ISSUER, auth=("robot", "guess"), data=form)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_exchange_gives_a_refresh_token_that_can_be_revoked(node: FlaskClient) -> None:
    scope = "storage.read:/a offline_access"
    handed = _own(node, scope, audience="https://se.example")["access_token"]
    held = _token(
        node,
        "mover",
        grant_type=EXCHANGE,
        subject_token=handed,
        subject_token_type=ACCESS_TOKEN,
        scope=scope,
    )
    renewed = _token(
        node, "mover", grant_type="refresh_token", refresh_token=held["refresh_token"], lifetime=60
    )
    claims = _claims(node, renewed["access_token"])
    assert (claims["sub"], claims["client_id"]) == ("robot", "mover")
    assert claims["aud"] == "https://se.example"
    assert renewed["refresh_token"] == held["refresh_token"]
    assert _post(node, "/introspect", token=held["refresh_token"]).get_json()["active"]
    assert _post(node, "/revoke", "mover", token=held["refresh_token"]).status_code == 200
    assert not _post(node, "/introspect", token=held["refresh_token"]).get_json()["active"]
    again = {"grant_type": "refresh_token", "refresh_token": held["refresh_token"]}
    assert _post(node, "/token", "mover", **again).get_json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "scope", ["storage.modify:/a", "storage.read:/", "storage.read:/ab", "storage.read:/a/../b"]
)
def test_exchange_gives_no_more_rights(node: FlaskClient, scope: str) -> None:
    handed = _own(node, "storage.read:/a")["access_token"]
    asked = {
        "grant_type": EXCHANGE,
        "subject_token": handed,
        "subject_token_type": ACCESS_TOKEN,
    }
    assert _claims(node, _token(node, scope="storage.read:/a/b", **asked)["access_token"])
    answer = _post(node, "/token", **asked, scope=scope)
    assert answer.get_json()["error"] == "invalid_scope"


def test_a_revoked_access_token_is_not_active(node: FlaskClient) -> None:
    token = _own(node, "storage.read:/a")["access_token"]
    assert _post(node, "/introspect", "mover", token=token).get_json()["scope"] == "storage.read:/a"
    assert _post(node, "/revoke", token=token).status_code == 200
    assert _post(node, "/introspect", "mover", token=token).get_json() == {"active": False}


def test_a_user_allows_a_client_by_code_and_challenge(node: FlaskClient) -> None:
    verifier = "v" * 50
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": "robot",
        "redirect_uri": BACK,
        "scope": "openid wlcg.groups offline_access",
        "state": "s",
        "nonce": "n",
        "audience": "rucio",
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    assert node.get("/authorize", base_url=ISSUER, query_string=asked).status_code == 200
    signed = {"username": "ada", "password": "ada-secret", "answer": "allow"}
    answer = node.post("/authorize", base_url=ISSUER, query_string=asked, data=signed)
    back = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert back["state"] == ["s"]
    by_code = {
        "grant_type": "authorization_code",
        "code": back["code"][0],
        "redirect_uri": BACK,
    }
    refused = _post(node, "/token", **by_code, code_verifier="w" * 50)
    assert refused.get_json()["error"] == "invalid_grant"
    given = _token(node, **by_code, code_verifier=verifier)
    claims = _claims(node, given["access_token"])
    assert (claims["sub"], claims["aud"], claims["wlcg.groups"]) == ("ada", "rucio", ["/vo"])
    identity = _claims(node, given["id_token"])
    assert (identity["sub"], identity["nonce"], identity["aud"]) == ("ada", "n", "robot")
    assert given["refresh_token"]
    assert _post(node, "/token", **by_code, code_verifier=verifier).status_code == 400


@pytest.mark.parametrize("word", ["allow", "deny"])
def test_a_user_allows_a_device(node: FlaskClient, word: str) -> None:
    begun = _post(node, "/devicecode", scope="storage.read:/a", audience="se").get_json()
    asked = {"grant_type": DEVICE, "device_code": begun["device_code"]}
    assert _post(node, "/token", **asked).get_json()["error"] == "authorization_pending"
    signed = {"username": "ada", "password": "ada-secret", "answer": word}
    node.post(begun["verification_uri_complete"], base_url=ISSUER, data=signed)
    answer = _post(node, "/token", **asked).get_json()
    if word == "deny":
        assert answer["error"] == "access_denied"
    else:
        claims = _claims(node, answer["access_token"])
        assert (claims["sub"], claims["aud"]) == ("ada", "se")


def test_nodes_share_what_they_know(node: FlaskClient, tmp_path: Path) -> None:
    other = application(_config(tmp_path)).test_client()
    token = _own(node, "openid")["access_token"]
    assert _claims(other, token)["sub"] == "robot"
    _post(other, "/revoke", token=token)
    assert _post(node, "/introspect", token=token).get_json() == {"active": False}
    rotate(tmp_path)
    assert _claims(other, _own(node, "openid")["access_token"])["sub"] == "robot"
    assert _claims(other, token)["sub"] == "robot"


def test_a_node_can_sign_with_a_key_of_nobodys(node: FlaskClient, tmp_path: Path) -> None:
    other = application(_config(tmp_path, signing="unpublished")).test_client()
    with pytest.raises(InvalidKeyIdError):
        _claims(node, _own(other, "openid")["access_token"])
    other = application(_config(tmp_path, signing="next", clock_seconds=600)).test_client()
    token = _own(other, "openid")["access_token"]
    assert _claims(node, token)["iat"] == pytest.approx(time.time() + 600, abs=5)


def test_the_book_holds_no_token(node: FlaskClient, tmp_path: Path) -> None:
    scope = "storage.read:/a offline_access"
    handed = _own(node, scope)["access_token"]
    asked = {"grant_type": EXCHANGE, "subject_token": handed, "subject_token_type": ACCESS_TOKEN}
    held = _token(node, **asked)["refresh_token"]
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert held.encode() not in kept
    assert handed.encode() not in kept
