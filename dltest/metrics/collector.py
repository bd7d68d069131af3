"""Exports the store's totals: exact, the same after a restart, and silent when the store is.

Nothing is counted here or in a worker. A counter that was pruned or restarted would look to
Prometheus like a reset; these only grow.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Protocol

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import (
    Metric as Family,
)
from prometheus_client.registry import Collector

from dltest import __version__
from dltest.errors import StoreError
from dltest.metrics import catalogue
from dltest.metrics.catalogue import Kind, Metric
from dltest.store.rollup import BUCKETS_SECONDS, ISSUING, WHOLE_RUN
from dltest.store.views import CaseState, DurationTotal, RunTotal, Snapshot

# Several Prometheus servers may scrape; the store is asked once for all of them.
KEPT_SECONDS = 5.0


class Totals(Protocol):
    def snapshot(self) -> Snapshot: ...


class StoreCollector(Collector):
    """Reads one snapshot for all metrics; keeps it for a few seconds."""

    def __init__(self, store: Totals) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: Snapshot | None = None
        self._read_at = 0.0

    def describe(self) -> Iterable[Family]:
        """Nothing: the store is not asked before the first scrape."""
        return ()

    def collect(self) -> Iterator[Family]:
        yield _family(catalogue.BUILD_INFO, [((__version__,), 1)])
        try:
            seen = self._snapshot()
        except StoreError:
            yield _family(catalogue.EXPORTER_UP, [((), 0)])
            return
        yield _family(catalogue.EXPORTER_UP, [((), 1)])
        yield from _families(seen)

    def _snapshot(self) -> Snapshot:
        with self._lock:
            if self._kept is None or time.monotonic() - self._read_at > KEPT_SECONDS:
                self._kept = None
                self._kept = self._store.snapshot()
                self._read_at = time.monotonic()
            return self._kept


def _families(seen: Snapshot) -> Iterator[Family]:
    yield _family(
        catalogue.RUNS_TOTAL,
        (((*_case(t), t.verdict.value, t.blame), t.runs) for t in seen.runs),
    )
    yield _family(
        catalogue.RUNS_ANNULLED_TOTAL,
        (((*_case(t), t.verdict.value, t.blame), t.annulled) for t in seen.runs),
    )
    special = {WHOLE_RUN: catalogue.RUN_DURATION, ISSUING: catalogue.TOKEN_DURATION}
    for step, metric in special.items():
        yield _histogram(metric, [total for total in seen.durations if total.step == step])
    steps = [total for total in seen.durations if total.step not in special]
    yield _histogram(catalogue.STEP_DURATION, steps)
    yield from _of_cases(seen)
    yield from _of_transfers(seen)
    yield _family(catalogue.RUNS_OPEN, seen.open_runs.items())
    yield _family(catalogue.HELD_RUNS, seen.held_runs.items())
    yield _family(catalogue.SLOTS_TOTAL, seen.slots.items())
    yield _family(
        catalogue.NEXT_SLOT, ((key, at.timestamp()) for key, at in seen.next_slots.items())
    )
    yield _family(catalogue.LEFTOVER_FILES, seen.leftovers.items())
    if seen.last_tick:
        yield _family(catalogue.TICK, [((), seen.last_tick.timestamp())])


def _of_cases(seen: Snapshot) -> Iterator[Family]:
    yield _family(
        catalogue.CASE_VERDICT, ((_case(state), state.verdict.face.code) for state in seen.cases)
    )
    yield _family(
        catalogue.CASE_STATUS,
        ((_case(state), state.status.face.code) for state in seen.cases if state.status),
    )
    yield _family(
        catalogue.CASE_LAST_FINISHED,
        ((_case(state), state.last_finished_at.timestamp()) for state in seen.cases),
    )
    yield _family(
        catalogue.CASE_LAST_PASSED,
        (
            (_case(state), state.last_passed_at.timestamp())
            for state in seen.cases
            if state.last_passed_at
        ),
    )


def _of_transfers(seen: Snapshot) -> Iterator[Family]:
    placed = [
        ((t.lake, t.step, t.place.source, t.place.destination, t.place.rse), t)
        for t in seen.transfers
    ]
    yield _family(catalogue.TRANSFER_BYTES, ((labels, t.bytes_sum) for labels, t in placed))
    yield _family(
        catalogue.TRANSFER_RATE,
        (
            (labels, t.last_rate_bytes_per_second)
            for labels, t in placed
            if t.last_rate_bytes_per_second is not None
        ),
    )


def _case(state: CaseState | RunTotal) -> tuple[str, ...]:
    place = state.place
    return (
        state.lake,
        state.scenario,
        state.case_id,
        place.source,
        place.destination,
        place.rse,
    )


def _family(metric: Metric, values: Iterable[tuple[tuple[str, ...], float]]) -> Family:
    make = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = make(metric.name, metric.help, labels=metric.labels)
    for labels, value in values:
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, totals: Iterable[DurationTotal]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    series: dict[tuple[str, ...], list[DurationTotal]] = {}
    for total in totals:
        told = {"lake": total.lake, "scenario": total.scenario, "step": total.step}
        series.setdefault(tuple(told[label] for label in metric.labels), []).append(total)
    for labels, found in series.items():
        counts = {total.bucket_seconds: total.observations for total in found}
        cumulated = accumulate(counts.get(edge, 0) for edge in BUCKETS_SECONDS)
        buckets = [
            (_edge(edge), count) for edge, count in zip(BUCKETS_SECONDS, cumulated, strict=True)
        ]
        family.add_metric(labels, buckets, sum(total.seconds_sum for total in found))
    return family


def _edge(seconds: float) -> str:
    return "+Inf" if seconds == float("inf") else str(float(seconds))
