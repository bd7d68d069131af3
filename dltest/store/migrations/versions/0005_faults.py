"""Faults and blocks stand in the ledger, as all else that a run must undo."""

from dltest.store.migrations.vocabulary import allow, forbid

revision = "0005_faults"
down_revision = "0004_schedules"
branch_labels = None
depends_on = None

BEFORE = ("dataset", "files", "replicas", "rule")
NEW = ("fault", "block")


def upgrade() -> None:
    allow("ledger_entry", "kind", BEFORE + NEW)


def downgrade() -> None:
    forbid("ledger_entry", "kind", NEW)
    allow("ledger_entry", "kind", BEFORE)
