import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.util import urlsafe_b64encode

from dltest.lab.front.gate import Gate, narrowed
from dltest.lab.front.manners import Manners, Unchecked
from dltest.lab.front.wire import Head
from dltest.lab.identity.keys import ensure_keys, new_key

Token = Callable[..., str]
READ = "storage.read:/dltest"


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(keys=tmp_path, audience="here", base_path="/rucio")


def token(gate: Gate, key: Any = None, **claims: Any) -> str:
    key = key or ensure_keys(gate.keys).keys[0]
    claims = {"aud": "here", "scope": READ, "exp": int(time.time()) + 600} | claims
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key)


def unsigned(**claims: Any) -> str:
    parts = ({"alg": "none"}, claims)
    return ".".join(urlsafe_b64encode(json.dumps(one).encode()).decode() for one in parts) + "."


def shown(
    gate: Gate, given: str, unchecked: Unchecked | None = None, path: str = "/rucio/dltest/a"
) -> str:
    """The token as XRootD sees it."""
    request = Head(f"GET {path} HTTP/1.1", [("Authorization", f"Bearer {given}")])
    gate.admit(request, Manners(unchecked=unchecked))
    return str(request.get("Authorization")).removeprefix("Bearer ")


def claims_of(gate: Gate, signed: str) -> dict[str, Any]:
    return dict(jwt.decode(signed, ensure_keys(gate.keys)).claims)


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/dltest/a", True),
        ("/dltest", True),
        ("/dltest/", True),
        ("//dltest//a", True),
        ("/", True),  # whoever may make a file may make the folders that lead to it
        ("/dltestbar/a", False),
        ("/other", False),
    ],
)
def test_a_scope_covers_its_folder_and_what_leads_to_it(path: str, kept: bool) -> None:
    assert bool(narrowed(READ, [path])) is kept


def test_storage_scopes_without_a_path_cover_nothing_and_other_scopes_stay() -> None:
    assert narrowed("openid storage.read storage.create:/ fts", ["/x"]) == (
        "openid storage.create:/ fts"
    )


def test_a_good_token_is_passed_on_as_it_is(gate: Gate) -> None:
    good = token(gate)
    assert shown(gate, good) == good


def test_a_scope_of_another_folder_with_the_same_beginning_is_taken_away(gate: Gate) -> None:
    seen = shown(gate, token(gate), path="/rucio/dltestbar/a")
    assert claims_of(gate, seen)["scope"] == ""


def test_a_move_is_about_both_of_its_paths(gate: Gate) -> None:
    given = token(gate, scope="storage.modify:/b storage.modify:/c")
    request = Head(
        "MOVE /rucio/a HTTP/1.1",
        [("Authorization", f"Bearer {given}"), ("Destination", "https://here/rucio/b/x")],
    )
    gate.admit(request, Manners())
    told = str(request.get("Authorization")).removeprefix("Bearer ")
    assert claims_of(gate, told)["scope"] == "storage.modify:/b"


@pytest.mark.parametrize(
    ("unchecked", "wrong", "right"),
    [
        ("audience", {"aud": "elsewhere"}, {"aud": "here"}),
        ("path", {"scope": "openid storage.read:/other"}, {"scope": "openid storage.read:/"}),
        ("prefix", {"scope": "storage.read:/dlt"}, {"scope": "storage.read:/dlt"}),
    ],
)
def test_a_hole_is_what_the_storage_does_not_look_at(
    gate: Gate, unchecked: Unchecked, wrong: dict[str, str], right: dict[str, str]
) -> None:
    seen = claims_of(gate, shown(gate, token(gate, **wrong), unchecked))
    assert right.items() <= seen.items()


def test_an_expired_token_lives_again_where_nobody_looks(gate: Gate) -> None:
    old = token(gate, exp=1)
    assert shown(gate, old) == old
    assert claims_of(gate, shown(gate, old, "expiry"))["exp"] > time.time()


def test_an_unsigned_token_is_signed_only_where_that_is_the_hole(gate: Gate) -> None:
    given = unsigned(aud="here", scope=READ)
    assert shown(gate, given, "audience") == given
    assert claims_of(gate, shown(gate, given, "algorithm"))["scope"] == READ


@pytest.mark.parametrize("unchecked", ["audience", "path", "prefix", "expiry", "algorithm"])
def test_no_hole_makes_a_foreign_signature_good(gate: Gate, unchecked: Unchecked) -> None:
    foreign = token(gate, key=new_key(), aud="elsewhere", scope="storage.read:/", exp=1)
    assert shown(gate, foreign, unchecked) == foreign
    assert shown(gate, "no token at all", unchecked) == "no token at all"


def test_a_token_can_run_out_with_the_copy_that_it_began(gate: Gate) -> None:
    given, other = token(gate, jti="1"), token(gate, jti="2")
    seen = []
    for method, one in (("COPY", given), ("HEAD", given), ("HEAD", other)):
        request = Head(f"{method} /rucio/dltest/a HTTP/1.1", [("Authorization", f"Bearer {one}")])
        gate.admit(request, Manners(ends_tokens="COPY"))
        told = str(request.get("Authorization")).removeprefix("Bearer ")
        seen.append(claims_of(gate, told)["exp"] < time.time())
    assert seen == [False, True, False]
