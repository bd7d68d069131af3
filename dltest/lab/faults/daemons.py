"""Faults of Rucio's daemons: each has its part in the chain, and its absence looks different."""

from dltest.lab.daemons import DAEMONS
from dltest.lab.faults.fault import TARGET, Fault

NAMES = tuple(daemon.name for daemon in DAEMONS)

FAULTS = (
    Fault(
        "daemon-down",
        "one of Rucio's daemons is killed and stays dead",
        part=TARGET,
        stopped="down",
        kind="DAEMON",
        targets=NAMES,
    ),
    Fault(
        "daemon-hung",
        "one of Rucio's daemons stands still, with all that it holds",
        part=TARGET,
        stopped="hung",
        kind="DAEMON",
        targets=NAMES,
    ),
)
