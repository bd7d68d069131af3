"""Every metric that dltest exports, as data: what dashboards, alerts and documentation rely on."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """`name` as it is exported; `unit` is the base unit at the end of its name, if it has one."""

    name: str
    kind: Kind
    unit: str
    labels: tuple[str, ...]
    help: str


PLACE = ("source", "destination", "rse")
CASE = ("lake", "scenario", "case", *PLACE)

RUNS_TOTAL = Metric(
    "dltest_runs_total",
    Kind.COUNTER,
    "",
    (*CASE, "verdict", "blame"),
    "Runs that ended, by verdict and by who must act.",
)
RUNS_ANNULLED_TOTAL = Metric(
    "dltest_runs_annulled_total",
    Kind.COUNTER,
    "",
    (*CASE, "verdict", "blame"),
    "Runs among dltest_runs_total that a person annulled later.",
)
RUN_DURATION = Metric(
    "dltest_run_duration_seconds",
    Kind.HISTOGRAM,
    "seconds",
    ("lake", "scenario"),
    "Time from a run's first step to its clean end.",
)
STEP_DURATION = Metric(
    "dltest_step_duration_seconds",
    Kind.HISTOGRAM,
    "seconds",
    ("lake", "scenario", "step"),
    "Time that a step of a run took, waiting included.",
)
TOKEN_DURATION = Metric(
    "dltest_token_duration_seconds",
    Kind.HISTOGRAM,
    "seconds",
    ("lake", "scenario"),
    "Time that the token issuer took for a token, as the step `token-issuer` measures it.",
)
CASE_VERDICT = Metric(
    "dltest_case_verdict",
    Kind.GAUGE,
    "",
    CASE,
    "Latest verdict: 0 skipped, 1 passed, 2 degraded, 3 inconclusive, 4 failed.",
)
CASE_STATUS = Metric(
    "dltest_case_status",
    Kind.GAUGE,
    "",
    CASE,
    "Steady status, for alerts: 1 passed, 2 degraded, 4 failed; absent until a run told.",
)
CASE_LAST_FINISHED = Metric(
    "dltest_case_last_finished_timestamp_seconds",
    Kind.GAUGE,
    "seconds",
    CASE,
    "When the latest run of the case ended; the time since tells a case that went missing.",
)
CASE_LAST_PASSED = Metric(
    "dltest_case_last_passed_timestamp_seconds",
    Kind.GAUGE,
    "seconds",
    CASE,
    "When the case passed last; absent until it did.",
)
TRANSFER_BYTES = Metric(
    "dltest_transfer_bytes_total",
    Kind.COUNTER,
    "bytes",
    ("lake", "step", *PLACE),
    "Bytes that steps moved successfully, over a link or to and from an RSE.",
)
TRANSFER_RATE = Metric(
    "dltest_transfer_rate_bytes_per_second",
    Kind.GAUGE,
    "bytes_per_second",
    ("lake", "step", *PLACE),
    "Rate of the last step long enough to measure one.",
)
RUNS_OPEN = Metric(
    "dltest_runs_open",
    Kind.GAUGE,
    "",
    ("lake", "phase"),
    "Runs that have not ended, by phase.",
)
HELD_RUNS = Metric(
    "dltest_held_runs",
    Kind.GAUGE,
    "",
    ("lake", "reason"),
    "Planned runs that wait to begin, by the limit that holds them.",
)
SLOTS_TOTAL = Metric(
    "dltest_slots_total",
    Kind.COUNTER,
    "",
    ("lake", "scenario", "outcome"),
    "Slots of schedules, by what became of them; missed and failed ones left no runs.",
)
NEXT_SLOT = Metric(
    "dltest_schedule_next_slot_timestamp_seconds",
    Kind.GAUGE,
    "seconds",
    ("lake", "scenario"),
    "When the scenario runs by itself next; a time in the past tells a service that sleeps.",
)
LEFTOVER_FILES = Metric(
    "dltest_leftover_files",
    Kind.GAUGE,
    "",
    ("lake", "rse"),
    "What ended runs left behind; an empty rse stands for rules and datasets in the catalogue.",
)
TICK = Metric(
    "dltest_tick_last_timestamp_seconds",
    Kind.GAUGE,
    "seconds",
    (),
    "When the scheduler woke last; absent until it did.",
)
EXPORTER_UP = Metric(
    "dltest_exporter_up",
    Kind.GAUGE,
    "",
    (),
    "Whether the exporter could read the store; 0 comes alone, without stale values.",
)
BUILD_INFO = Metric(
    "dltest_build_info", Kind.GAUGE, "", ("version",), "Always 1; the label tells the release."
)

CATALOGUE = (
    RUNS_TOTAL,
    RUNS_ANNULLED_TOTAL,
    RUN_DURATION,
    STEP_DURATION,
    TOKEN_DURATION,
    CASE_VERDICT,
    CASE_STATUS,
    CASE_LAST_FINISHED,
    CASE_LAST_PASSED,
    TRANSFER_BYTES,
    TRANSFER_RATE,
    RUNS_OPEN,
    HELD_RUNS,
    SLOTS_TOTAL,
    NEXT_SLOT,
    LEFTOVER_FILES,
    TICK,
    EXPORTER_UP,
    BUILD_INFO,
)
