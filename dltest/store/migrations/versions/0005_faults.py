"""Faults and blocks stand in the ledger, as all else that a run must undo."""

import sqlalchemy as sa
from alembic import op

revision = "0005_faults"
down_revision = "0004_schedules"
branch_labels = None
depends_on = None

BEFORE = ("dataset", "files", "replicas", "rule")
NOW = (*BEFORE, "fault", "block")
CHECK = "ck_ledger_entry_kind"


def upgrade() -> None:
    _allow(NOW)


def downgrade() -> None:
    op.execute("DELETE FROM ledger_entry WHERE kind IN ('fault', 'block')")
    _allow(BEFORE)


def _allow(kinds: tuple[str, ...]) -> None:
    words = ", ".join(repr(kind) for kind in kinds)
    # In a batch, since SQLite changes no CHECK but in a table that is made anew.
    with op.batch_alter_table("ledger_entry") as table:
        table.drop_constraint(op.f(CHECK), type_="check")
        table.create_check_constraint(op.f(CHECK), sa.text(f"kind IN ({words})"))
