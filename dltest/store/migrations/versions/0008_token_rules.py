"""Movers try tokens too."""

from dltest.store.migrations.vocabulary import allow, forbid

revision = "0008_token_rules"
down_revision = "0007_damage"
branch_labels = None
depends_on = None

BEFORE = ("put", "get", "read", "stat", "unlink", "damage")
NEW = ("token", "token-expiry", "sign-in")


def upgrade() -> None:
    allow("move", "kind", BEFORE + NEW)


def downgrade() -> None:
    forbid("move", "kind", NEW)
    allow("move", "kind", BEFORE)
