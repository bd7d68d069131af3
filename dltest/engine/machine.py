"""The engine as a pure state machine: what a run does next, and what it is afterwards.

`next_action(run, now)` looks at the run alone; `after(run, action, result, now)` is the run once
the action was carried out. Neither touches anything outside, so any sequence of crashes, late
and repeated deliveries can be played through in memory.

    planned -> exercising: begin, look, look, ... of one step after the other
            -> cleaning:   the verdict stands; what was made is removed, and that is verified
            -> ended
"""

from datetime import datetime, timedelta

from pydantic import JsonValue

from dltest.engine.actions import (
    Action,
    Begin,
    Broken,
    CleanAction,
    CleanBegin,
    CleanGiveUp,
    CleanLook,
    Conclude,
    Explain,
    Look,
    Refused,
    Rest,
    Result,
    Silent,
    Start,
    StepAction,
    TooLate,
)
from dltest.engine.rest import Rules, rests
from dltest.judge import holds, judge
from dltest.model import DLTEST, Attempt, Run, RunPhase, StepRecord, StepState, Trouble
from dltest.steps import Done, Waiting

ASK_AGAIN = timedelta(seconds=2)

# A look has more patience than a begin: something was made, and waiting costs nothing.
LOOK_PATIENCE = 8

# Whoever asks for a step to be tried again hopes that what was wrong passes.
TRY_AGAIN = timedelta(seconds=2)


def next_action(run: Run, now: datetime) -> Action:
    """What this run wants now. A cancelled run goes straight to its clean-up."""
    if run.is_ended:
        return Rest(None)
    if run.phase is RunPhase.PLANNED:
        return Conclude() if run.cancelled else Start()
    if run.wake_at is not None and now < run.wake_at and not _hurries(run):
        return Rest(run.wake_at)
    return _clean(run, now) if run.phase is RunPhase.CLEANING else _exercise(run, now)


def _hurries(run: Run) -> bool:
    return run.cancelled and run.phase is RunPhase.EXERCISING


def _exercise(run: Run, now: datetime) -> Action:
    if run.cancelled or run.step_index >= len(run.case.steps):
        return Conclude()
    record = run.records[run.step_index]
    if record.state is StepState.PENDING:
        is_over = now >= _run_deadline(run, now)
        return TooLate(run.step_index) if is_over else Begin(run.step_index)
    if record.state.is_final:
        return Conclude()
    if run.deadline is not None and now >= run.deadline:
        return Explain(run.step_index)
    return Look(run.step_index) if run.handle is not None else Begin(run.step_index)


def _clean(run: Run, now: datetime) -> Action:
    if run.cleanup.state is StepState.PENDING:
        return CleanBegin()
    if run.deadline is not None and now >= run.deadline:
        return CleanGiveUp()
    return CleanLook() if run.handle is not None else CleanBegin()


def after(run: Run, action: Action, result: Result, now: datetime, rules: Rules) -> Run:
    """The run once `action` came to `result`."""
    run = run.model_copy(update={"watch": None})
    match action:
        case Start():
            return _started(run, now)
        case Conclude():
            return _concluded(run, now, rules)
        case Begin() | Look() | Explain():
            return _stepped(run, action, result, now, rules)
        case TooLate(step):
            return _ends(run, _too_late(run, step, now), now)
        case CleanBegin() | CleanLook() | CleanGiveUp():
            return _cleaned(run, action, result, now, rules)
        case Rest():
            return run


def step_deadline(run: Run, within: timedelta, now: datetime) -> datetime:
    """A step's own time, and never more than the run has left."""
    return min(now + within, _run_deadline(run, now))


def _run_deadline(run: Run, now: datetime) -> datetime:
    return (run.started_at or now) + run.case.duration_limit


def _started(run: Run, now: datetime) -> Run:
    records = tuple(StepRecord(name=call.type) for call in run.case.steps)
    return run.model_copy(
        update={
            "phase": RunPhase.EXERCISING,
            "started_at": now,
            "records": records,
            "wake_at": None,
        }
    )


def reopened(run: Run, now: datetime, rules: Rules) -> Run:
    """An ended run that goes back to its clean-up; verdict and times stay as they were."""
    return run.model_copy(
        update={
            "phase": RunPhase.CLEANING,
            "cleanup": StepRecord(name=run.cleanup.name),
            "deadline": now + rules.cleanup_limit,
        }
    )


def _stepped(run: Run, action: StepAction, result: Result, now: datetime, rules: Rules) -> Run:
    record = run.records[action.step]
    match result:
        case Waiting():
            return _waits(run, record, result, now, rules)
        case Done():
            state = _end_state(action, result)
            return _ends(run, _done(record, result, state, now), now)
        case Silent(trouble):
            return _silent(run, action, trouble, now, rules)
        case Refused(trouble):
            state = StepState.OVERDUE if isinstance(action, Explain) else StepState.REFUSED
            return _ends(run, _done(record, Done(troubles=(trouble,)), state, now), now)
        case Broken(trouble, traceback):
            told = Done(evidence={"traceback": traceback}, troubles=(trouble,))
            return _ends(run, _done(record, told, StepState.UNKNOWN, now), now)
        case None:
            return run


def _too_late(run: Run, step: int, now: datetime) -> StepRecord:
    """A step that ended in time is followed at once, so only dltest can have lost the time."""
    record = run.records[step]
    trouble = Trouble(
        code="out-of-time",
        message=f"the run's time was over before {record.name} could begin: dltest came too late",
        blame=DLTEST,
    )
    return _done(record, Done(troubles=(trouble,)), StepState.UNKNOWN, now)


def _end_state(action: StepAction, done: Done) -> StepState:
    if not done.known:
        return StepState.UNKNOWN
    if isinstance(action, Explain):
        return StepState.OVERDUE
    return StepState.REFUSED if done.troubles else StepState.DONE


def _done(record: StepRecord, done: Done, state: StepState, now: datetime) -> StepRecord:
    return record.model_copy(
        update={
            "state": state,
            "began_at": record.began_at or now,
            "ended_at": now,
            "measured": {**record.measured, **done.measured},
            "evidence": {**record.evidence, **done.evidence},
            "troubles": done.troubles,
            "progress": None,
        }
    )


def _waits(run: Run, record: StepRecord, waiting: Waiting, now: datetime, rules: Rules) -> Run:
    patient = {key: value for key, value in record.evidence.items() if key != "silent_since"}
    waits = record.model_copy(
        update={
            "state": StepState.WAITING,
            "began_at": record.began_at or now,
            "progress": waiting.progress,
            "evidence": patient,
        }
    )
    return rests(_with_record(run, waits), waiting, waits.began_at or now, now, rules)


def _silent(run: Run, action: StepAction, trouble: Trouble, now: datetime, rules: Rules) -> Run:
    """Ask again; every question without an answer is counted in the evidence."""
    record = run.records[action.step]
    since = datetime.fromisoformat(str(record.evidence.get("silent_since", now.isoformat())))
    patience = rules.patience * (1 if isinstance(action, Begin) else LOOK_PATIENCE)
    attempts = int(str(record.evidence.get("unanswered", 0))) + 1
    evidence: dict[str, JsonValue] = {"silent_since": since.isoformat(), "unanswered": attempts}
    # A begin that waits for an answer until its time is over has nothing that could be explained.
    too_late = isinstance(action, Begin) and run.deadline is not None and now >= run.deadline
    if isinstance(action, Explain) or now - since >= patience or too_late:
        told = Done(evidence=evidence, troubles=(trouble,))
        return _ends(run, _done(record, told, StepState.UNKNOWN, now), now)
    waits = record.model_copy(
        update={
            "state": StepState.WAITING,
            "began_at": record.began_at or now,
            "evidence": {**record.evidence, **evidence},
        }
    )
    return _with_record(run, waits).model_copy(update={"wake_at": now + ASK_AGAIN})


def _ends(run: Run, record: StepRecord, now: datetime) -> Run:
    """On to the next step or attempt, or out of the exercise when there is none."""
    call = run.case.steps[run.step_index]
    ended = _with_record(run, record).model_copy(
        update={"handle": None, "wake_at": None, "deadline": None}
    )
    if holds(run.case, call, record):
        return ended.model_copy(update={"step_index": run.step_index + 1})
    if _may_try_again(run, record, now):
        return _tries_again(ended, record, now)
    return ended


def _may_try_again(run: Run, record: StepRecord, now: datetime) -> bool:
    """Only what the lake answered, or did not do in time, is tried again while the run has time."""
    retries = run.case.steps[run.step_index].body.get("retries", 0)
    is_worth_it = record.state in {StepState.REFUSED, StepState.OVERDUE} and not run.cancelled
    has_time = now + TRY_AGAIN < _run_deadline(run, now)
    return is_worth_it and has_time and len(record.attempts) < int(str(retries))


def _tries_again(run: Run, record: StepRecord, now: datetime) -> Run:
    """The step anew, with the attempt that ended on record; its deadline begins with it."""
    ended = Attempt(
        state=record.state,
        began_at=record.began_at or now,
        ended_at=record.ended_at or now,
        troubles=record.troubles,
    )
    fresh = StepRecord(name=record.name, attempts=(*record.attempts, ended))
    return _with_record(run, fresh).model_copy(update={"wake_at": now + TRY_AGAIN})


def _with_record(run: Run, record: StepRecord) -> Run:
    records = list(run.records)
    records[run.step_index] = record
    return run.model_copy(update={"records": tuple(records)})


def _concluded(run: Run, now: datetime, rules: Rules) -> Run:
    records = tuple(
        record.model_copy(update={"state": StepState.SKIPPED, "progress": None})
        if not record.state.is_final
        else record
        for record in run.records
    )
    return run.model_copy(
        update={
            "records": records,
            "judgement": judge(run.case, records, cancelled=run.cancelled),
            "phase": RunPhase.CLEANING,
            "handle": None,
            "wake_at": None,
            "started_at": run.started_at or now,
            "deadline": now + rules.cleanup_limit,
        }
    )


def _cleaned(run: Run, action: CleanAction, result: Result, now: datetime, rules: Rules) -> Run:
    match result:
        case Waiting():
            cleanup = run.cleanup.model_copy(
                update={
                    "state": StepState.WAITING,
                    "began_at": run.cleanup.began_at or now,
                    "progress": result.progress,
                }
            )
            cleans = run.model_copy(update={"cleanup": cleanup})
            return rests(cleans, result, cleanup.began_at or now, now, rules)
        case Done():
            return _ended(run, result, now)
        case Silent(trouble) | Refused(trouble) | Broken(trouble):
            return _clean_troubled(run, action, trouble, now, rules)
        case None:
            return run


def _clean_troubled(
    run: Run, action: CleanAction, trouble: Trouble, now: datetime, rules: Rules
) -> Run:
    """A lake that does not let us clean up is asked again for a while; the sweep goes on later."""
    began = run.cleanup.began_at or now
    cleanup = run.cleanup.model_copy(
        update={"state": StepState.WAITING, "began_at": began, "troubles": (trouble,)}
    )
    troubled = run.model_copy(update={"cleanup": cleanup, "wake_at": now + ASK_AGAIN})
    if isinstance(action, CleanGiveUp):
        return _ended(troubled, Done(troubles=(trouble,)), now)
    if now - began >= rules.patience:
        return troubled.model_copy(update={"deadline": now, "wake_at": None})
    return troubled


def _ended(run: Run, done: Done, now: datetime) -> Run:
    leftovers = int(done.measured.get("leftovers", 0))
    state = StepState.OVERDUE if leftovers else StepState.DONE
    troubles = done.troubles or (run.cleanup.troubles if leftovers else ())
    cleanup = _done(run.cleanup, Done(done.measured, done.evidence, troubles), state, now)
    return run.model_copy(
        update={
            "phase": RunPhase.ENDED,
            "cleanup": cleanup,
            "leftovers": leftovers,
            "handle": None,
            "wake_at": None,
            "deadline": None,
            "finished_at": run.finished_at or now,
        }
    )
