"""Short cases a second through Redis and PostgreSQL, and how soon one more begins among them."""

import time
from collections.abc import Iterator
from statistics import quantiles

from sqlalchemy import func, select, text

from bench.engine.service import CASE, planned, processes, write
from bench.engine.worker import INSERT, TABLE
from bench.figure import Figure, compared
from bench.servers import Servers, await_
from dltest.model import RunPhase, Trigger
from dltest.store import Store, tables
from dltest.worker.app import CONTROL, app, connect
from dltest.worker.dispatch import wake

CASES = 200
INSERTS = 2_000
HANDED_IN = 20
ELSEWHERE = CASE.model_copy(update={"targets": {"source": "C", "destination": "D"}})
PATIENCE_SECONDS = 600
WORKERS = ("control", "control")


def measure(servers: Servers, store: Store, samples: int) -> Iterator[Figure]:
    """Ours and plain Celery in turns, on the same two workers."""
    connect(servers.broker)
    _execute(store, TABLE)
    with processes(servers, *WORKERS):
        _cases(servers, store, 20)
        _inserts(store, 100)
        ours, plain, cases, delays = [], [], [], []
        for _ in range(samples):
            plain.append(INSERTS / _inserts(store, INSERTS))
            seconds, steps = _cases(servers, store, CASES)
            ours.append(steps / seconds)
            cases.append(CASES / seconds)
        delays = _delays(servers, store)
    yield compared("engine-steps-against-plain-celery", "steps/s", ours, plain, aim=0.5)
    value = sorted(cases)[len(cases) // 2]
    yield Figure(
        *("engine-cases", round(value, 1), "cases/s", None, None, None),
        [{"value": round(one, 1)} for one in cases],
    )
    worst = quantiles(delays, n=20)[-1]
    yield Figure(
        *("engine-begin-on-busy-service-p95", round(worst, 3), "s", 1.0, round(worst, 3), 1.0),
        [{"value": round(one, 3)} for one in delays],
    )


def _cases(servers: Servers, store: Store, count: int) -> tuple[float, int]:
    """Seconds until all have ended, and the steps that were saved for it."""
    runs = planned(count)
    campaign = write(store, runs)
    began = time.perf_counter()
    wake(servers.broker, [])
    await_(lambda: _open(store, campaign) == 0, "all cases end", PATIENCE_SECONDS)
    seconds = time.perf_counter() - began
    ended = store.runs_of(campaign)
    unsound = [run for run in ended if run.judgement is None or run.judgement.findings]
    if unsound:
        raise RuntimeError(f"{len(unsound)} cases did not pass: {unsound[0].judgement}")
    return seconds, sum(run.version for run in ended)


def _open(store: Store, campaign: str) -> int:
    run = tables.run
    query = select(func.count()).where(run.c.campaign_id == campaign, run.c.phase != RunPhase.ENDED)
    with store._database.reading("count") as connection:
        return int(connection.execute(query).scalar_one())


def _inserts(store: Store, count: int) -> float:
    _execute(store, "TRUNCATE bench_insert")
    began = time.perf_counter()
    for _ in range(count):
        app.send_task(INSERT, args=("x" * 200,), queue=CONTROL, ignore_result=True)
    await_(lambda: _inserted(store) == count, "all rows are written", PATIENCE_SECONDS)
    return time.perf_counter() - began


def _inserted(store: Store) -> int:
    with store._database.reading("count") as connection:
        return int(connection.execute(text("SELECT count(*) FROM bench_insert")).scalar_one())


def _delays(servers: Servers, store: Store) -> list[float]:
    """Seconds from handing a run in to its first step, while schedules keep all workers busy."""
    load = planned(CASES * 3)
    campaign = write(store, load, Trigger.SCHEDULE)
    wake(servers.broker, [])
    delays = []
    for _ in range(HANDED_IN):
        (run,) = planned(1, ELSEWHERE)
        write(store, [run])
        handed_in = time.time()
        wake(servers.broker, [])
        await_(lambda one=run.id: _started(store, one), "the run begins", PATIENCE_SECONDS)
        delays.append(_started(store, run.id) - handed_in)
    await_(lambda: _open(store, campaign) == 0, "the load ends", PATIENCE_SECONDS)
    return delays


def _started(store: Store, run_id: str) -> float:
    run = store.run(run_id)
    return run.started_at.timestamp() if run is not None and run.started_at else 0.0


def _execute(store: Store, statement: str) -> None:
    with store._database.writing("prepare the bench") as connection:
        connection.execute(text(statement))
