"""dltest's own tokens: where they are found, and when they are renewed."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from pydantic import JsonValue, SecretStr

from dltest.errors import CredentialError
from dltest.lake.identity.calls import unreachable
from dltest.lake.identity.sources import ByAgent, ByCredentials, Discovered
from dltest.lake.identity.wallet import Wallet
from dltest.lake.ports import IssuedToken, TokenRequest, Tokens

KEY = ECKey.generate_key("P-256")
ANY = TokenRequest(scopes=("storage.read:/",))


def _token(**claims: float) -> str:
    return jwt.encode({"alg": "ES256"}, {"sub": "us", **claims}, KEY)


class Mint:
    """Tokens of one lifetime by a clock that is set by hand; None for an issuer that is gone."""

    def __init__(self, seconds: float | None) -> None:
        self.now = 1_000_000.0
        self.seconds = seconds
        self.asked = 0

    def __call__(self, _: TokenRequest) -> SecretStr:
        self.asked += 1
        if self.seconds is None:
            raise unreachable("gone", "get a token")
        return SecretStr(_token(nbf=self.now, exp=self.now + self.seconds, number=self.asked))

    def wallet(self) -> Wallet:
        return Wallet(self, now=lambda: self.now)


@pytest.mark.parametrize(("lifetime", "kept"), [(60, 39), (3600, 3299)])
def test_a_token_is_kept_and_renewed_ahead_of_its_end(lifetime: float, kept: float) -> None:
    mint = Mint(lifetime)
    wallet = mint.wallet()
    first = wallet.bearer(ANY)
    mint.now += kept
    assert wallet.bearer(ANY) == first
    mint.now += 2
    assert wallet.bearer(ANY) != first
    assert mint.asked == 2


def test_tokens_for_other_things_are_others() -> None:
    mint = Mint(60)
    wallet = mint.wallet()
    assert wallet.bearer(ANY) != wallet.bearer(ANY.model_copy(update={"audiences": ("a",)}))


def test_without_the_issuer_a_token_goes_on_to_its_end_and_not_beyond() -> None:
    mint = Mint(60)
    wallet = mint.wallet()
    first = wallet.bearer(ANY)
    mint.seconds = None
    mint.now += 59
    assert wallet.bearer(ANY) == first
    mint.now += 2
    with pytest.raises(CredentialError) as caught:
        wallet.bearer(ANY)
    assert (caught.value.code, caught.value.answered) == ("issuer-unreachable", False)
    assert str(caught.value.blame) == "identity"


@pytest.mark.parametrize(
    ("times", "code"),
    [
        ({"exp": 999_999.0}, "token-expired"),
        ({"nbf": 1_000_600.0, "exp": 1_001_000.0}, "token-not-yet-valid"),
    ],
)
def test_a_token_that_is_no_good_now_is_ours_to_mend(times: dict[str, float], code: str) -> None:
    wallet = Wallet(lambda _: SecretStr(_token(**times)), now=lambda: 1_000_000.0)
    with pytest.raises(CredentialError) as caught:
        wallet.bearer(ANY)
    assert (caught.value.code, str(caught.value.blame)) == (code, "dltest")
    assert not caught.value.answered


def test_a_token_that_only_its_issuer_can_read_is_asked_for_each_time() -> None:
    given = iter(("opaque-1", "opaque-2"))
    wallet = Wallet(lambda _: SecretStr(next(given)))
    assert wallet.bearer(ANY).get_secret_value() == "opaque-1"
    assert wallet.bearer(ANY).get_secret_value() == "opaque-2"


class Generous:
    """An issuer that gives what it likes."""

    def __init__(self, **claims: JsonValue) -> None:
        self._claims = claims

    def issue(self, _: TokenRequest) -> IssuedToken:
        return IssuedToken(value=SecretStr(_token()), claims=self._claims, seconds=0.1)


AT_STORAGE = TokenRequest(scopes=("storage.read:/", "profile"), audiences=("se",))


@pytest.mark.parametrize(
    ("claims", "lacking"),
    [
        ({"scope": "storage.read:/a profile", "aud": "se"}, "storage.read:/"),
        ({"scope": "storage.read:/", "aud": "other"}, "the audience se"),
        ({}, "storage.read:/, the audience se"),
    ],
)
def test_a_token_that_lacks_what_it_is_for_is_not_shown(
    claims: dict[str, JsonValue], lacking: str
) -> None:
    with pytest.raises(CredentialError, match=f"without {lacking}$") as caught:
        Wallet(ByCredentials(cast("Tokens", Generous(**claims)))).bearer(AT_STORAGE)
    assert (caught.value.code, caught.value.answered) == ("token-lacks-rights", False)
    assert str(caught.value.blame) == "identity"


def test_what_it_is_not_needed_for_may_be_lacking() -> None:
    given = Generous(scope="storage.read:/", aud=["other", "se"])
    assert ByCredentials(cast("Tokens", given))(AT_STORAGE)


@pytest.fixture
def places(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Every place of the WLCG bearer token discovery but the last, with another token in each."""
    (tmp_path / f"bt_u{os.geteuid()}").write_text("of-runtime\n")
    (tmp_path / "named").write_text("  of-file \n")
    return {
        "BEARER_TOKEN": " of-variable ",
        "BEARER_TOKEN_FILE": str(tmp_path / "named"),
        "XDG_RUNTIME_DIR": str(tmp_path),
    }


def test_tokens_are_discovered_in_the_order_of_the_wlcg(
    places: dict[str, str], tmp_path: Path
) -> None:
    def found(file: Path | None = None) -> str:
        return Discovered(file, places)(ANY).get_secret_value()

    (tmp_path / "own").write_text("of-lake-file")
    assert found(tmp_path / "own") == "of-lake-file"
    assert found() == "of-variable"
    del places["BEARER_TOKEN"]
    assert found() == "of-file"
    del places["BEARER_TOKEN_FILE"]
    assert found() == "of-runtime"


def test_a_place_that_is_named_must_be_good(places: dict[str, str], tmp_path: Path) -> None:
    del places["BEARER_TOKEN"]
    places["BEARER_TOKEN_FILE"] = str(tmp_path / "missing")
    with pytest.raises(CredentialError, match="missing") as caught:
        Discovered(environment=places)(ANY)
    assert (caught.value.code, caught.value.answered) == ("token-unavailable", False)


def test_the_agent_is_asked_by_its_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "oidc-token"
    program.write_text(f'#!/bin/sh\necho "$*" > {tmp_path}/asked\n[ "$4" = ours ] && echo value\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    request = ANY.model_copy(update={"audiences": ("https://se",)})
    assert ByAgent("ours")(request).get_secret_value() == "value"
    said = (tmp_path / "asked").read_text().strip()
    assert said == "--time=60 --scope=storage.read:/ --aud=https://se ours"
    with pytest.raises(CredentialError, match="is it loaded") as caught:
        ByAgent("theirs")(request)
    assert (caught.value.code, str(caught.value.blame)) == ("token-unavailable", "dltest")
