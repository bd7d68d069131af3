"""Schedules, slots, downtimes; runs that are held, annulled and judged again; a steady status."""

import sqlalchemy as sa
from alembic import op

revision = "0004_schedules"
down_revision = "0003_watches"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def word(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=16)


def moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    _make_tables()
    op.add_column(
        "campaign",
        sa.Column(
            "ignores_downtime",
            sa.Boolean(create_constraint=False),
            nullable=False,
            server_default=sa.false(),
        ),
    )
    for column in (
        sa.Column("targets", sa.Text(), nullable=False, server_default=""),
        moment("admitted_at"),
        sa.Column("held", sa.Text(), nullable=True),
        moment("annulled_at"),
        sa.Column("annulled_by", sa.Text(), nullable=True),
        sa.Column("annulled_why", sa.Text(), nullable=True),
    ):
        op.add_column("run", column)
    op.create_index(
        op.f("ix_run_lake_scenario_admitted_at"), "run", ["lake", "scenario", "admitted_at"]
    )
    op.create_index(
        "ix_run_waits",
        "run",
        ["lake", "planned_at"],
        postgresql_where=sa.text("phase = 'planned' AND admitted_at IS NULL"),
        sqlite_where=sa.text("phase = 'planned' AND admitted_at IS NULL"),
    )
    op.add_column(
        "run_total", sa.Column("annulled", sa.BigInteger(), nullable=False, server_default="0")
    )
    # Written out, since SQLite takes a new column with a CHECK in this form alone.
    op.execute(
        "ALTER TABLE case_state ADD COLUMN status VARCHAR(16) CONSTRAINT ck_case_state_status"
        " CHECK (status IN ('skipped', 'passed', 'degraded', 'inconclusive', 'failed'))"
    )
    op.add_column("case_state", moment("status_since"))
    op.add_column("case_state", sa.Column("recent", sa.JSON(), nullable=False, server_default="[]"))


def _make_tables() -> None:
    op.create_table(
        "judgement_change",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("run_id", KEY, nullable=False),
        moment("changed_at", nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_judgement_change_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judgement_change")),
    )
    op.create_index(op.f("ix_judgement_change_run_id"), "judgement_change", ["run_id"])
    op.create_table(
        "schedule",
        sa.Column("lake", KEY, nullable=False),
        sa.Column("scenario", KEY, nullable=False),
        sa.Column("timetable", sa.JSON(), nullable=False),
        moment("next_slot_at"),
        moment("next_starts_at"),
        sa.Column("next_number", sa.BigInteger(), nullable=True),
        moment("paused_at"),
        sa.Column("paused_by", sa.Text(), nullable=True),
        sa.Column("paused_why", sa.Text(), nullable=True),
        moment("paused_until"),
        sa.PrimaryKeyConstraint("lake", "scenario", name=op.f("pk_schedule")),
    )
    op.create_table(
        "slot",
        sa.Column("lake", KEY, nullable=False),
        sa.Column("scenario", KEY, nullable=False),
        moment("slot_at", nullable=False),
        sa.Column("campaign_id", KEY, nullable=True),
        sa.Column(
            "outcome",
            word("outcome", "started", "missed", "skipped-overlap", "paused", "failed"),
            nullable=False,
        ),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("overlapping", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        moment("written_at", nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_slot_campaign"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("lake", "scenario", "slot_at", name=op.f("pk_slot")),
    )
    op.create_index(op.f("ix_slot_campaign_id"), "slot", ["campaign_id"])
    op.create_index(op.f("ix_slot_written_at"), "slot", ["written_at"])
    op.create_table(
        "slot_total",
        sa.Column("lake", KEY, nullable=False),
        sa.Column("scenario", KEY, nullable=False),
        sa.Column(
            "outcome",
            word("outcome", "started", "missed", "skipped-overlap", "paused", "failed"),
            nullable=False,
        ),
        sa.Column("slots", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lake", "scenario", "outcome", name=op.f("pk_slot_total")),
    )
    op.create_table(
        "downtime",
        sa.Column("id", KEY, nullable=False),
        sa.Column("lake", sa.Text(), nullable=False),
        sa.Column("rses", sa.Text(), nullable=False),
        moment("from_at"),
        moment("until_at"),
        sa.Column("window", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        moment("created_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_downtime")),
    )


def downgrade() -> None:
    op.drop_index("ix_run_waits", "run")
    op.drop_index(op.f("ix_run_lake_scenario_admitted_at"), "run")
    for table, columns in (
        ("case_state", ("recent", "status_since", "status")),
        ("run_total", ("annulled",)),
        ("run", ("annulled_why", "annulled_by", "annulled_at", "held", "admitted_at", "targets")),
        ("campaign", ("ignores_downtime",)),
    ):
        for column in columns:
            op.drop_column(table, column)
    for name in ("downtime", "slot_total", "slot", "schedule", "judgement_change"):
        op.drop_table(name)
