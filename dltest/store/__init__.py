"""dltest's memory: lakes, campaigns, runs, ledgers, storage jobs and totals, in SQL.

SQL is the only truth; message queues carry wake-ups. The only place that touches SQLAlchemy.
"""

from dltest.store.admissions import Admission, Crowd, Group, Waiter
from dltest.store.claim import Claim
from dltest.store.place import Place
from dltest.store.store import Store
from dltest.store.views import CaseState, Snapshot

__all__ = [
    "Admission",
    "CaseState",
    "Claim",
    "Crowd",
    "Group",
    "Place",
    "Snapshot",
    "Store",
    "Waiter",
]
