"""Steps of tokens and access on a simulated lake: well, with holes, and through a crash."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from simulated_run import CrashError, ended, stored

from dltest.engine import House, Rules
from dltest.errors import CredentialError
from dltest.lake.ports import (
    Attempt,
    Belongings,
    Deed,
    IssuedToken,
    NodeHealth,
    TokenRequest,
)
from dltest.lake.simulated import Ailment, SimulatedLake
from dltest.lake.token_rules.catalogue import RULES
from dltest.lake.token_rules.uses import EXPIRIES
from dltest.model import IDENTITY, Run, Trouble, Verdict
from dltest.planning import plan
from dltest.report.token_matrix import token_matrix
from dltest.scenario import parse
from dltest.store import Store

FAMILY = Path("scenarios") / "tokens"
ENGINE = Rules(
    patience=timedelta(seconds=15),
    cleanup_limit=timedelta(seconds=120),
    poll_every=timedelta(seconds=1),
)
ON_TOKENS = {"dltest-tokens=True": "XRD1|XRD2", "dltest=True": "XRD1"}
Play = Callable[..., list[Run]]


class Issuer:
    """`ports.Tokens`, with nodes that do as they are told."""

    issuer = "https://issuer.test/"

    def __init__(
        self,
        *nodes: NodeHealth,
        seconds: float = 0.1,
        gives: bool = True,
        renews: bool = True,
        revokes: bool = True,
    ) -> None:
        self._renews = renews
        self._revokes = revokes
        self._revoked: list[SecretStr] = []
        self._nodes = {node.node: node for node in nodes}
        self._seconds = seconds
        self._gives = gives

    def nodes(self) -> tuple[str, ...]:
        return tuple(self._nodes)

    def probe(self, node: str) -> NodeHealth:
        return self._nodes[node]

    def issue(self, request: TokenRequest) -> IssuedToken:
        if not self._gives:
            raise CredentialError("nobody answers", code="issuer-unreachable", operation="ask")
        claims = {"scope": " ".join(request.scopes), "aud": list(request.audiences)}
        refresh = SecretStr("again") if request.renewable and self._renews else None
        value = SecretStr("secret")
        return IssuedToken(value=value, claims=claims, seconds=self._seconds, refresh=refresh)

    def refresh(self, token: SecretStr) -> IssuedToken:
        if token in self._revoked:
            raise CredentialError("invalid_grant", code="token-refused", operation="refresh")
        return IssuedToken(value=SecretStr("secret"), claims={}, seconds=0.0)

    def revoke(self, token: SecretStr) -> None:
        if self._revokes:
            self._revoked.append(token)


class Stranger:
    """`ports.Stranger`, who is let do some things."""

    account = "stranger"

    def __init__(self, *may: Deed, code: str = "not-permitted") -> None:
        self._may = may
        self._code = code

    def attempt(self, deed: Deed, _on: Belongings) -> Attempt:
        done = deed in self._may
        return Attempt(done=done, code="" if done else self._code, words="" if done else "no")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.sqlite3'}")
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def play(store: Store) -> Play:
    """Run all cases of a scenario of the family, each to its end."""

    def start(name: str, *ailments: Ailment, crash_at: int = 0, **doors: Any) -> list[Run]:
        calls = count(1)

        def on_call(_what: str, _when: str) -> None:
            if next(calls) == crash_at:
                raise CrashError

        lake = SimulatedLake(("XRD1", "XRD2"), ailments=ailments, on_call=on_call)
        for door, who in doors.items():
            setattr(lake, door, who)
        text = (FAMILY / f"{name}.yaml").read_text()
        for expression, narrower in ON_TOKENS.items():
            text = text.replace(expression, narrower)
        known = SimulatedLake(("XRD1", "XRD2")).catalogue.inventory()
        cases = plan([parse(text, name)], known).cases
        house = House(store, lake, ENGINE, timedelta(hours=1), lake.clock.now)
        runs = [ended(store, house, lake, stored(store, case, lake)) for case in cases]
        assert lake.litter() == []
        start.calls = next(calls) - 1  # type: ignore[attr-defined]
        return runs

    return start


def found(run: Run) -> tuple[Verdict, list[tuple[str, str]]]:
    """The verdict, and code and blame of each finding."""
    assert run.judgement is not None
    told = [(finding.code, str(finding.blame)) for finding in run.judgement.findings]
    return run.judgement.verdict, told


def test_a_lake_that_keeps_all_rules_passes(play: Play) -> None:
    for name, cases in {"token-rules": 2, "token-expiry": 2, "rucio-sign-in": 1}.items():
        runs = play(name)
        assert [found(run) for run in runs] == [(Verdict.PASSED, [])] * cases, name
    assert [run.case.id for run in play("rucio-sign-in")] == ["rucio-sign-in[lake]"]
    assert runs[0].records[0].measured["tokens"] > len(EXPIRIES)


def test_a_hole_at_one_rse_is_found_there_alone_and_stands_in_the_matrix(play: Play) -> None:
    runs = play("token-rules", Ailment("token-rule-alg-none", "XRD2"))
    assert [found(run) for run in runs] == [
        (Verdict.PASSED, []),
        (Verdict.FAILED, [("token-not-refused", "site XRD2")]),
    ]
    matrix = token_matrix(runs)
    assert matrix is not None
    assert matrix.columns == ("XRD1", "XRD2")
    assert matrix.rows == tuple(RULES)
    assert len(matrix.cells) == 2 * len(RULES)
    holes = [place for place, verdict in matrix.cells.items() if verdict is not Verdict.PASSED]
    assert holes == [("alg-none", "XRD2")]


def test_a_crash_at_any_call_leaves_nothing_and_changes_nothing(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ON_TOKENS, "dltest-tokens=True", "XRD1")
    monkeypatch.setitem(ON_TOKENS, "{at: storage,", "{at: storage, rules: [reads, no-token],")
    play("token-rules")
    for crash_at in range(1, play.calls + 1):  # type: ignore[attr-defined]
        runs = play("token-rules", crash_at=crash_at)
        assert [found(run) for run in runs] == [(Verdict.PASSED, [])], crash_at


GOOD = NodeHealth(node="one", token_seconds=0.1, keys_seconds=0.1, key_ids=("a", "b"))
DOWN = NodeHealth(
    node="two", trouble=Trouble(code="issuer-unreachable", message="no", blame=IDENTITY)
)


@pytest.mark.parametrize(
    ("issuer", "verdict", "code"),
    [
        (Issuer(GOOD), Verdict.PASSED, None),
        (Issuer(GOOD, DOWN), Verdict.DEGRADED, "issuer-node-down"),
        (Issuer(GOOD, DOWN, gives=False), Verdict.FAILED, "issuer-unreachable"),
        (Issuer(GOOD, seconds=3.0), Verdict.DEGRADED, "issuer-slow"),
        (
            Issuer(GOOD.model_copy(update={"clock_seconds": -300.0})),
            Verdict.FAILED,
            "issuer-clock-wrong",
        ),
        (
            Issuer(GOOD, GOOD.model_copy(update={"node": "two", "key_ids": ("b", "c")})),
            Verdict.FAILED,
            "issuer-keys-differ",
        ),
    ],
)
def test_an_issuer_is_judged_by_its_nodes_and_by_its_name(
    play: Play, issuer: Issuer, verdict: Verdict, code: str | None
) -> None:
    (run,) = play("token-issuer", tokens=issuer)
    assert found(run) == (verdict, [(code, "identity")] if code else [])


@pytest.mark.parametrize(
    ("issuer", "verdict", "told"),
    [
        (Issuer(), Verdict.PASSED, []),
        (Issuer(revokes=False), Verdict.FAILED, [("token-not-revoked", "identity")]),
        (Issuer(renews=False), Verdict.SKIPPED, [("not-supported", "scenario")]),
    ],
)
def test_a_refresh_token_that_was_revoked_must_give_nothing(
    play: Play, issuer: Issuer, verdict: Verdict, told: list[tuple[str, str]]
) -> None:
    (run,) = play("token-revocation", tokens=issuer)
    assert found(run) == (verdict, told)
    assert "again" not in run.model_dump_json()


def test_a_lake_without_issuer_or_other_account_is_not_asked(play: Play) -> None:
    for name in ("token-issuer", "token-revocation", "rucio-access"):
        (run,) = play(name)
        assert found(run) == (Verdict.SKIPPED, [("not-supported", "scenario")])


@pytest.mark.parametrize(
    ("stranger", "verdict", "codes"),
    [
        (Stranger(Deed.READ), Verdict.PASSED, set()),
        (Stranger(), Verdict.FAILED, {"access-not-given"}),
        (Stranger(Deed.READ, Deed.REMOVE_RULE), Verdict.FAILED, {"access-not-refused"}),
        (Stranger(Deed.READ, code="rucio-refused"), Verdict.FAILED, {"access-refused-otherwise"}),
    ],
)
def test_what_another_account_can_do_is_told(
    play: Play, stranger: Stranger, verdict: Verdict, codes: set[str]
) -> None:
    (run,) = play("rucio-access", stranger=stranger)
    got, told = found(run)
    assert (got, {code for code, _ in told}) == (verdict, codes)
    assert {blame for _, blame in told} <= {"rucio"}
