"""The queries of the service on a store that remembers more and more: they must stay flat."""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median

from sqlalchemy import event, text

from bench.engine.service import planned, write
from bench.engine.waiting import waiting_runs
from bench.figure import Figure
from dltest.store import Store

SIZES = (10_000, 100_000, 1_000_000)
TIMES = 15
OPEN_RUNS = 500
# Half as slow again at a hundred times the rows is noise; a scan would be a hundred times.
AIM = 3.0

# Copies of one ended run with its records and its settled ledger, spread over three months.
GROW = """
INSERT INTO run SELECT copy.* FROM run AS template,
  generate_series(CAST(:first AS int), CAST(:last AS int)) AS n,
  LATERAL jsonb_populate_record(template, jsonb_build_object(
    'id', md5(CAST(n AS text)), 'case_id', 'bench[' || n % 500 || ']',
    'planned_at', now() - n * interval '90 days' / CAST(:most AS int),
    'finished_at', now() - n * interval '90 days' / CAST(:most AS int))) AS copy
  WHERE template.id = :template;
INSERT INTO step_record SELECT copy.* FROM step_record AS template,
  generate_series(CAST(:first AS int), CAST(:last AS int)) AS n,
  LATERAL jsonb_populate_record(
    template, jsonb_build_object('run_id', md5(CAST(n AS text)))) AS copy
  WHERE template.run_id = :template AND template.position = 0;
INSERT INTO ledger_entry (run_id, kind, name, rse, count, state)
  SELECT md5(CAST(n AS text)), 'dataset', 'x', '', 1, 'gone'
  FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n
"""


def measure(store: Store) -> Iterator[Figure]:
    """A figure for each query: its time at the most rows against that at the fewest."""
    template = _end_one(store)
    write(store, [run.model_copy(update={"watch": None}) for run in waiting_runs(OPEN_RUNS)])
    write(store, waiting_runs(OPEN_RUNS))
    took: dict[str, list[float]] = {}
    grown = 0
    for size in SIZES:
        _grow(store, template, grown, size)
        grown = size
        for name, ask in _queries(store).items():
            took.setdefault(name, []).append(_seconds(ask))
    for name, ask in _queries(store).items():
        for plan in _scans(store, ask):
            print(f"{name} reads a whole table:\n{plan}", file=sys.stderr)
    for name, values in took.items():
        yield Figure(
            f"engine-growth-{name}",
            round(values[-1] * 1000, 2),
            "ms",
            round(values[0] * 1000, 2),
            round(values[-1] / values[0], 2),
            AIM,
            [
                {"rows": size, "ms": round(v * 1000, 2)}
                for size, v in zip(SIZES, values, strict=True)
            ],
        )


def _queries(store: Store) -> dict[str, Callable[[], object]]:
    now = datetime.now(UTC)
    run_id = store.watching("bench")[0][0]

    def step() -> None:
        with store.claim(run_id) as claim:
            assert claim is not None
            later = {"wake_at": datetime.now(UTC) + timedelta(hours=1)}
            claim.save(claim.run.model_copy(update=later))

    return {
        "step": step,
        "due": lambda: store.due(now, 200, "bench"),
        "watching": lambda: store.watching("bench"),
        "wake": lambda: store.wake(["unknown"]),
        "stranded-moves": lambda: store.stranded_moves(now, now, lake="bench"),
        "unsettled": lambda: store.unsettled("bench"),
        "abandoned": lambda: store.abandoned("bench", now),
        "list": lambda: store.runs(50, lake="bench"),
        "list-of-scenario": lambda: store.runs(50, lake="bench", scenario="bench"),
        "list-of-case": lambda: store.runs(50, lake="bench", case_id="bench[7]"),
        "show": lambda: store.run(run_id[:12]),
        "open-runs": store.open_runs,
    }


def _end_one(store: Store) -> str:
    """A run that ended well, as a template for many."""
    (run,) = planned(1)
    write(store, [run])
    with store.claim(run.id) as claim:
        assert claim is not None
        ended = waiting_runs(1)[0].model_copy(
            update={
                "id": run.id,
                "campaign_id": run.campaign_id,
                "phase": "ended",
                "watch": None,
                "wake_at": None,
                "finished_at": datetime.now(UTC),
            }
        )
        claim.save(ended)
    return run.id


def _grow(store: Store, template: str, first: int, last: int) -> None:
    bounds = {"template": template, "first": first + 1, "last": last, "most": SIZES[-1]}
    for statement in GROW.split(";\n"):
        with store._database.writing("fill the bench") as connection:
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            wanted = {key: value for key, value in bounds.items() if f":{key}" in statement}
            connection.execute(text(statement), wanted)
    with store._database.engine.connect() as connection:
        vacuum = connection.execution_options(isolation_level="AUTOCOMMIT")
        vacuum.execute(text("VACUUM ANALYZE"))


def _seconds(ask: Callable[[], object]) -> float:
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        ask()
        took.append(time.perf_counter() - began)
    return median(took)


def _scans(store: Store, ask: Callable[[], object]) -> Iterator[str]:
    """Plans of what is asked that read all rows of a table that grows."""
    asked: list[tuple[str, object]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(store._database.engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(store._database.engine, "before_cursor_execute", note)
    for statement, parameters in asked:
        if statement.startswith("SELECT"):
            with store._database.reading("explain") as connection:
                rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
                plan = "\n".join(row[0] for row in rows)
            if any(f"Seq Scan on {table}" in plan for table in ("run", "step_record", "ledger")):
                yield f"{statement}\n{plan}"
