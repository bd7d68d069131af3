"""What keeps files from being deleted, and files that no catalogue knows, stand in the ledger."""

from dltest.store.migrations.vocabulary import allow, forbid

revision = "0006_deletion"
down_revision = "0005_faults"
branch_labels = None
depends_on = None

BEFORE = ("dataset", "files", "replicas", "rule", "fault", "block")
NEW = ("hold", "dark")


def upgrade() -> None:
    allow("ledger_entry", "kind", BEFORE + NEW)


def downgrade() -> None:
    forbid("ledger_entry", "kind", NEW)
    allow("ledger_entry", "kind", BEFORE)
