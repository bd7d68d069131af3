"""Laying scenarios out over a lake: which cases there are, and what they would write where.

Pure: the lake is a value, seen at some moment; a dry run and a real one get the same plan.
"""

from dltest.planning.plan import plan
from dltest.planning.selection import select

__all__ = ["plan", "select"]
