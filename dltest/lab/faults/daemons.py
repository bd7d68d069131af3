"""Faults of Rucio's daemons: each has its part in the chain, and its absence looks different."""

from dltest.lab.daemons import DAEMONS
from dltest.lab.faults.fault import (
    DELETION,
    OTHER,
    REPAIR,
    TARGET,
    TRANSFERS,
    Drill,
    Fault,
    Notice,
)

NAMES = tuple(daemon.name for daemon in DAEMONS)


def _conveyor(daemon: str, *codes: str) -> Drill:
    notice = Notice("replicate", (OTHER, OTHER), "replicate", codes, "rucio")
    return Drill((notice,), (TRANSFERS,), daemon)


def _deletion(daemon: str, scenario: str, step: str, code: str) -> Drill:
    notice = Notice(scenario, (OTHER,), step, (code,), "rucio")
    return Drill((notice,), (DELETION,), daemon)


def _loss(daemon: str) -> Drill:
    """Bad replicas stay bad, and lost files are not told to be lost."""
    repair = Notice("corruption-repaired", (OTHER, OTHER), "repaired", ("not-repaired",), "rucio")
    loss = Notice("lost-file", (OTHER,), "lost", ("loss-not-reported",), "rucio")
    return Drill((repair, loss), (REPAIR,), daemon, seconds=120.0)


# The order in which data comes and goes; what a daemon would have done next is what is missing.
CHAIN = (
    _conveyor("conveyor-submitter", "not-submitted"),
    _conveyor("conveyor-poller", "not-polled"),
    _conveyor("conveyor-finisher", "not-finished"),
    _deletion("undertaker", "delete", "absent", "rule-not-removed"),
    _deletion("judge-cleaner", "file-with-own-rule", "absent", "rule-not-removed"),
    _deletion("reaper", "delete", "absent", "replica-not-deleted"),
    _deletion("dark-reaper", "dark-data", "quarantine", "dark-file-not-deleted"),
    _loss("necromancer"),
)

FAULTS = (
    Fault(
        "daemon-down",
        "one of Rucio's daemons is killed and stays dead",
        part=TARGET,
        stopped="down",
        kind="DAEMON",
        targets=NAMES,
        drills=CHAIN,
    ),
    Fault(
        "daemon-hung",
        "one of Rucio's daemons stands still, with all that it holds",
        part=TARGET,
        stopped="hung",
        kind="DAEMON",
        targets=NAMES,
        drills=CHAIN,
    ),
)
