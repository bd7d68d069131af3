"""The ledger is durable at once, also while the run is claimed, and outlives a crash."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import text

from dltest.model import Campaign, LedgerEntry, LedgerKind, LedgerState, Run, RunPhase
from dltest.store import Store

FILES = LedgerEntry(kind=LedgerKind.REPLICAS, name="dltest.r1", rse="XRD1", count=3)
RULE = LedgerEntry(kind=LedgerKind.RULE, name="dltest.r1.0")


def end(store: Store, run_id: str, at: datetime) -> None:
    with store.claim(run_id) as claim:
        assert claim is not None
        claim.save(claim.run.model_copy(update={"phase": RunPhase.ENDED, "finished_at": at}))


def test_an_intent_outlives_the_step_that_broke(
    store: Store, database_url: str, one_run: Run
) -> None:
    def begin_and_break() -> None:
        with store.claim("r1"):
            store.ledger("r1").intend(FILES)
            other = Store.open(database_url)
            assert other.ledger("r1").entries() == (FILES,)
            other.close()
            raise ZeroDivisionError

    try:
        begin_and_break()
    except ZeroDivisionError:
        assert store.ledger("r1").entries() == (FILES,)


def test_an_intent_is_on_disk_also_where_the_server_commits_before_it_writes(
    postgresql: Callable[[str], object],
    migrated_postgresql_url: str,
    campaign: Campaign,
    planned: Callable[..., Run],
) -> None:
    name = migrated_postgresql_url.partition("?")[0].rpartition("/")[2]
    postgresql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    is_written = text("SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()")
    written = []
    with Store.open(migrated_postgresql_url) as store:
        store.create_campaign(campaign, [planned("r1")])
        for number in range(20):
            store.ledger("r1").intend(FILES.model_copy(update={"rse": f"XRD{number}"}))
            with store._database.reading("look") as connection:
                written.append(connection.execute(is_written).scalar_one())
    # The server writes something of its own now and then.
    assert sum(written) >= 18


def test_the_same_intent_again_changes_nothing(store: Store, one_run: Run) -> None:
    ledger = store.ledger("r1")
    ledger.intend(RULE)
    ledger.intend(FILES)
    ledger.settle(LedgerState.GONE, RULE)
    ledger.intend(RULE)
    ledger.intend(FILES.model_copy(update={"rse": "XRD2"}))
    gone = RULE.model_copy(update={"state": LedgerState.GONE})
    assert ledger.entries() == (gone, FILES, FILES.model_copy(update={"rse": "XRD2"}))


def test_what_a_ledger_remembers_is_what_stands_in_the_store(store: Store, one_run: Run) -> None:
    ledger = store.ledger("r1")
    ledger.intend(RULE, FILES)
    assert ledger.entries() == store.ledger("r1").entries()
    ledger.settle(LedgerState.GONE, RULE)
    assert ledger.entries() == store.ledger("r1").entries()
    ledger.settle(LedgerState.LEFTOVER, *ledger.entries())
    assert ledger.entries() == store.ledger("r1").entries()
    assert {entry.state for entry in ledger.entries()} == {LedgerState.LEFTOVER}


def test_leftovers_are_what_ended_runs_did_not_settle(
    store: Store, campaign: Campaign, planned: Callable[..., Run], now: datetime
) -> None:
    store.create_campaign(campaign, [planned("r1"), planned("r2")])
    for run_id in ("r1", "r2"):
        for entry in (FILES, RULE):
            store.ledger(run_id).intend(entry)
    assert store.unsettled() == []
    end(store, "r1", now)
    store.ledger("r1").settle(LedgerState.LEFTOVER, FILES)
    left = FILES.model_copy(update={"state": LedgerState.LEFTOVER})
    assert store.unsettled() == [("r1", left), ("r1", RULE)]
    assert store.unsettled("lab") == store.unsettled()
    assert store.unsettled("other") == []
    assert store.count_leftovers("lab") == {"XRD1": 3, "": 1}
    assert store.count_leftovers("other") == {}
    store.ledger("r1").settle(LedgerState.GONE, FILES)
    store.ledger("r1").settle(LedgerState.GONE, RULE)
    assert store.unsettled() == []
    assert store.count_leftovers("lab") == {}


def test_pruning_spares_runs_that_left_something_behind(
    store: Store, campaign: Campaign, planned: Callable[..., Run], now: datetime
) -> None:
    store.create_campaign(campaign, [planned("clean"), planned("owing")])
    store.ledger("owing").intend(FILES)
    for run_id in ("clean", "owing"):
        end(store, run_id, now)
    totals = store.snapshot().runs
    assert store.prune(now + timedelta(days=1)) == 1
    assert [run.id for run in store.runs()] == ["owing"]
    store.ledger("owing").settle(LedgerState.GONE, FILES)
    assert store.prune(now) == 0
    assert store.prune(now + timedelta(days=1)) == 1
    assert store.campaigns() == []
    assert store.snapshot().runs == totals
    assert totals
