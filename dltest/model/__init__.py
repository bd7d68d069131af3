"""The words of dltest as frozen value objects; everything else is written in them."""

from dltest.model.blame import DLTEST, FTS, IDENTITY, RUCIO, SCENARIO, Blame, Party
from dltest.model.campaign import Campaign, Driver, Trigger
from dltest.model.case import LAKE, Case, Footprint, Pace, Payload, Plan, StepCall
from dltest.model.downtime import Downtime, Window
from dltest.model.lake import RSE, Lake
from dltest.model.ledger import LedgerEntry, LedgerKind, LedgerState
from dltest.model.record import (
    Attempt,
    Finding,
    Judgement,
    Progress,
    StepRecord,
    StepState,
    Trouble,
)
from dltest.model.run import Annulment, HoldReason, JudgementChange, Run, RunPhase
from dltest.model.schedule import Pause, Schedule, Scheduled, Slot, SlotOutcome, SlotRecord
from dltest.model.status import Status, Steadiness
from dltest.model.value import Value
from dltest.model.verdict import FACES, Face, Verdict, exit_code_of, worst_of
from dltest.model.watch import Watch, WatchKind

__all__ = [
    "DLTEST",
    "FACES",
    "FTS",
    "IDENTITY",
    "LAKE",
    "RSE",
    "RUCIO",
    "SCENARIO",
    "Annulment",
    "Attempt",
    "Blame",
    "Campaign",
    "Case",
    "Downtime",
    "Driver",
    "Face",
    "Finding",
    "Footprint",
    "HoldReason",
    "Judgement",
    "JudgementChange",
    "Lake",
    "LedgerEntry",
    "LedgerKind",
    "LedgerState",
    "Pace",
    "Party",
    "Pause",
    "Payload",
    "Plan",
    "Progress",
    "Run",
    "RunPhase",
    "Schedule",
    "Scheduled",
    "Slot",
    "SlotOutcome",
    "SlotRecord",
    "Status",
    "Steadiness",
    "StepCall",
    "StepRecord",
    "StepState",
    "Trigger",
    "Trouble",
    "Value",
    "Verdict",
    "Watch",
    "WatchKind",
    "Window",
    "exit_code_of",
    "worst_of",
]
