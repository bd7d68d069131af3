"""Continuous functional testing of scientific data lakes run with Rucio."""

__version__ = "0.1.0"
