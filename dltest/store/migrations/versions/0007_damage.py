"""Movers damage files too, when a scenario says so."""

from dltest.store.migrations.vocabulary import allow, forbid

revision = "0007_damage"
down_revision = "0006_deletion"
branch_labels = None
depends_on = None

BEFORE = ("put", "get", "read", "stat", "unlink")
NEW = ("damage",)


def upgrade() -> None:
    allow("move", "kind", BEFORE + NEW)


def downgrade() -> None:
    forbid("move", "kind", NEW)
    allow("move", "kind", BEFORE)
