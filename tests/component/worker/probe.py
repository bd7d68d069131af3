"""A real worker or beat whose engine is a probe: every step is written down, or made to hang.

    probe.py DATABASE BROKER FOLDER control|transfer|transfer.SITE2|all|beat [VISIBILITY_SECONDS]

The probe takes STEPS steps of a run and ends it. Scenarios in FOLDER/scenarios run every three
seconds, and two runs may be open at once on an RSE. While the file `gate` lies in FOLDER it holds
the run, and says so in `held`.
"""

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dltest import engine
from dltest.lake.simulated import SimulatedLake
from dltest.model import Judgement, Run, RunPhase, Schedule, Verdict
from dltest.scenario import Scenario
from dltest.settings import LakeSettings, Settings
from dltest.store import Store
from dltest.worker import moving
from dltest.worker.app import app
from dltest.worker.service import beat, work
from dltest.worker.station import Station

STEPS = 5
PAUSE = timedelta(milliseconds=50)

database, broker, folder, role, *visibility = sys.argv[1:]
FOLDER = Path(folder)
store = Store.open(database)


def note(line: str) -> None:
    with (FOLDER / "log").open("a") as log:
        log.write(f"{line}\n")


def probe(run_id: str, _house: object) -> datetime | None:
    with store.claim(run_id) as claim:
        if claim is None:
            note(f"{os.getpid()} {run_id} passed-by")
            return None
        note(f"{os.getpid()} {run_id} took-{claim.run.step_index}")
        if (FOLDER / "gate").exists():
            (FOLDER / "held").write_text(str(os.getpid()))
        while (FOLDER / "gate").exists():
            time.sleep(0.05)
        claim.save(stepped(claim.run))
        return claim.saved.wake_at if claim.saved else None


def stepped(run: Run) -> Run:
    now = datetime.now(UTC)
    changes: dict[str, object] = {"step_index": run.step_index + 1, "wake_at": now + PAUSE}
    if run.step_index + 1 == STEPS:
        changes |= {
            "phase": RunPhase.ENDED,
            "judgement": Judgement(verdict=Verdict.PASSED),
            "finished_at": now,
            "wake_at": None,
        }
    return run.model_copy(update=changes)


engine.advance = probe  # type: ignore[assignment]
moving.LEASE = timedelta(seconds=3)
moving.RENEW_EVERY = timedelta(seconds=0.5)
if visibility:
    app.conf.broker_transport_options |= {
        "visibility_timeout": float(visibility[0]),
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    }

lake = LakeSettings.model_validate(
    {
        "name": "lab",
        "rucio": {"url": "http://127.0.0.1:1", "account": "root", "scope": "test"},
        "movers": {"SITE2": ["XRD2"]},
    }
)
settings = Settings.model_validate(
    {
        "database": database,
        "broker": broker,
        "state_dir": FOLDER / "state",
        "scenarios": FOLDER / "scenarios",
        "parallel_per_rse": 2,
        "tick_seconds": 1,
    }
)
Scenario.timetable = property(lambda _: Schedule(every=timedelta(seconds=3)))  # type: ignore[assignment,method-assign]
station = Station(settings, lake, store)
# It knows no rule, so whatever a run waits for has changed.
station.__dict__["lake"] = SimulatedLake(name="lab")
if role == "beat":
    beat(station)
else:
    sys.exit(work(station, ["control", "transfer"] if role == "all" else [role]))
