"""What keeps files from being deleted, and files that no catalogue knows, stand in the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0006_deletion"
down_revision = "0005_faults"
branch_labels = None
depends_on = None

BEFORE = ("dataset", "files", "replicas", "rule", "fault", "block")
NOW = (*BEFORE, "hold", "dark")
CHECK = "ck_ledger_entry_kind"


def upgrade() -> None:
    _allow(NOW)


def downgrade() -> None:
    op.execute("DELETE FROM ledger_entry WHERE kind IN ('hold', 'dark')")
    _allow(BEFORE)


def _allow(kinds: tuple[str, ...]) -> None:
    words = ", ".join(repr(kind) for kind in kinds)
    # In a batch, since SQLite changes no CHECK but in a table that is made anew.
    with op.batch_alter_table("ledger_entry") as table:
        table.drop_constraint(op.f(CHECK), type_="check")
        table.create_check_constraint(op.f(CHECK), sa.text(f"kind IN ({words})"))
