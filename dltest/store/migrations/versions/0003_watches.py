"""What waiting runs wait for."""

import sqlalchemy as sa
from alembic import op

revision = "0003_watches"
down_revision = "0002_attempts"
branch_labels = None
depends_on = None

WATCHING = sa.text("watch IS NOT NULL")


def upgrade() -> None:
    op.add_column("run", sa.Column("watch", sa.JSON(none_as_null=True)))
    op.create_index(
        "ix_run_watching", "run", ["lake"], postgresql_where=WATCHING, sqlite_where=WATCHING
    )


def downgrade() -> None:
    op.drop_index("ix_run_watching", "run")
    op.drop_column("run", "watch")
