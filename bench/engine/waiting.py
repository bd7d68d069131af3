"""Ten thousand runs that wait: what one look for all of them costs, and how late they are woken."""

import json
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.engine.instant import InstantLake
from bench.engine.service import planned, processes, pss_bytes, write
from bench.figure import Figure
from bench.servers import Servers, await_
from dltest.engine import House, Rules, poll
from dltest.lake.rucio.reading import rule_from
from dltest.model import Run, RunPhase, StepRecord, StepState
from dltest.store import Store
from dltest.worker.app import CONTROL, connect
from dltest.worker.dispatch import backlog

RUNS = 10_000
CHANGES = 40
PAUSE_SECONDS = 0.5
POLLS_SEEN = 5


def measure(servers: Servers, store: Store, samples: int) -> Iterator[Figure]:
    """The figures of one poll, then of the service that polls."""
    runs = waiting_runs(RUNS)
    write(store, runs)
    listing = {str(run.watch.key): _answer(str(run.watch.key)) for run in runs if run.watch}
    _list(servers.folder, listing)
    yield _cost(servers, store, samples)
    connect(servers.broker)
    with processes(servers, "control", "beat") as started:
        await_(lambda: _poll_mark(store), "the service polls", 60)
        held = pss_bytes(started[0].pid)
        yield Figure(
            *("engine-waiting-memory", float(held), "B", None, None, None),
            [{"value": float(held), "messages": float(backlog(CONTROL))}],
        )
        yield _delay(servers, listing, _interval(servers.folder))


def waiting_runs(count: int) -> list[Run]:
    """Runs in the midst of a replication that has taken an hour so far."""
    now = datetime.now(UTC)
    begun = now - timedelta(hours=1)
    made = []
    for number, run in enumerate(planned(count)):
        key = f"listed{number:07d}"
        upload = StepRecord(name="upload", state=StepState.DONE, began_at=begun, ended_at=begun)
        replicate = StepRecord(name="replicate", state=StepState.WAITING, began_at=begun)
        made.append(
            run.model_copy(
                update={
                    "phase": RunPhase.EXERCISING,
                    "step_index": 1,
                    "handle": {"rule_id": key},
                    "records": (upload, replicate),
                    "started_at": begun,
                    "wake_at": now + timedelta(hours=1),
                    "deadline": now + timedelta(hours=11),
                    "watch": rule_from(_answer(key)).watch(),
                }
            )
        )
    return made


def _answer(rule_id: str, state: str = "REPLICATING") -> dict[str, Any]:
    """What Rucio 38 says of a rule, with all its columns."""
    return {
        "id": rule_id,
        "account": "dltest",
        "scope": "dltest",
        "name": f"dltest.{rule_id}",
        "did_type": "DATASET",
        "state": state,
        "error": None,
        "rse_expression": "B",
        "copies": 1,
        "expires_at": "2026-01-02T00:00:00",
        "weight": None,
        "locked": False,
        "locks_ok_cnt": 0,
        "locks_replicating_cnt": 1,
        "locks_stuck_cnt": 0,
        "source_replica_expression": "A",
        "activity": "Functional Test",
        "grouping": "DATASET",
        "notification": "NO",
        "stuck_at": None,
        "purge_replicas": True,
        "ignore_availability": False,
        "comments": f"dltest.{rule_id}.1",
        "created_at": "2026-01-01T00:00:00",
        "updated_at": "2026-01-01T00:00:00",
        "bytes": 1,
    }


def _list(folder: Path, listing: dict[str, dict[str, Any]]) -> None:
    """Write the listing in one go, as whoever reads it must find it whole."""
    file = folder / "rules.jsonl"
    fresh = file.with_suffix(".new")
    fresh.write_text("".join(json.dumps(answer) + "\n" for answer in listing.values()))
    fresh.rename(file)


def _cost(servers: Servers, store: Store, samples: int) -> Figure:
    """Seconds of one poll that finds nothing new: SQL, and reading 10,000 rules."""
    rules = Rules(timedelta(seconds=15), timedelta(minutes=2), timedelta(seconds=2))
    lake: Any = InstantLake(servers.folder)
    house = House(store, lake, rules, timedelta(hours=6))
    took = []
    for _ in range(samples):
        began, worked = time.perf_counter(), time.process_time()
        assert poll(house) == []
        took.append((time.perf_counter() - began, time.process_time() - worked))
    return Figure(
        *(
            "engine-poll-of-10000-waiting",
            round(sorted(took)[len(took) // 2][0], 3),
            "s",
            None,
            None,
            None,
        ),
        [{"value": round(one, 3), "cpu": round(cpu, 3)} for one, cpu in took],
    )


def _interval(folder: Path) -> float:
    """Seconds from one poll to the next, as the service really keeps them."""
    polls = folder / "polls"
    await_(lambda: polls.exists() and len(polls.read_text().split()) > POLLS_SEEN, "it polls", 120)
    moments = [float(moment) for moment in polls.read_text().split()]
    return median(after - before for before, after in pairwise(moments))


def _poll_mark(store: Store) -> bool:
    return not store.take_turn("dltest.poll bench", datetime.now(UTC), timedelta(0))


def _delay(servers: Servers, listing: dict[str, dict[str, Any]], interval: float) -> Figure:
    """From the moment that a rule is OK to the look at it by its run, against the poll's rhythm."""
    chosen = random.Random(1).sample(sorted(listing), CHANGES)  # noqa: S311 - a sample
    changed: dict[str, float] = {}
    for rule_id in chosen:
        listing[rule_id] = _answer(rule_id, "OK")
        _list(servers.folder, listing)
        changed[rule_id] = time.time()
        time.sleep(PAUSE_SECONDS)
    await_(lambda: set(_looks(servers.folder)) >= set(chosen), "all are woken", 120)
    looks = _looks(servers.folder)
    delays = [looks[rule_id] - changed[rule_id] for rule_id in chosen]
    worst = quantiles(delays, n=20)[-1]
    return Figure(
        "engine-wake-up-delay-p95",
        round(worst, 3),
        "s",
        interval,
        round(worst / interval, 2),
        2.0,
        [{"value": round(one, 3)} for one in delays],
    )


def _looks(folder: Path) -> dict[str, float]:
    file = folder / "looks"
    lines = file.read_text().splitlines() if file.exists() else []
    told = [line.split() for line in reversed(lines)]
    return {rule_id: float(moment) for rule_id, moment in told}
