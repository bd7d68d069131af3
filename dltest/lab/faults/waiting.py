"""Faults that the lab cannot have yet, each with what it waits for."""

from dltest.lab.faults.fault import Fault

FAULTS: tuple[Fault, ...] = (
    Fault("tape-recall-stuck", "files on tape are never brought online", waits_for="tape"),
)
