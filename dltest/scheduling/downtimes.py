"""Runs whose RSE is in downtime when they would begin are skipped, and say so."""

import logging
from collections.abc import Iterable
from datetime import datetime

from dltest.errors import PlanError
from dltest.judge import skipped
from dltest.model import (
    RSE,
    Blame,
    Downtime,
    Finding,
    Lake,
    Run,
    RunPhase,
    Verdict,
)
from dltest.planning import select
from dltest.scheduling.windows import holds
from dltest.store import Store

log = logging.getLogger(__name__)


def closed_rses(downtimes: Iterable[Downtime], lake: Lake, now: datetime) -> dict[str, str]:
    """RSE -> the sentence that says why it is closed; of several downtimes the first tells."""
    closed: dict[str, str] = {}
    for downtime in downtimes:
        if holds(downtime, now):
            for rse in _meant(downtime, lake):
                closed.setdefault(rse, _sentence(rse, downtime))
    return closed


def _meant(downtime: Downtime, lake: Lake) -> list[str]:
    # An RSE that is named is closed also before the lake was ever seen.
    named = RSE(name=downtime.rses)
    known = lake if lake.rses else lake.model_copy(update={"rses": (named,)})
    try:
        return select(downtime.rses, known, asked_by=f"downtime {downtime.id}")
    except PlanError as error:
        log.warning("a downtime closes nothing: %s", error)
        return []


def _sentence(rse: str, downtime: Downtime) -> str:
    until = f" until {downtime.until_at:%Y-%m-%d %H:%M} UTC" if downtime.until_at else ""
    return f"{rse} is in downtime{until}: {downtime.why} ({downtime.by})"


def downtime_skips(runs: Iterable[Run], closed: dict[str, str]) -> dict[str, str]:
    """Run -> why, of those that touch a closed RSE."""
    touched = {run.id: [rse for rse in run.case.targets.values() if rse in closed] for run in runs}
    return {run_id: closed[rses[0]] for run_id, rses in touched.items() if rses}


def skip(store: Store, skips: dict[str, str], now: datetime) -> None:
    """End these planned runs unexercised."""
    for run_id, why in skips.items():
        with store.claim(run_id) as claim:
            if claim is not None and claim.run.phase is RunPhase.PLANNED:
                claim.save(skipped(claim.run, _finding(why), now))


def _finding(why: str) -> Finding:
    rse = why.partition(" ")[0]
    return Finding(code="downtime", title=why, blame=Blame.site(rse), verdict=Verdict.SKIPPED)
