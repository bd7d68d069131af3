"""The chaos bench's audit finds what it is there to find."""

from datetime import UTC, datetime, timedelta

import pytest

from bench.audit import Change, doubled, litter, lost, unsettled, written_again
from dltest.model import (
    Campaign,
    Case,
    Driver,
    Judgement,
    LedgerEntry,
    LedgerKind,
    LedgerState,
    Payload,
    Run,
    RunPhase,
    StepCall,
    StepRecord,
    Verdict,
)
from dltest.store import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUN = "0123456789ab"
NAME = f"dltest.{RUN}"
FILE = f"{NAME}.000000"
URL = f"sim://XRD1/{FILE}"

CASE = Case(
    scenario="s",
    targets={"at": "XRD1"},
    payload=Payload(files=1, size_bytes=1),
    steps=(StepCall(type="upload", body={"to": "at"}),),
    duration_limit=timedelta(minutes=1),
)


def run(**changes: object) -> Run:
    made = Run(id=RUN, campaign_id="c", lake="l", case=CASE, planned_at=NOW)
    return made.model_copy(update=changes)


def story(*changes: tuple[str, str]) -> list[Change]:
    return [Change(NOW + timedelta(seconds=n), *one) for n, one in enumerate(changes)]


WHOLE = (
    ("torso", URL),
    ("put", URL),
    ("put", URL),
    ("replica", f"{FILE} at XRD1"),
    ("dataset", NAME),
    ("rule", f"{NAME}.0"),
    ("rule", f"{NAME}.1"),
    ("copied", f"sim://XRD2/{FILE}"),
    ("replica", f"{FILE} at XRD2"),
    ("expired", NAME),
    ("removed", URL),
    ("removed", f"sim://XRD2/{FILE}"),
)


def test_a_run_as_it_should_be_is_not_complained_of() -> None:
    changes = story(*WHOLE)
    assert doubled(changes, [run(finished_at=NOW + timedelta(hours=1))]) == []
    assert litter(changes) == []
    assert written_again(changes) == 1


@pytest.mark.parametrize(
    "second",
    [
        ("dataset", NAME),
        ("replica", f"{FILE} at XRD2"),
        ("expired", NAME),
        ("put", URL),
        ("torso", URL),
        ("put-twice-at-once", URL),
    ],
    ids=lambda change: change[0],
)
def test_what_happens_once_too_often_is_found(second: tuple[str, str]) -> None:
    (found,) = doubled(story(*WHOLE, second), [run()])
    assert second[1] in found


@pytest.mark.parametrize("tag", [f"{NAME}.0", f"{NAME}.another"])
def test_one_rule_more_than_a_run_needs_is_found(tag: str) -> None:
    assert doubled(story(*WHOLE, ("rule", tag)), [run()])


def test_what_is_made_after_the_end_of_its_run_is_found() -> None:
    ended = run(finished_at=NOW + timedelta(seconds=4, milliseconds=500))
    found = doubled(story(*WHOLE), [ended])
    assert [line.split()[0] for line in found] == ["rule", "rule", "replica"]


def test_bytes_that_lie_about_are_litter() -> None:
    assert litter(story(*WHOLE[:-1])) == [f"sim://XRD2/{FILE}"]
    assert litter(story(("torso", URL))) == [URL]


@pytest.fixture
def store(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/store.sqlite3") as opened:
        opened.migrate()
        opened.create_campaign(
            Campaign(id="c", lake="l", driver=Driver.SERVICE, title="t", created_at=NOW), [run()]
        )
        yield opened


def test_a_run_that_is_open_missing_or_not_counted_once_is_lost(store: Store) -> None:
    assert lost(store, store.runs_of("c"), 1) == 1
    ended = {
        "phase": RunPhase.ENDED,
        "judgement": Judgement(verdict=Verdict.PASSED),
        "records": (StepRecord(name="upload"),),
        "started_at": NOW,
        "finished_at": NOW,
    }
    with store.claim(RUN) as claim:
        claim.save(claim.run.model_copy(update=ended))
    assert lost(store, store.runs_of("c"), 1) == 0
    assert lost(store, store.runs_of("c"), 2) == 1


def test_a_ledger_that_is_not_settled_is_told(store: Store) -> None:
    entry = LedgerEntry(kind=LedgerKind.RULE, name=f"{NAME}.0")
    store.ledger(RUN).intend(entry)
    assert unsettled(store, store.runs_of("c")) == [f"{RUN}: rule {NAME}.0"]
    store.ledger(RUN).settle(LedgerState.GONE, entry)
    assert unsettled(store, store.runs_of("c")) == []
