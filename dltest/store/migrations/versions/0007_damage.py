"""Movers damage files too, when a scenario says so."""

import sqlalchemy as sa
from alembic import op

revision = "0007_damage"
down_revision = "0006_deletion"
branch_labels = None
depends_on = None

BEFORE = ("put", "get", "read", "stat", "unlink")
NOW = (*BEFORE, "damage")
CHECK = "ck_move_kind"


def upgrade() -> None:
    _allow(NOW)


def downgrade() -> None:
    op.execute("DELETE FROM move WHERE kind = 'damage'")
    _allow(BEFORE)


def _allow(kinds: tuple[str, ...]) -> None:
    words = ", ".join(repr(kind) for kind in kinds)
    # In a batch, since SQLite changes no CHECK but in a table that is made anew.
    with op.batch_alter_table("move") as table:
        table.drop_constraint(op.f(CHECK), type_="check")
        table.create_check_constraint(op.f(CHECK), sa.text(f"kind IN ({words})"))
