"""Carries out what the machine asks for, one locked and saved step at a time.

Called by the Celery task `advance` and by the in-process loop alike. It may be called at any
time, twice at once, or never again after a crash: the row says what to do next.
"""

import traceback
from datetime import datetime
from typing import Any

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
from dltest.engine.house import House
from dltest.engine.machine import after, next_action, step_deadline
from dltest.engine.redaction import without_secrets
from dltest.errors import LakeError, StoreError
from dltest.judge import not_supported, skipped
from dltest.model import DLTEST, Run, Trouble
from dltest.steps import Context, Done, Handle, Step, StepBody, cleanup, registry


def advance(run_id: str, house: House) -> datetime | None:
    """Let the run go as far as it can without waiting.

    Returns when it wants to be looked at again; None when it has ended, or when somebody else is
    at it and will see to the next wake-up.

    Raises:
        StoreError: the rows are out of reach; nothing was lost, call again.
    """
    known: Run | None = None
    while True:
        with house.runs.claim(run_id, known=known) as claim:
            if claim is None:
                return None
            action = next_action(claim.run, house.now())
            if isinstance(action, Rest):
                return action.until
            claim.save(_carried_out(claim.run, action, house))
        known = claim.saved
        rest = next_action(known, house.now()) if known else None
        if isinstance(rest, Rest):
            return rest.until


def _carried_out(run: Run, action: Action, house: House) -> Run:
    if isinstance(action, Start) and run.case.needs_faults and house.lake.faults is None:
        return skipped(run, not_supported(house.lake.name), house.now())
    if isinstance(action, Begin):
        run = _with_deadline(run, house.now())
    if isinstance(action, Explain) and (ended := _last_look(run, action, house)):
        return ended
    result = without_secrets(_result(run, action, house))
    return after(run, action, result, house.now(), house.rules)


def _last_look(run: Run, overdue: Explain, house: House) -> Run | None:
    """The run, if the step came to its end while nobody looked.

    That dltest is late, or was down for hours, is no failing of the lake.
    """
    if run.handle is None:
        return None
    look = Look(overdue.step)
    result = without_secrets(_result(run, look, house))
    return after(run, look, result, house.now(), house.rules) if isinstance(result, Done) else None


def _with_deadline(run: Run, now: datetime) -> Run:
    """The deadline stands from the first begin on, also when that begin has to be repeated."""
    if run.deadline is not None:
        return run
    _, body = _step(run, run.step_index)
    return run.model_copy(update={"deadline": step_deadline(run, body.within, now)})


def _result(run: Run, action: Action, house: House) -> Result:
    """What came of the action; every failure is a value from here on."""
    try:
        return _perform(run, action, house)
    except LakeError as error:
        trouble = error.as_trouble()
        return Refused(trouble) if error.answered else Silent(trouble)
    except StoreError:
        raise  # without its ledger a step must not go on; the run is as it was before it
    except Exception as error:  # noqa: BLE001 - the one place: whatever it is, the run must end
        trouble = Trouble(
            code="dltest-error",
            message=f"dltest failed: {type(error).__name__}: {error}",
            blame=DLTEST,
        )
        return Broken(trouble, traceback.format_exc())


def _perform(run: Run, action: Action, house: House) -> Result:
    handle = run.handle or {}
    match action:
        case Begin(index) | Look(index) | Explain(index):
            return _perform_step(action, _step(run, index), context_of(run, index, house), handle)
        case CleanBegin() | CleanLook() | CleanGiveUp():
            return _perform_cleanup(action, context_of(run, len(run.case.steps), house), handle)
        case Start() | TooLate() | Conclude() | Rest():
            return None


def _perform_step(
    action: StepAction, called: tuple[Step[Any], StepBody], ctx: Context, handle: Handle
) -> Result:
    step, body = called
    match action:
        case Begin():
            return step.begin(ctx, body)
        case Look():
            return step.look(ctx, body, handle)
        case Explain():
            return step.overdue(ctx, body, handle)


def _perform_cleanup(action: CleanAction, ctx: Context, handle: Handle) -> Result:
    match action:
        case CleanBegin():
            return cleanup.begin(ctx)
        case CleanLook():
            return cleanup.look(ctx, handle)
        case CleanGiveUp():
            return cleanup.give_up(ctx)


def _step(run: Run, index: int) -> tuple[Step[Any], StepBody]:
    call = run.case.steps[index]
    step = registry()[call.type]
    return step, step.Body.model_validate(call.body)


def context_of(run: Run, index: int, house: House) -> Context:
    """What the step at this place of the run knows and may use, now."""
    now = house.now()
    record = run.records[index] if index < len(run.records) else run.cleanup
    return Context(
        run_id=run.id,
        step=index,
        targets=run.case.targets,
        payload=run.case.payload,
        lake=house.lake,
        ledger=house.runs.ledger(run.id),
        earlier=run.records[:index],
        began_at=record.began_at or now,
        deadline=run.deadline or now,
        data_lifetime=house.data_lifetime,
        now=now,
        attempt=len(record.attempts),
    )
