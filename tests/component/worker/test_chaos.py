"""The service under a hail of SIGKILL, in small; `python -m bench chaos` is the large one."""

import sys
from pathlib import Path

import pytest

from bench.killing import Order
from bench.playing import play

HURRIED = Path(__file__).parent / "hurried.py"


@pytest.mark.usefixtures("own_broker")
def test_nothing_is_lost_doubled_or_left_while_everything_is_killed() -> None:
    order = Order(
        runs=24,
        seed=8,  # kills one of each
        pause=(0.3, 1.5),
        down_seconds=1.0,
        workers=2,
        limit_seconds=120,
        kills=6,
        # Long enough that two movers of one file would meet.
        file_seconds=0.3,
        program=(sys.executable, str(HURRIED)),
    )
    outcome = play(order)
    assert len(outcome.story.kills) == order.kills
    assert outcome.lost == 0
    assert outcome.doubled == []
    assert outcome.unsettled == []
    assert outcome.litter == []
    verdicts = {run.id: run.judgement for run in outcome.not_passed}
    assert verdicts == {}
