"""Processes that race for runs, and one that is killed while it holds one (PostgreSQL)."""

import signal
import subprocess
import sys
from collections.abc import Callable

from dltest.model import Campaign, Run
from dltest.store import Store

# Takes every run once: the row says by its version whether somebody was there before.
GREEDY = """
import sys
from dltest.store import Store
store = Store.open(sys.argv[1])
taken = 0
for number in range(100):
    with store.claim(f"r{number}") as claim:
        if claim is not None and claim.run.version == 0:
            claim.save(claim.run.model_copy(update={"step_index": 1}))
            taken += 1
print(taken)
"""

HOLDER = """
import sys
from dltest.store import Store
with Store.open(sys.argv[1]).claim("r0") as claim:
    claim.save(claim.run.model_copy(update={"step_index": 7}))
    print("held", flush=True)
    sys.stdin.read()
"""


def python(program: str, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_share_the_runs(
    postgresql_store: Store,
    migrated_postgresql_url: str,
    campaign: Campaign,
    planned: Callable[..., Run],
) -> None:
    postgresql_store.create_campaign(campaign, [planned(f"r{n}") for n in range(100)])
    racers = [python(GREEDY, migrated_postgresql_url) for _ in range(2)]
    taken = [int(racer.communicate(timeout=60)[0]) for racer in racers]
    runs = postgresql_store.runs(200)
    assert {run.version for run in runs} <= {0, 1}
    assert sum(taken) == sum(run.version for run in runs)
    # Who found a run held passed it by; both together leave next to none.
    assert sum(taken) > 90


def test_a_killed_process_lets_go_of_its_run_and_wrote_nothing(
    postgresql_store: Store,
    migrated_postgresql_url: str,
    campaign: Campaign,
    planned: Callable[..., Run],
) -> None:
    postgresql_store.create_campaign(campaign, [planned("r0")])
    holder = python(HOLDER, migrated_postgresql_url)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with postgresql_store.claim("r0") as claim:
        assert claim is None
    holder.send_signal(signal.SIGKILL)
    holder.communicate(timeout=10)
    # The server sees the closed connection within moments; claim says None until then.
    run = claim_soon(postgresql_store)
    assert run.version == 0
    assert run.step_index == 0


def claim_soon(store: Store) -> Run:
    for _ in range(200):
        with store.claim("r0") as claim:
            if claim is not None:
                return claim.run
    raise AssertionError("the killed process still holds the run")
