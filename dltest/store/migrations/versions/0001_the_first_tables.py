"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def word(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=16)


def upgrade() -> None:
    op.create_table(
        "beat_mark",
        sa.Column("name", KEY, nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_beat_mark")),
    )
    op.create_table(
        "campaign",
        sa.Column("id", KEY, nullable=False),
        sa.Column("lake", sa.Text(), nullable=False),
        sa.Column("trigger", word("trigger", "manual", "ci", "schedule"), nullable=False),
        sa.Column("driver", word("driver", "in-process", "service"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
    )
    op.create_index(op.f("ix_campaign_created_at"), "campaign", ["created_at"], unique=False)
    op.create_table(
        "case_state",
        sa.Column("lake", KEY, nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("scenario", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("rse", sa.Text(), nullable=False),
        sa.Column(
            "verdict",
            word("verdict", "skipped", "passed", "degraded", "inconclusive", "failed"),
            nullable=False,
        ),
        sa.Column("blame", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("last_finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_passed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("lake", "case_id", name=op.f("pk_case_state")),
    )
    op.create_table(
        "duration_total",
        sa.Column("lake", KEY, nullable=False),
        sa.Column("scenario", KEY, nullable=False),
        sa.Column("step", KEY, nullable=False),
        sa.Column("bucket_seconds", sa.Float(), nullable=False),
        sa.Column("observations", sa.BigInteger(), nullable=False),
        sa.Column("seconds_sum", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint(
            "lake", "scenario", "step", "bucket_seconds", name=op.f("pk_duration_total")
        ),
    )
    op.create_table(
        "lake",
        sa.Column("name", KEY, nullable=False),
        sa.Column("inventory", sa.JSON(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lake")),
    )
    op.create_table(
        "move",
        sa.Column("id", KEY, nullable=False),
        sa.Column("lake", sa.Text(), nullable=False),
        sa.Column("kind", word("kind", "put", "get", "read", "stat", "unlink"), nullable=False),
        sa.Column("rse", sa.Text(), nullable=False),
        sa.Column("state", word("state", "queued", "running", "done", "lost"), nullable=False),
        sa.Column("job", sa.JSON(), nullable=False),
        sa.Column("status", sa.JSON(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_move")),
    )
    op.create_index("ix_move_finished_at", "move", ["finished_at"], unique=False)
    op.create_index("ix_move_state_leased_until", "move", ["state", "leased_until"], unique=False)
    op.create_table(
        "run_total",
        sa.Column("lake", KEY, nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column(
            "verdict",
            word("verdict", "skipped", "passed", "degraded", "inconclusive", "failed"),
            nullable=False,
        ),
        sa.Column("blame", KEY, nullable=False),
        sa.Column("scenario", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("rse", sa.Text(), nullable=False),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lake", "case_id", "verdict", "blame", name=op.f("pk_run_total")),
    )
    op.create_table(
        "transfer_total",
        sa.Column("lake", KEY, nullable=False),
        sa.Column("step", KEY, nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("destination", KEY, nullable=False),
        sa.Column("rse", KEY, nullable=False),
        sa.Column("bytes_sum", sa.BigInteger(), nullable=False),
        sa.Column("last_rate_bytes_per_second", sa.Float(), nullable=True),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "lake", "step", "source", "destination", "rse", name=op.f("pk_transfer_total")
        ),
    )
    op.create_table(
        "run",
        sa.Column("id", KEY, nullable=False),
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("lake", sa.Text(), nullable=False),
        sa.Column("scenario", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("rse", sa.Text(), nullable=False),
        sa.Column(
            "phase", word("phase", "planned", "exercising", "cleaning", "ended"), nullable=False
        ),
        sa.Column(
            "verdict",
            word("verdict", "skipped", "passed", "degraded", "inconclusive", "failed"),
            nullable=True,
        ),
        sa.Column(
            "blame",
            word("blame", "site", "link", "rucio", "fts", "identity", "scenario", "dltest"),
            nullable=True,
        ),
        sa.Column("blame_where", sa.Text(), nullable=True),
        sa.Column("leftovers", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("step_index", sa.Integer(), nullable=False),
        sa.Column("handle", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("case_definition", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_run_campaign")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index(op.f("ix_run_campaign_id"), "run", ["campaign_id"], unique=False)
    op.create_index("ix_run_finished_at", "run", ["finished_at"], unique=False)
    op.create_index(
        "ix_run_lake_case_id_planned_at", "run", ["lake", "case_id", "planned_at"], unique=False
    )
    op.create_index(
        "ix_run_open_wake_at",
        "run",
        ["wake_at", "planned_at"],
        unique=False,
        postgresql_where=sa.text("phase <> 'ended'"),
        sqlite_where=sa.text("phase <> 'ended'"),
    )
    op.create_index("ix_run_planned_at", "run", ["planned_at"], unique=False)
    op.create_index("ix_run_scenario_planned_at", "run", ["scenario", "planned_at"], unique=False)
    op.create_index("ix_run_verdict_planned_at", "run", ["verdict", "planned_at"], unique=False)
    op.create_table(
        "finding",
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column(
            "verdict",
            word("verdict", "skipped", "passed", "degraded", "inconclusive", "failed"),
            nullable=False,
        ),
        sa.Column(
            "blame",
            word("blame", "site", "link", "rucio", "fts", "identity", "scenario", "dltest"),
            nullable=False,
        ),
        sa.Column("blame_where", sa.Text(), nullable=True),
        sa.Column("step", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_finding_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_finding")),
    )
    op.create_index(op.f("ix_finding_code"), "finding", ["code"], unique=False)
    op.create_table(
        "ledger_entry",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("kind", word("kind", "dataset", "files", "replicas", "rule"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rse", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("state", word("state", "intended", "gone", "leftover"), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_ledger_entry_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("run_id", "kind", "name", "rse", name=op.f("uq_ledger_entry")),
    )
    op.create_index(
        "ix_ledger_entry_unsettled",
        "ledger_entry",
        ["run_id"],
        unique=False,
        postgresql_where=sa.text("state <> 'gone'"),
        sqlite_where=sa.text("state <> 'gone'"),
    )
    op.create_table(
        "step_record",
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "state",
            word("state", "pending", "waiting", "done", "refused", "overdue", "unknown", "skipped"),
            nullable=False,
        ),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("measured", sa.JSON(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("troubles", sa.JSON(), nullable=False),
        sa.Column("progress", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_step_record_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_step_record")),
    )


def downgrade() -> None:
    for table in (
        "step_record",
        "ledger_entry",
        "finding",
        "run",
        "transfer_total",
        "run_total",
        "move",
        "lake",
        "duration_total",
        "case_state",
        "campaign",
        "beat_mark",
    ):
        op.drop_table(table)
