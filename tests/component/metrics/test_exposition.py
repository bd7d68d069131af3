"""What Prometheus reads: right by its own judgement, exact, and honest when the store is away."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dltest.errors import StoreError
from dltest.metrics import CATALOGUE, StoreCollector, exposition
from dltest.metrics.catalogue import Kind
from dltest.model import (
    RSE,
    Annulment,
    Blame,
    Campaign,
    Case,
    Driver,
    Finding,
    Judgement,
    Lake,
    LedgerEntry,
    LedgerKind,
    Payload,
    Run,
    RunPhase,
    Schedule,
    Slot,
    SlotOutcome,
    SlotRecord,
    StepCall,
    StepRecord,
    StepState,
    Verdict,
)
from dltest.store import Admission, Store

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def planned(run_id: str, **targets: str) -> Run:
    case = Case(
        scenario="replicate" if len(targets) > 1 else "upload",
        targets=targets,
        payload=Payload(files=1, size_bytes=1000),
        steps=(StepCall(type="upload", body={}),),
        duration_limit=timedelta(minutes=1),
    )
    return Run(id=run_id, campaign_id="c1", lake="lab", case=case, planned_at=NOW)


def end(store: Store, run_id: str, verdict: Verdict, seconds: float) -> None:
    failed = Finding(
        code="storage-unreachable",
        title='it said "no"\\n',
        blame=Blame.site("XRD2"),
        verdict=verdict,
    )
    moved = StepRecord(
        name="replicate",
        state=StepState.DONE,
        began_at=NOW,
        ended_at=NOW + timedelta(seconds=2),
        measured={"bytes": 1000, "rate_bytes_per_second": 500, "token_seconds": 0.25},
    )
    with store.claim(run_id) as claim:
        assert claim is not None
        claim.save(
            claim.run.model_copy(
                update={
                    "phase": RunPhase.ENDED,
                    "records": (moved,),
                    "judgement": Judgement(
                        verdict=verdict, findings=() if verdict is Verdict.PASSED else (failed,)
                    ),
                    "started_at": NOW,
                    "finished_at": NOW + timedelta(seconds=seconds),
                }
            )
        )


@pytest.fixture
def seeded(store: Store) -> Store:
    """Two runs of one link, one failed run at one RSE with a leftover, one open run."""
    store.remember_lake(Lake(name="lab", rses=(RSE(name="XRD1"),), seen_at=NOW))
    campaign = Campaign(id="c1", lake="lab", driver=Driver.SERVICE, title="t", created_at=NOW)
    link = {"source": "XRD1", "destination": "XRD2"}
    runs = [planned("a", **link), planned("b", **link), planned("c", at="XRD2"), planned("d")]
    store.create_campaign(campaign, runs)
    end(store, "a", Verdict.PASSED, 5)
    end(store, "b", Verdict.PASSED, 50)
    left = LedgerEntry(kind=LedgerKind.REPLICAS, name="dltest.c", rse="XRD2", count=4)
    store.ledger("c").intend(left)
    end(store, "c", Verdict.FAILED, 5)
    store.mark_tick(NOW)
    settle_a_slot(store)
    return store


def settle_a_slot(store: Store) -> None:
    """A slot that failed after two that were missed; the next is an hour later."""
    first = Slot(at=NOW, starts_at=NOW, number=1)
    store.set_schedule("lab", "upload", Schedule(every=HOUR), first)
    seen = store.schedule("lab", "upload")
    assert seen is not None
    failed = SlotRecord(
        lake="lab",
        scenario="upload",
        slot_at=NOW,
        outcome=SlotOutcome.FAILED,
        why="no RSE",
        written_at=NOW,
    )
    earlier = {"slot_at": NOW - HOUR, "outcome": SlotOutcome.MISSED, "missed": 2}
    following = Slot(at=NOW + HOUR, starts_at=NOW + HOUR, number=2)
    store.settle_slot(failed, seen, following, missed=failed.model_copy(update=earlier))


def samples(store: Store) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = exposition(StoreCollector(store)).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: dict, name: str, **labels: str) -> float | None:
    wanted = set(labels.items())
    hits = [v for (n, pairs), v in found.items() if n == name and wanted <= set(pairs)]
    assert len(hits) <= 1, hits
    return hits[0] if hits else None


def test_promtool_finds_nothing_to_say(seeded: Store) -> None:
    checked = subprocess.run(
        ["promtool", "check", "metrics"],
        input=exposition(StoreCollector(seeded)),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_the_totals_are_told(seeded: Store) -> None:
    found = samples(seeded)
    link = {"lake": "lab", "source": "XRD1", "destination": "XRD2", "rse": ""}
    assert value(found, "dltest_runs_total", verdict="passed", blame="", **link) == 2
    assert value(found, "dltest_runs_total", verdict="failed", rse="XRD2", blame="site XRD2") == 1
    assert value(found, "dltest_case_verdict", **link) == 1
    assert value(found, "dltest_case_verdict", case="upload[XRD2]") == 4
    last = (NOW + timedelta(seconds=50)).timestamp()
    assert value(found, "dltest_case_last_finished_timestamp_seconds", **link) == last
    assert value(found, "dltest_case_last_passed_timestamp_seconds", **link) == last
    assert value(found, "dltest_case_last_passed_timestamp_seconds", rse="XRD2") is None
    assert value(found, "dltest_transfer_bytes_total", step="replicate", **link) == 2000
    assert value(found, "dltest_transfer_rate_bytes_per_second", **link) == 500
    assert value(found, "dltest_runs_open", phase="planned") == 1
    assert value(found, "dltest_runs_open", phase="cleaning") == 0
    assert value(found, "dltest_case_status", **link) == 1
    assert value(found, "dltest_slots_total", outcome="failed") == 1
    assert value(found, "dltest_slots_total", outcome="missed") == 2
    next_slot = value(found, "dltest_schedule_next_slot_timestamp_seconds", scenario="upload")
    assert next_slot == (NOW + HOUR).timestamp()
    assert value(found, "dltest_held_runs", reason="parallel-per-rse") == 0
    assert value(found, "dltest_runs_annulled_total", verdict="failed") == 0
    assert value(found, "dltest_leftover_files", rse="XRD2") == 4
    assert value(found, "dltest_tick_last_timestamp_seconds") == NOW.timestamp()
    assert value(found, "dltest_exporter_up") == 1


def test_durations_are_cumulated(seeded: Store) -> None:
    found = samples(seeded)
    edges = {"3.0": 0, "10.0": 1, "30.0": 1, "100.0": 2, "+Inf": 2}
    for edge, count in edges.items():
        assert (
            value(found, "dltest_run_duration_seconds_bucket", scenario="replicate", le=edge)
            == count
        )
    assert value(found, "dltest_run_duration_seconds_sum", scenario="replicate") == 55
    assert value(found, "dltest_step_duration_seconds_count", scenario="replicate") == 2
    assert value(found, "dltest_token_duration_seconds_sum", scenario="replicate") == 0.5


def test_what_was_left_behind_and_removed_is_told_as_zero(seeded: Store) -> None:
    (entry,) = seeded.ledger("c").entries()
    seeded.ledger("c").settle(type(entry.state).GONE, entry)
    assert value(samples(seeded), "dltest_leftover_files", rse="XRD2") == 0


def test_only_metrics_of_the_catalogue_are_exported_and_all_of_them(seeded: Store) -> None:
    text = exposition(StoreCollector(seeded)).decode()
    families = list(text_string_to_metric_families(text))
    # The parser calls a counter by its name without `_total`.
    told = {
        family.name + ("_total" if family.type == "counter" else ""): (family.type, sample.labels)
        for family in families
        for sample in family.samples[:1]
    }
    assert set(told) == {metric.name for metric in CATALOGUE}
    for metric in CATALOGUE:
        kind, labels = told[metric.name]
        assert kind == metric.kind.value
        own = set(labels) - ({"le"} if metric.kind is Kind.HISTOGRAM else set())
        assert own == set(metric.labels), metric.name


def test_held_and_annulled_runs_are_told(seeded: Store) -> None:
    held = {"d": "parallel-runs: this installation allows 1 open at once on the lake"}
    seeded.admit("lab", NOW, lambda _: Admission(held=held))
    seeded.annul("c", Annulment(at=NOW, by="ops", why="a wrong test"))
    found = samples(seeded)
    assert value(found, "dltest_held_runs", reason="parallel-runs") == 1
    assert value(found, "dltest_held_runs", reason="waiting-rules") == 0
    annulled = {"verdict": "failed", "rse": "XRD2", "blame": "site XRD2"}
    assert value(found, "dltest_runs_annulled_total", **annulled) == 1
    assert value(found, "dltest_runs_total", **annulled) == 1
    assert value(found, "dltest_case_verdict", rse="XRD2") == 4
    assert value(found, "dltest_case_status", rse="XRD2") is None


def test_totals_survive_pruning_and_a_restart(seeded: Store, database_url: str) -> None:
    before = samples(seeded)
    assert seeded.prune(NOW + timedelta(days=1)) == 2
    with Store.open(database_url) as restarted:
        assert samples(restarted) == before


class Away:
    def __init__(self, snapshot: Callable[[], object]) -> None:
        self.answers = True
        self._snapshot = snapshot

    def snapshot(self) -> object:
        if not self.answers:
            raise StoreError("cannot read the totals: connection refused")
        return self._snapshot()


def test_a_store_that_is_away_leaves_no_stale_value(seeded: Store, monkeypatch) -> None:
    store = Away(seeded.snapshot)
    collector = StoreCollector(store)
    assert b"dltest_case_verdict{" in exposition(collector)
    store.answers = False
    monkeypatch.setattr("dltest.metrics.collector.KEPT_SECONDS", 0)
    text = exposition(collector).decode()
    names = {family.name for family in text_string_to_metric_families(text)}
    assert names == {"dltest_build_info", "dltest_exporter_up"}
    assert "\ndltest_exporter_up 0.0\n" in text


def test_a_server_that_is_away_is_told_so() -> None:
    with Store.open("postgresql://u:pw@127.0.0.1:1/x") as store:
        assert "\ndltest_exporter_up 0.0\n" in exposition(StoreCollector(store)).decode()
