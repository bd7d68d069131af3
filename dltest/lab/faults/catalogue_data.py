"""Faults of what Rucio's catalogue says of the lake."""

from dltest.lab.faults.fault import Fault

FAULTS: tuple[Fault, ...] = ()
