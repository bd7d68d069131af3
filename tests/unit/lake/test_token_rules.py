"""Every token rule against a storage that keeps them all, and against one hole at a time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from token_storage import Issuer, TokenStorage, token_storage

from dltest.judge.token_expiry import findings
from dltest.judge.token_rules import NOT_TRIED, broken
from dltest.lake.ports import FileRef, JobKind, StorageJob, TokenTrial
from dltest.lake.storage.order import FileOrder, Order
from dltest.lake.token_rules import crossing, expiry, trial
from dltest.lake.token_rules.bearers import Desk, equipped
from dltest.lake.token_rules.catalogue import ACCEPTED, REFUSED, RULES, Must
from dltest.lake.token_rules.uses import EXPIRIES
from dltest.model import StepRecord

WAITED_FOR = [name for name, one in EXPIRIES.items() if one.does not in expiry.CROSSING]

# What each hole lets through, and nothing else.
LET_THROUGH = {
    "alg-none": {"alg-none", "alg-none-write"},
    "signature": {"bad-signature", "altered-claims", "unknown-key", "borrowed-key-id"},
    "audience": {"wrong-audience", "wrong-audience-write"},
    "not-before": {"not-yet-valid"},
    "expiry": {"expired", "expired-write"},
    "prefix": {"path-prefix"},
    "dots": {"path-dots", "path-dots-write", "path-encoded-dots", "path-encoded-slashes"},
    "path": {name for name in RULES if name.startswith("path-")},
    "rights": {
        "read-creates",
        "read-overwrites",
        "read-deletes",
        "create-reads",
        "create-overwrites",
        "create-deletes",
        "modify-reads",
    },
    "changes-first": {"read-deletes", "create-deletes"},
}


@pytest.fixture(scope="module")
def storage() -> Iterator[TokenStorage]:
    with token_storage(Issuer()) as storage:
        yield storage


def order_for(storage: TokenStorage, *names: str, **times: timedelta) -> Order:
    files = tuple(
        FileRef(
            url=f"dav{storage.url[4:]}//data/rucio/{n:02d}/dltest.run.{n:06d}",
            index=0,
            size_bytes=64,
            trial=TokenTrial(
                rule=name,
                beside=f"dav{storage.url[4:]}//data/rucio/b{n}/beside.{n}",
                base="/data",
                **times,
            ),
        )
        for n, name in enumerate(names)
    )
    limit = timedelta(minutes=1)
    job = StorageJob(id="job", kind=JobKind.TOKEN, rse="XRD5", seed="run", files=files, limit=limit)
    bare = Order(
        kind="token",
        seed="run",
        files=tuple(FileOrder(file.url, 0, 64) for file in files),
        spool="",
        parallel_files=1,
        limit_seconds=60,
        parent=0,
    )
    storage.files.clear()
    return equipped(bare, job, Desk(storage.issuer, "", "", ()))


def tried(storage: TokenStorage, *names: str) -> dict[str, dict]:
    """What came of each rule."""
    order = order_for(storage, *names)
    with ThreadPoolExecutor(8) as threads:
        reports = list(threads.map(partial(trial.try_rule, order.bearer), order.files))
    assert [report.detail for report in reports if report.code] == []
    return {report.evidence["rule"]: report.evidence for report in reports}


def test_a_storage_that_keeps_all_rules_breaks_none(storage):
    told = tried(storage, *RULES)
    assert {name: one["outcome"] for name, one in told.items()} == {
        name: rule.must for name, rule in RULES.items()
    }
    assert {name for name, one in told.items() if broken(one)} == set()
    assert told["expired"]["reason"] == "403 permission denied"
    assert told["expired"]["claims"]["exp"] < told["reads"]["claims"]["exp"]
    assert told["alg-none"]["claims"]["alg"] == "none"


@pytest.mark.parametrize("hole", sorted(LET_THROUGH))
def test_each_hole_is_found_and_named(storage, hole, monkeypatch):
    monkeypatch.setattr(storage, "holes", {hole})
    mirrors = {str(RULES[name].mirror) for name in LET_THROUGH[hole]}
    told = tried(storage, *LET_THROUGH[hole], *mirrors, "no-token", "garbage", "other-vo")
    assert {name for name, one in told.items() if broken(one)} == LET_THROUGH[hole]
    codes = {broken(one) for one in told.values()} - {None}
    assert codes == {"refused-and-changed" if hole == "changes-first" else "token-not-refused"}


def test_a_storage_that_asks_nobody_breaks_every_refusal(storage, monkeypatch):
    monkeypatch.setattr(storage, "holes", {"anybody"})
    names = [rule.name for rule in REFUSED if not rule.name.startswith("expired")]
    assert {broken(one) for one in tried(storage, *names).values()} == {"token-not-refused"}


def test_what_the_issuer_does_not_give_is_not_tried(storage, monkeypatch):
    monkeypatch.setattr(storage, "issuer", Issuer(generous=True))
    order = order_for(storage, "expired", "reads")
    assert order.files[0].bearer is None
    report = trial.try_rule(order.bearer, order.files[0])
    assert report.evidence["outcome"] == NOT_TRIED
    assert report.evidence["reason"].startswith("the issuer does not give such tokens: it lives")


def test_a_storage_that_refuses_us_is_told_from_one_that_keeps_a_rule(storage, monkeypatch):
    order = order_for(storage, "wrong-audience")
    monkeypatch.setattr(storage, "issuer", Issuer())
    report = trial.try_rule(order.bearer, order.files[0])
    assert (report.code, report.evidence) == ("permission-denied", {})
    assert "with our own token: 403 permission denied" in report.detail


def test_nobody_there_is_no_refusal():
    file = FileOrder("dav://127.0.0.1:1//data/f", 0, 64, rule="reads", beside="dav://x:1//data/g/f")
    report = trial.try_rule("token", file)
    assert (report.code, report.answered) == ("storage-unreachable", False)


@pytest.mark.parametrize(
    ("grace", "most", "code"), [(0.0, 0.5, None), (2.0, 2.5, None), (60.0, None, "token-outlived")]
)
def test_how_long_a_token_is_accepted_after_its_end_is_measured(
    storage, monkeypatch, grace, most, code
):
    monkeypatch.setattr(storage, "grace", grace)
    monkeypatch.setattr(expiry, "POLL_SECONDS", 0.1)
    times = {"lifetime": timedelta(seconds=1), "patience": timedelta(seconds=3)}
    order = order_for(storage, *WAITED_FOR, **times)
    with ThreadPoolExecutor(8) as threads:
        reports = list(threads.map(partial(expiry.outlive, order.bearer), order.files))
    told = [report.evidence for report in reports]
    assert [one["use"] for one in told] == WAITED_FOR
    for one in told:
        assert one["outcome"] == "accepted"
        assert one["before_its_end_seconds"] > 0
        given = one["grace_seconds"]
        assert given is None if most is None else max(grace - 1, 0) <= given <= most
    record = StepRecord(name="token-expiry", evidence={"rse": "XRD5", "token_expiry": told})
    assert {one.code for one in findings(record)} == ({code} if code else set())
    allowed = record.model_copy(update={"evidence": {**record.evidence, "allowed_seconds": 60.0}})
    assert len(list(findings(allowed))) == (len(WAITED_FOR) if most is None else 0)


@pytest.mark.parametrize(
    ("fate", "code"),
    [
        ("goes-on", None),
        ("refused", None),
        ("refused-and-torso", "token-broke-transfer"),
        ("error", "token-broke-transfer"),
        ("breaks-off", "token-broke-transfer"),
    ],
)
def test_what_becomes_of_a_transfer_that_outlasts_its_token(storage, monkeypatch, fate, code):
    monkeypatch.setattr(storage, "fate", fate)
    monkeypatch.setattr(crossing, "BEYOND_SECONDS", 0.2)
    order = order_for(storage, "upload", "download", lifetime=timedelta(seconds=1))
    with ThreadPoolExecutor(2) as threads:
        reports = list(threads.map(partial(expiry.outlive, order.bearer), order.files))
    told = [report.evidence for report in reports]
    assert all(one["ended_after_its_end_seconds"] > 0 for one in told)
    assert all(one["next_request"].startswith("403 ") for one in told)
    record = StepRecord(name="token-expiry", evidence={"rse": "XRD5", "token_expiry": told})
    assert [one.code for one in findings(record)] == ([code] if code else [])


def test_no_token_is_in_what_is_told(storage):
    order = order_for(storage, *(name for name in RULES if not name.startswith("expired")))
    said = repr(order) + repr([trial.try_rule(order.bearer, file) for file in order.files])
    signatures = [token.rpartition(".")[2] for token in storage.issuer.issued]
    assert [one for one in signatures if one in said] == []


def test_every_refusal_has_a_mirror_that_is_accepted():
    accepted = {rule.name for rule in ACCEPTED}
    assert {rule.mirror for rule in REFUSED} <= accepted
    assert all(rule.must is Must.REFUSED and rule.says for rule in REFUSED)
    assert len(RULES) == len(ACCEPTED) + len(REFUSED)
