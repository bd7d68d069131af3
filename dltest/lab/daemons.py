"""Rucio's daemons: which the lab runs, and how often each goes round.

All are forked from one process that has imported Rucio once (`rucio_side/nursery.py`), so
that they share its memory, die apart and hang apart.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Daemon:
    """One of Rucio's daemons, run by calling `run` in its module with these options."""

    name: str
    module: str
    options: dict[str, int | str] = field(default_factory=dict)
    look_again_seconds: int = 10


def _daemon(name: str, module: str, look_again: int = 10, **options: int | str) -> Daemon:
    return Daemon(name, f"rucio.daemons.{module}", options, look_again)


# The chain that a rule passes through goes round every second, what it waits for less often.
# The reaper needs 2 s at least: with 1 its heartbeat never ages, and it deletes nothing.
# It has one thread, since two that delete a file's last two replicas at once leave its DID
# behind, each believing in the other's replica; a deletion that failed is tried after 30 s.
# Necromancer, minos and undertaker feed the chain, the abacus daemons only count.
DAEMONS = (
    _daemon("judge-evaluator", "judge.evaluator", sleep_time=1, did_limit=1000),
    _daemon("judge-injector", "judge.injector", sleep_time=2),
    _daemon("judge-repairer", "judge.repairer", sleep_time=2),
    _daemon("judge-cleaner", "judge.cleaner", sleep_time=1),
    _daemon("conveyor-submitter", "conveyor.submitter", sleep_time=1, group_bulk=200, bulk=1000),
    _daemon("conveyor-poller", "conveyor.poller", look_again=1, sleep_time=1, older_than=0),
    _daemon("conveyor-finisher", "conveyor.finisher", sleep_time=1),
    _daemon("reaper", "reaper.reaper", sleep_time=2, chunk_size=100, threads=1, delay_seconds=30,
            include_rses="*", auto_exclude_threshold=1_000_000),
    _daemon("dark-reaper", "reaper.dark_reaper", sleep_time=5, include_rses="*"),
    _daemon("undertaker", "undertaker.undertaker", sleep_time=2, chunk_size=1000),
    _daemon("necromancer", "badreplicas.necromancer", sleep_time=2),
    _daemon("minos", "badreplicas.minos", sleep_time=2),
    _daemon("minos-temporary-expiration", "badreplicas.minos_temporary_expiration", sleep_time=5),
    _daemon("transmogrifier", "transmogrifier.transmogrifier", sleep_time=2),
    _daemon("abacus-account", "abacus.account", sleep_time=5),
    _daemon("abacus-rse", "abacus.rse", sleep_time=5),
    _daemon("abacus-collection-replica", "abacus.collection_replica", sleep_time=2),
)  # fmt: skip
