"""Attempts of a step that was tried again."""

import sqlalchemy as sa
from alembic import op

revision = "0002_attempts"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "step_record", sa.Column("attempts", sa.JSON(), nullable=False, server_default="[]")
    )


def downgrade() -> None:
    op.drop_column("step_record", "attempts")
