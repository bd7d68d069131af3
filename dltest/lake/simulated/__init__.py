"""A lake in memory, behind the same ports: quick, deterministic, and ill in named ways.

For tests of everything above the ports, and for trying dltest without a lake. Rucio's daemons and
the storages work in turns: every call of the catalogue is a turn, and what was asked for happens
some turns later. The clock stands still unless moved.
"""

from dltest.lake.simulated.lake import SimulatedLake
from dltest.lake.simulated.world import (
    NECROMANCER_DOWN,
    NO_DISKS,
    REAPER_DOWN,
    RUCIO_DOWN,
    SLOW,
    SUBMITTER_DOWN,
    TRANSFERS_DOWN,
    TRANSFERS_UNCHECKED,
    Ailment,
    ManualClock,
    silent_corruption,
    silent_truncation,
    storage_down,
    storage_hung,
)

__all__ = [
    "NECROMANCER_DOWN",
    "NO_DISKS",
    "REAPER_DOWN",
    "RUCIO_DOWN",
    "SLOW",
    "SUBMITTER_DOWN",
    "TRANSFERS_DOWN",
    "TRANSFERS_UNCHECKED",
    "Ailment",
    "ManualClock",
    "SimulatedLake",
    "silent_corruption",
    "silent_truncation",
    "storage_down",
    "storage_hung",
]
