"""`bench chaos`: many runs while workers, beat, Redis and PostgreSQL are killed all the time.

On a simulated lake, or on the lab that is named; the service's own processes are started here.
`python -m bench.chaos --help` tells how to play a seed again.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure
from bench.killing import Order
from bench.playing import Outcome, play, play_on_lab

RUNS, RUNS_ON_LAB = 1000, 60


def measure(lab: Path | None, samples: int) -> Iterator[Figure]:  # noqa: ARG001 - one is enough
    """1,000 runs on a simulated lake, or 60 of the core scenarios on the lab."""
    seed = random.SystemRandom().randrange(10**6)
    yield from _played(lab, Order(RUNS_ON_LAB if lab else RUNS, seed))


def _played(lab: Path | None, order: Order) -> Iterator[Figure]:
    print(f"chaos: {order.runs} runs, seed {order.seed}", file=sys.stderr)
    outcome = play_on_lab(lab, order) if lab else play(order)
    for line in _complaints(outcome):
        print(f"chaos: {line}", file=sys.stderr)
    yield from figures(outcome)


def figures(outcome: Outcome) -> Iterator[Figure]:
    """What is to be 0, how fast it went, and what was survived."""
    story, runs = outcome.story, outcome.runs
    kills = [{"seconds": round(at, 1), name: 1.0} for at, name in story.kills]
    ended = [{"seconds": round(at, 1), "ended": float(count)} for at, count in story.ended]
    verdicts = Counter(str(run.judgement.verdict) if run.judgement else "none" for run in runs)
    told = [{verdict: float(count)} for verdict, count in verdicts.items()]
    yield _figure("runs", len(runs), "runs", ended)
    yield _figure("rate", round(len(runs) / story.seconds, 3), "runs/s", ended)
    yield _figure("kills", len(story.kills), "kills", kills)
    yield _figure("lost", outcome.lost, "runs", told, aim=0)
    yield _figure("doubled", len(outcome.doubled), "effects", told, aim=0)
    yield _figure("leftovers", len(outcome.unsettled), "entries", told, aim=0)
    yield _figure("litter", len(outcome.litter), "names", told, aim=0)
    yield _figure("not-passed", len(outcome.not_passed), "runs", told, aim=0)
    yield _figure("written-again", outcome.written_again, "files", told)
    yield _figure("swept", outcome.swept, "entries", told)


def _figure(
    name: str, value: float, unit: str, samples: list[dict[str, float]], aim: float | None = None
) -> Figure:
    return Figure(f"chaos-{name}", float(value), unit, None, None, aim, samples)


def _complaints(outcome: Outcome) -> Iterator[str]:
    for run in outcome.not_passed:
        why = (
            "; ".join(f"{f.code}: {f.title}" for f in run.judgement.findings)
            if run.judgement
            else ""
        )
        verdict = run.judgement.verdict if run.judgement else "no verdict"
        yield f"run {run.id} {run.case.id} is {run.phase}, {verdict}: {why}"
    for what, names in (
        ("doubled", outcome.doubled),
        ("left over", outcome.unsettled),
        ("litter", outcome.litter),
    ):
        yield from (f"{what}: {name}" for name in names)


def main() -> None:
    """Play one order, with the kills of its seed."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=None, help="how many [1000; on a lab 60]")
    parser.add_argument("--seed", type=int, default=None, help="of the kills [a random one]")
    parser.add_argument("--lab", type=Path, help="folder of a running lab [a simulated lake]")
    parser.add_argument("--json", action="store_true", help="one JSON object a figure")
    parser.add_argument("--keep", type=Path, help="a new folder for the logs, kept afterwards")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    runs = options.runs or (RUNS_ON_LAB if options.lab else RUNS)
    for figure in _played(options.lab, Order(runs, seed, keep=options.keep)):
        print(figure.to_json() if options.json else figure, flush=True)


if __name__ == "__main__":
    main()
