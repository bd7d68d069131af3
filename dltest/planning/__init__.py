"""Laying scenarios out over a lake: which cases there are, and what they would write where.

Pure: the lake is a value, seen at some moment; a dry run and a real one get the same plan.
"""

from dltest.planning.plan import plan
from dltest.planning.selection import select
from dltest.planning.timetable import latest_slot, next_slot, slots, turn_at

__all__ = ["latest_slot", "next_slot", "plan", "select", "slots", "turn_at"]
