"""The tables. Names are singular, times end in `_at`, vocabulary columns hold the word itself.

What people and dashboards ask for has a column of its own; what only dltest reads back (the case,
a step's handle, evidence) is JSON. Keys of rollups are never NULL: what does not apply is ''.
Changing this file needs a migration (`migrations/`); a test compares the two.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)

from dltest.lake.ports import JobKind, JobState
from dltest.model import (
    Driver,
    LedgerKind,
    LedgerState,
    Party,
    RunPhase,
    SlotOutcome,
    StepState,
    Trigger,
    Verdict,
)
from dltest.store.columns import CleanText, UtcDateTime, word

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# So that the primary key also serves "which ids start with ...": PostgreSQL uses a B-tree for
# prefixes only under the C collation.
KEY = CleanText().with_variant(CleanText(collation="C"), "postgresql")
BIG_KEY = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only INTEGER keys itself


def _run_key() -> Column[str]:
    reference = ForeignKey("run.id", ondelete="CASCADE")
    return Column("run_id", KEY, reference, primary_key=True)


def _place() -> tuple[Column[str], ...]:
    return tuple(
        Column(name, CleanText, nullable=False, default="")
        for name in ("source", "destination", "rse")
    )


lake = Table(
    "lake",
    metadata,
    Column("name", KEY, primary_key=True),
    Column("inventory", JSON, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

campaign = Table(
    "campaign",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("lake", CleanText, nullable=False),
    Column("trigger", word(Trigger, "trigger"), nullable=False),
    Column("driver", word(Driver, "driver"), nullable=False),
    Column("title", CleanText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("ignores_downtime", Boolean(create_constraint=False), nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("campaign_id", KEY, ForeignKey("campaign.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),  # in the plan's order
    Column("lake", CleanText, nullable=False),
    Column("scenario", CleanText, nullable=False),
    Column("case_id", CleanText, nullable=False),
    *_place(),
    Column("targets", CleanText, nullable=False),  # all RSEs of the case, joined by "->"
    Column("phase", word(RunPhase, "phase"), nullable=False),
    Column("verdict", word(Verdict, "verdict")),
    Column("blame", word(Party, "blame")),
    Column("blame_where", CleanText),
    Column("leftovers", Integer, nullable=False),
    Column("cancelled", Boolean(create_constraint=False), nullable=False),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("admitted_at", UtcDateTime),
    Column("held", CleanText),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("deadline", UtcDateTime),
    Column("wake_at", UtcDateTime),
    Column("watch", JSON(none_as_null=True)),
    Column("step_index", Integer, nullable=False),
    Column("handle", JSON(none_as_null=True)),
    Column("case_definition", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("annulled_at", UtcDateTime),
    Column("annulled_by", CleanText),
    Column("annulled_why", CleanText),
    Index("ix_run_planned_at", "planned_at"),
    Index("ix_run_lake_scenario_admitted_at", "lake", "scenario", "admitted_at"),
    Index("ix_run_scenario_planned_at", "scenario", "planned_at"),
    Index("ix_run_verdict_planned_at", "verdict", "planned_at"),
    Index("ix_run_lake_case_id_planned_at", "lake", "case_id", "planned_at"),
    Index("ix_run_finished_at", "finished_at"),
    Index(
        "ix_run_waits",
        "lake",
        "planned_at",
        postgresql_where=text("phase = 'planned' AND admitted_at IS NULL"),
        sqlite_where=text("phase = 'planned' AND admitted_at IS NULL"),
    ),
    Index(
        "ix_run_open_wake_at",
        "wake_at",
        "planned_at",
        postgresql_where=text("phase <> 'ended'"),
        sqlite_where=text("phase <> 'ended'"),
    ),
    Index(
        "ix_run_watching",
        "lake",
        postgresql_where=text("watch IS NOT NULL"),
        sqlite_where=text("watch IS NOT NULL"),
    ),
)

# `position` counts from 0; the clean-up, which comes after all steps, stands at -1.
CLEANUP_POSITION = -1

step_record = Table(
    "step_record",
    metadata,
    _run_key(),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", CleanText, nullable=False),
    Column("state", word(StepState, "state"), nullable=False),
    Column("began_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("measured", JSON, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("troubles", JSON, nullable=False),
    Column("progress", JSON(none_as_null=True)),
    Column("attempts", JSON, nullable=False, server_default="[]"),
)

finding = Table(
    "finding",
    metadata,
    _run_key(),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("code", CleanText, nullable=False, index=True),
    Column("title", CleanText, nullable=False),
    Column("verdict", word(Verdict, "verdict"), nullable=False),
    Column("blame", word(Party, "blame"), nullable=False),
    Column("blame_where", CleanText),
    Column("step", CleanText),
)

ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("id", BIG_KEY, primary_key=True, autoincrement=True),
    Column("run_id", KEY, ForeignKey("run.id", ondelete="CASCADE"), nullable=False),
    Column("kind", word(LedgerKind, "kind"), nullable=False),
    Column("name", CleanText, nullable=False),
    Column("rse", CleanText, nullable=False),
    Column("count", Integer, nullable=False),
    Column("state", word(LedgerState, "state"), nullable=False),
    UniqueConstraint("run_id", "kind", "name", "rse"),
    Index(
        "ix_ledger_entry_unsettled",
        "run_id",
        postgresql_where=text("state <> 'gone'"),
        sqlite_where=text("state <> 'gone'"),
    ),
)

judgement_change = Table(
    "judgement_change",
    metadata,
    Column("id", BIG_KEY, primary_key=True, autoincrement=True),
    Column("run_id", KEY, ForeignKey("run.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", CleanText, nullable=False),
    Column("why", CleanText, nullable=False),
    Column("before", JSON, nullable=False),
    Column("after", JSON, nullable=False),
)

schedule = Table(
    "schedule",
    metadata,
    Column("lake", KEY, primary_key=True),
    Column("scenario", KEY, primary_key=True),
    Column("timetable", JSON, nullable=False),
    Column("next_slot_at", UtcDateTime),
    Column("next_starts_at", UtcDateTime),
    Column("next_number", BigInteger),
    Column("paused_at", UtcDateTime),
    Column("paused_by", CleanText),
    Column("paused_why", CleanText),
    Column("paused_until", UtcDateTime),
)

slot = Table(
    "slot",
    metadata,
    Column("lake", KEY, primary_key=True),
    Column("scenario", KEY, primary_key=True),
    Column("slot_at", UtcDateTime, primary_key=True),
    Column("campaign_id", KEY, ForeignKey("campaign.id", ondelete="SET NULL"), index=True),
    Column("outcome", word(SlotOutcome, "outcome"), nullable=False),
    Column("missed", Integer, nullable=False),
    Column("overlapping", Integer, nullable=False),
    Column("why", CleanText, nullable=False),
    Column("written_at", UtcDateTime, nullable=False, index=True),
)

downtime = Table(
    "downtime",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("lake", CleanText, nullable=False),
    Column("rses", CleanText, nullable=False),
    Column("from_at", UtcDateTime),
    Column("until_at", UtcDateTime),
    Column("window", JSON(none_as_null=True)),
    Column("created_by", CleanText, nullable=False),
    Column("why", CleanText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

move = Table(
    "move",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("lake", CleanText, nullable=False),
    Column("kind", word(JobKind, "kind"), nullable=False),
    Column("rse", CleanText, nullable=False),
    Column("state", word(JobState, "state"), nullable=False),
    Column("job", JSON, nullable=False),
    Column("status", JSON, nullable=False),
    Column("cancelled", Boolean(create_constraint=False), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("owner", CleanText),
    Column("leased_until", UtcDateTime),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Index("ix_move_state_leased_until", "state", "leased_until"),
    Index("ix_move_finished_at", "finished_at"),
)

# What follows is never pruned: counters that Prometheus reads must not go back.

run_total = Table(
    "run_total",
    metadata,
    Column("lake", KEY, primary_key=True),
    Column("case_id", KEY, primary_key=True),
    Column("verdict", word(Verdict, "verdict"), primary_key=True),
    Column("blame", KEY, primary_key=True),
    Column("scenario", CleanText, nullable=False),
    *_place(),
    Column("runs", BigInteger, nullable=False),
    Column("annulled", BigInteger, nullable=False, default=0),
)

slot_total = Table(
    "slot_total",
    metadata,
    Column("lake", KEY, primary_key=True),
    Column("scenario", KEY, primary_key=True),
    Column("outcome", word(SlotOutcome, "outcome"), primary_key=True),
    Column("slots", BigInteger, nullable=False),
)

duration_total = Table(
    "duration_total",
    metadata,
    Column("lake", KEY, primary_key=True),
    Column("scenario", KEY, primary_key=True),
    Column("step", KEY, primary_key=True),  # '' is the whole run
    Column("bucket_seconds", Float, primary_key=True),  # upper edge of this bucket alone
    Column("observations", BigInteger, nullable=False),
    Column("seconds_sum", Float, nullable=False),
)

transfer_total = Table(
    "transfer_total",
    metadata,
    Column("lake", KEY, primary_key=True),
    Column("step", KEY, primary_key=True),
    *(Column(name, KEY, primary_key=True, default="") for name in ("source", "destination", "rse")),
    Column("bytes_sum", BigInteger, nullable=False),
    Column("last_rate_bytes_per_second", Float),
    Column("last_at", UtcDateTime, nullable=False),
)

case_state = Table(
    "case_state",
    metadata,
    Column("lake", KEY, primary_key=True),
    Column("case_id", KEY, primary_key=True),
    Column("scenario", CleanText, nullable=False),
    *_place(),
    Column("verdict", word(Verdict, "verdict"), nullable=False),
    Column("blame", CleanText, nullable=False),
    Column("run_id", CleanText, nullable=False),  # no foreign key: it outlives the run
    Column("last_finished_at", UtcDateTime, nullable=False),
    Column("last_passed_at", UtcDateTime),
    Column("status", word(Verdict, "status")),
    Column("status_since", UtcDateTime),
    # The verdicts that count towards the next status.
    Column("recent", JSON, nullable=False, default=list),
)

beat_mark = Table(
    "beat_mark",
    metadata,
    Column("name", KEY, primary_key=True),
    Column("marked_at", UtcDateTime, nullable=False),
)
