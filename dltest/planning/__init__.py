"""Laying scenarios out over a lake: which cases there are, and what they would write where.

Pure: the lake is a value, seen at some moment; a dry run and a real one get the same plan.
"""

from dltest.planning.difference import Difference, bytes_by_case, difference
from dltest.planning.disturbance import Company
from dltest.planning.permissions import blocked, permissions
from dltest.planning.plan import plan
from dltest.planning.selection import select
from dltest.planning.timetable import latest_slot, next_slot, slots, turn_at

__all__ = [
    "Company",
    "Difference",
    "blocked",
    "bytes_by_case",
    "difference",
    "latest_slot",
    "next_slot",
    "permissions",
    "plan",
    "select",
    "slots",
    "turn_at",
]
