"""dltest as a client of a real issuer: two nodes, a balancer, TLS."""

from datetime import timedelta
from pathlib import Path

import pytest
from issuer_rig import Rig

from dltest.errors import CredentialError
from dltest.lab.identity import nodes
from dltest.lab.identity.keys import rotate
from dltest.lake.identity import Issuer, open_wallet
from dltest.lake.identity.reading import claims_of
from dltest.lake.ports import TokenRequest

READ = TokenRequest(scopes=("storage.read:/a",), audiences=("https://se.example",))


def test_a_token_says_what_was_asked_for(rig: Rig) -> None:
    times = {"lifetime": timedelta(seconds=30), "not_before": timedelta(seconds=90)}
    token = Issuer(rig.settings()).issue(READ.model_copy(update=times))
    assert token.claims["scope"] == "storage.read:/a"
    assert token.claims["aud"] == "https://se.example"
    assert token.claims["nbf"] - token.claims["iat"] == 90
    assert token.claims["exp"] - token.claims["nbf"] == 30
    assert 0 < token.seconds < 10
    assert token.value.get_secret_value() not in repr(token)
    assert token.value.get_secret_value() not in token.model_dump_json()


def test_a_refresh_token_is_good_until_it_is_revoked(rig: Rig) -> None:
    issuer = Issuer(rig.settings())
    token = issuer.issue(READ.model_copy(update={"renewable": True}))
    assert token.refresh is not None
    renewed = issuer.refresh(token.refresh)
    assert renewed.claims["jti"] != token.claims["jti"]
    assert renewed.claims["aud"] == "https://se.example"
    issuer.revoke(token.refresh)
    with pytest.raises(CredentialError) as caught:
        issuer.refresh(token.refresh)
    assert (caught.value.code, caught.value.answered) == ("token-refused", True)
    assert "invalid_grant" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "code", "answered"),
    [
        ({"client_secret": "canary-secret"}, "client-refused", True),
        ({"issuer": "https://localhost:9/"}, "issuer-unreachable", False),
        ({"ca_file": None}, "issuer-unreachable", False),
    ],
)
def test_what_goes_wrong_is_told_without_secrets(
    rig: Rig, changes: dict[str, str], code: str, answered: bool
) -> None:
    with pytest.raises(CredentialError) as caught:
        Issuer(rig.settings(**changes)).issue(READ)
    assert (caught.value.code, caught.value.answered) == (code, answered)
    assert str(caught.value.blame) == "identity"
    assert "canary" not in str(caught.value)


def test_an_issuer_of_another_name_is_not_taken_for_ours(rig: Rig) -> None:
    settings = rig.settings(issuer=nodes.issuer(rig.lab).removesuffix("/"))
    with pytest.raises(CredentialError) as caught:
        Issuer(settings).issue(READ)
    assert caught.value.code == "issuer-mismatch"


def test_probes_tell_the_nodes_apart(whole: Rig) -> None:
    issuer = Issuer(whole.settings())
    healthy = [issuer.probe(node) for node in issuer.nodes()]
    assert all(one.trouble is None and one.token_seconds for one in healthy)
    assert len(healthy[0].key_ids) >= 2
    assert {one.clock_seconds for one in healthy} == {0.0}
    first, second = nodes.NODES
    whole.kill(first)
    whole.alter(second, clock_seconds=600)
    down, skewed = (issuer.probe(node) for node in issuer.nodes())
    assert down.trouble is not None
    assert down.trouble.code == "issuer-unreachable"
    assert skewed.trouble is None
    assert skewed.clock_seconds == pytest.approx(600, abs=5)


def test_one_node_is_enough(whole: Rig) -> None:
    issuer = Issuer(whole.settings())
    issuer.issue(READ)
    whole.kill(nodes.NODES[0])
    assert all(Issuer(whole.settings()).issue(READ).claims for _ in range(4))
    assert issuer.issue(READ).claims
    whole.kill(*nodes.NODES)
    with pytest.raises(CredentialError) as caught:
        issuer.issue(READ)
    assert (caught.value.code, caught.value.retryable) == ("issuer-unreachable", True)


def test_keys_are_rotated_without_an_outage(rig: Rig) -> None:
    issuer = Issuer(rig.settings())
    issuer.issue(READ)
    for _ in range(3):
        rotate(rig.lab.layout.identity)
        assert issuer.issue(READ).claims


def test_a_key_of_nobodys_is_noticed(whole: Rig) -> None:
    for node in nodes.NODES:
        whole.alter(node, signing="unpublished")
    issuer = Issuer(whole.settings())
    with pytest.raises(CredentialError, match="not published") as caught:
        issuer.issue(READ)
    assert caught.value.code == "token-untrustworthy"
    assert issuer.probe(issuer.nodes()[0]).trouble is not None


def test_what_is_in_the_wallet_outlives_the_issuer(whole: Rig, tmp_path: Path) -> None:
    wallet = open_wallet(whole.settings())
    held = wallet.bearer(READ)
    assert claims_of(held.get_secret_value())["sub"] == nodes.DLTEST
    whole.kill(*nodes.NODES)
    assert wallet.bearer(READ) == held
    with pytest.raises(CredentialError) as caught:
        wallet.bearer(TokenRequest(scopes=("openid",)))
    assert (caught.value.code, caught.value.answered) == ("issuer-unreachable", False)
