"""The engine's decisions, played through without a lake."""

from datetime import UTC, datetime, timedelta

import pytest

from dltest.engine.actions import (
    Begin,
    Broken,
    CleanBegin,
    CleanGiveUp,
    CleanLook,
    Conclude,
    Explain,
    Look,
    Refused,
    Rest,
    Silent,
    Start,
    TooLate,
)
from dltest.engine.machine import TRY_AGAIN, after, next_action, reopened, step_deadline
from dltest.engine.rest import LONGEST_REST, Rules
from dltest.model import (
    DLTEST,
    RUCIO,
    Attempt,
    Blame,
    Case,
    Payload,
    Run,
    RunPhase,
    StepCall,
    StepState,
    Trouble,
    Verdict,
    Watch,
    WatchKind,
)
from dltest.steps import Done, Waiting

T0 = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RULES = Rules(patience=15 * SECOND, cleanup_limit=120 * SECOND)
NO = Trouble(code="storage-unreachable", message="refused", blame=Blame.site("XRD2"))
SILENCE = Trouble(code="rucio-unreachable", message="no answer", blame=RUCIO)


@pytest.fixture
def run() -> Run:
    case = Case(
        scenario="upload",
        targets={"target": "XRD1"},
        payload=Payload(files=1, size_bytes=1),
        steps=(StepCall(type="upload", body={}), StepCall(type="verify", body={})),
        duration_limit=timedelta(minutes=30),
    )
    return Run(id="r", campaign_id="c", lake="lab", case=case, planned_at=T0)


def play(run: Run, *moves: tuple[object, object], at: datetime = T0) -> Run:
    """Carry out the given actions with the given results, checking that the machine wants each."""
    for action, result in moves:
        wanted = next_action(run, at)
        assert wanted == action
        run = after(run, wanted, result, at, RULES)
    return run


def started(run: Run, at: datetime = T0) -> Run:
    return play(run, (Start(), None), at=at)


def test_a_good_run_passes_every_phase_in_order(run):
    run = play(
        run,
        (Start(), None),
        (Begin(0), Done()),
        (Begin(1), Done()),
        (Conclude(), None),
        (CleanBegin(), Done(measured={"leftovers": 0})),
        (Rest(None), None),
    )
    assert run.phase is RunPhase.ENDED
    assert run.judgement.verdict is Verdict.PASSED
    assert run.finished_at == T0


def test_a_waiting_step_rests_until_its_wake_up_and_is_then_looked_at(run):
    run = play(started(run), (Begin(0), Waiting({"job": "x"}, 5 * SECOND)))
    assert next_action(run, T0 + 4 * SECOND) == Rest(T0 + 5 * SECOND)
    assert next_action(run, T0 + 5 * SECOND) == Look(0)
    assert run.handle == {"job": "x"}


def test_a_refusal_skips_the_steps_behind_it_and_still_cleans_up(run):
    run = play(
        started(run),
        (Begin(0), Refused(NO)),
        (Conclude(), None),
        (CleanBegin(), Waiting({}, SECOND)),
    )
    assert [record.state for record in run.records] == [StepState.REFUSED, StepState.SKIPPED]
    assert run.judgement.verdict is Verdict.FAILED
    assert str(run.judgement.blame) == "site XRD2"
    assert run.phase is RunPhase.CLEANING


def test_troubles_in_an_answer_are_a_refusal(run):
    run = play(started(run), (Begin(0), Done(troubles=(NO,))), (Conclude(), None))
    assert run.records[0].state is StepState.REFUSED


def test_a_silent_lake_is_asked_again_until_patience_ends_and_is_then_inconclusive(run):
    run, now = started(run), T0
    while (action := next_action(run, now)) != Conclude():
        if isinstance(action, Rest):
            now = action.until
            continue
        run = after(run, action, Silent(SILENCE), now, RULES)
    run = play(run, (Conclude(), None), at=now)
    assert now - T0 >= RULES.patience
    assert run.records[0].evidence["unanswered"] > 2
    assert run.judgement.verdict is Verdict.INCONCLUSIVE
    assert str(run.judgement.blame) == "rucio"


def test_a_lake_that_answers_again_in_time_is_forgiven(run):
    run = play(started(run), (Begin(0), Silent(SILENCE)))
    run = play(run, (Begin(0), Done()), at=T0 + 3 * SECOND)
    assert run.records[0].state is StepState.DONE
    assert run.step_index == 1


def test_silence_long_ago_does_not_count_against_a_later_one(run):
    run = play(started(run), (Begin(0), Silent(SILENCE)))
    run = play(run, (Begin(0), Waiting({"j": 1}, SECOND)), at=T0 + 10 * SECOND)
    late = T0 + 300 * SECOND
    run = play(run, (Look(0), Silent(SILENCE)), at=late)
    assert run.records[0].state is StepState.WAITING


def test_an_overdue_step_is_asked_to_explain_and_fails_with_its_explanation(run):
    run = play(started(run), (Begin(0), Waiting({"job": "x"}, SECOND)))
    run = run.model_copy(update={"deadline": T0 + 10 * SECOND})
    late = T0 + 10 * SECOND
    run = play(run, (Explain(0), Done(troubles=(NO,))), (Conclude(), None), at=late)
    assert run.records[0].state is StepState.OVERDUE
    assert run.judgement.verdict is Verdict.FAILED


def test_an_overdue_step_that_nobody_can_explain_is_inconclusive(run):
    run = play(started(run), (Begin(0), Waiting({"job": "x"}, SECOND)))
    run = run.model_copy(update={"deadline": T0})
    late = T0 + SECOND
    run = play(run, (Explain(0), Silent(SILENCE)), (Conclude(), None), at=late)
    assert run.records[0].state is StepState.UNKNOWN
    assert run.judgement.verdict is Verdict.INCONCLUSIVE


def test_a_step_that_we_come_too_late_to_begin_is_not_the_sites_fault(run):
    run = play(started(run), (Begin(0), Done()))
    late = T0 + timedelta(hours=2)
    run = play(run, (TooLate(1), None), (Conclude(), None), at=late)
    assert run.judgement.verdict is Verdict.INCONCLUSIVE
    assert run.judgement.blame == DLTEST
    assert run.judgement.findings[0].code == "out-of-time"


def test_our_own_failure_is_inconclusive_blames_dltest_and_keeps_the_traceback(run):
    broken = Broken(Trouble(code="dltest-error", message="boom", blame=DLTEST), "Traceback ...")
    run = play(started(run), (Begin(0), broken), (Conclude(), None))
    assert run.judgement.verdict is Verdict.INCONCLUSIVE
    assert str(run.judgement.blame) == "dltest"
    assert run.records[0].evidence["traceback"] == "Traceback ..."


def test_a_cancelled_run_does_not_wait_for_its_wake_up(run):
    run = play(started(run), (Begin(0), Waiting({"job": "x"}, timedelta(hours=1))))
    run = run.model_copy(update={"cancelled": True})
    run = play(run, (Conclude(), None))
    assert run.judgement.verdict is Verdict.SKIPPED
    assert next_action(run, T0) == CleanBegin()


def test_a_run_cancelled_before_it_began_ends_without_a_step(run):
    run = run.model_copy(update={"cancelled": True})
    run = play(run, (Conclude(), None), (CleanBegin(), Done(measured={"leftovers": 0})))
    assert run.is_ended
    assert run.judgement.verdict is Verdict.SKIPPED


def test_what_cannot_be_removed_in_time_is_counted_and_the_verdict_stands(run):
    run = play(started(run), (Begin(0), Done()), (Begin(1), Done()), (Conclude(), None))
    run = play(run, (CleanBegin(), Waiting({"polls": 0}, SECOND)))
    late = T0 + RULES.cleanup_limit
    run = play(run, (CleanGiveUp(), Done(measured={"leftovers": 3})), at=late)
    assert run.is_ended
    assert run.leftovers == 3
    assert run.judgement.verdict is Verdict.PASSED


def test_a_lake_that_is_silent_at_clean_up_is_given_up_after_patience(run):
    run = play(started(run), (Begin(0), Refused(NO)), (Conclude(), None))
    now = T0
    while not isinstance(action := next_action(run, now), CleanGiveUp):
        if isinstance(action, Rest):
            now = action.until
            continue
        assert isinstance(action, CleanBegin | CleanLook)
        run = after(run, action, Silent(SILENCE), now, RULES)
    assert now - T0 < RULES.cleanup_limit


def test_a_swept_run_keeps_its_verdict_and_its_times(run):
    run = play(started(run), (Begin(0), Refused(NO)), (Conclude(), None))
    run = play(run, (CleanBegin(), Done(measured={"leftovers": 2})))
    later = T0 + timedelta(days=1)
    swept = play(
        reopened(run, later, RULES), (CleanBegin(), Done(measured={"leftovers": 0})), at=later
    )
    assert (swept.judgement, swept.finished_at) == (run.judgement, run.finished_at)
    assert swept.leftovers == 0


@pytest.fixture
def patient(run: Run) -> Run:
    """A run whose first step may be tried twice more."""
    upload, verify = run.case.steps
    again = upload.model_copy(update={"body": {"retries": 2}})
    return run.model_copy(update={"case": run.case.model_copy(update={"steps": (again, verify)})})


def test_a_refused_step_with_retries_begins_again_and_keeps_the_attempt(patient):
    run = play(started(patient), (Begin(0), Waiting({"job": "x"}, SECOND)))
    refused_at = T0 + 10 * SECOND
    run = play(run, (Look(0), Done(troubles=(NO,))), at=refused_at)
    assert next_action(run, refused_at) == Rest(refused_at + TRY_AGAIN)
    assert (run.handle, run.deadline) == (None, None), "nothing of the former attempt is left"
    later = refused_at + TRY_AGAIN
    run = play(run, (Begin(0), Done(measured={"files": 1})), at=later)
    (attempt,) = run.records[0].attempts
    assert attempt == Attempt(
        state=StepState.REFUSED, began_at=T0, ended_at=refused_at, troubles=(NO,)
    )
    assert run.records[0].state is StepState.DONE
    assert run.records[0].began_at == later
    assert run.records[0].troubles == ()
    assert next_action(run, later) == Begin(1)


def test_an_overdue_step_is_tried_again_too(patient):
    run = play(started(patient), (Begin(0), Waiting({"job": "x"}, SECOND)))
    run = run.model_copy(update={"deadline": T0 + SECOND})
    run = play(run, (Explain(0), Done(troubles=(NO,))), at=T0 + SECOND)
    assert [attempt.state for attempt in run.records[0].attempts] == [StepState.OVERDUE]
    assert next_action(run, T0 + SECOND + TRY_AGAIN) == Begin(0)


def test_when_all_attempts_are_spent_the_last_one_decides(patient):
    run, now = started(patient), T0
    while (action := next_action(run, now)) != Conclude():
        if isinstance(action, Rest):
            now = action.until
            continue
        run = after(run, action, Refused(NO), now, RULES)
    run = play(run, (Conclude(), None), at=now)
    assert len(run.records[0].attempts) == 2
    assert run.records[0].state is StepState.REFUSED
    assert run.judgement.verdict is Verdict.FAILED


def test_what_could_not_be_found_out_is_not_tried_again(patient):
    broken = Broken(Trouble(code="dltest-error", message="boom", blame=DLTEST), "Traceback ...")
    run = play(started(patient), (Begin(0), broken), (Conclude(), None))
    assert run.records[0].attempts == ()
    assert run.judgement.verdict is Verdict.INCONCLUSIVE


def test_a_refusal_that_was_expected_is_not_tried_again(patient):
    upload, verify = patient.case.steps
    body = {"retries": 2, "expect": {"outcome": "refused", "reason": "unreachable"}}
    steps = (upload.model_copy(update={"body": body}), verify)
    case = patient.case.model_copy(update={"steps": steps})
    run = play(started(patient.model_copy(update={"case": case})), (Begin(0), Refused(NO)))
    assert run.records[0].attempts == ()
    assert next_action(run, T0) == Begin(1)


def test_nothing_is_tried_again_after_the_runs_own_time_or_a_cancel(patient):
    late = T0 + patient.case.duration_limit
    begun = play(started(patient), (Begin(0), Waiting({"job": "x"}, SECOND)))
    run = after(begun, Look(0), Refused(NO), late, RULES)
    assert next_action(run, late) == Conclude()
    cancelled = begun.model_copy(update={"cancelled": True})
    assert after(cancelled, Look(0), Refused(NO), T0, RULES).records[0].attempts == ()


def test_the_deadline_of_an_attempt_is_its_own_and_never_beyond_the_runs(patient):
    run = started(patient)
    near_the_end = T0 + patient.case.duration_limit - SECOND
    assert step_deadline(run, 10 * SECOND, T0 + 60 * SECOND) == T0 + 70 * SECOND
    assert step_deadline(run, 10 * SECOND, near_the_end) == near_the_end + SECOND


POLLED = Rules(RULES.patience, RULES.cleanup_limit, poll_every=2 * SECOND)
RULE = Watch(kind=WatchKind.RULE, key="7", seen="REPLICATING")
JOB = Watch(kind=WatchKind.JOB, key="x")


def waits(
    run: Run, again: timedelta, watch: Watch, waited: timedelta, rules: Rules = POLLED
) -> Run:
    """A run whose first step has waited for so long, and wants to wait on."""
    begun = after(started(run), Begin(0), Waiting({"job": "x"}, SECOND), T0, rules)
    begun = begun.model_copy(update={"deadline": T0 + timedelta(hours=5)})
    return after(begun, Look(0), Waiting({"job": "x"}, again, watch=watch), T0 + waited, rules)


def test_what_just_began_is_looked_at_sooner_than_any_poll_would(run):
    young = waits(run, SECOND, RULE, 20 * SECOND)
    assert young.watch is None
    assert young.wake_at == T0 + 21 * SECOND


def test_a_long_wait_is_left_to_the_poll_and_looked_at_seldom(run):
    old = waits(run, 5 * SECOND, RULE, 100 * SECOND)
    assert old.watch == RULE
    assert old.wake_at == T0 + 125 * SECOND
    older = waits(run, 10 * SECOND, RULE, timedelta(hours=3))
    assert older.wake_at == T0 + timedelta(hours=3) + LONGEST_REST


def test_without_a_poll_every_run_looks_for_itself(run):
    alone = waits(run, 5 * SECOND, RULE, 100 * SECOND, RULES)
    assert alone.watch is None
    assert alone.wake_at == T0 + 105 * SECOND


def test_the_end_of_a_job_is_told_so_its_run_rests_from_the_beginning(run):
    assert waits(run, SECOND, JOB, 40 * SECOND).wake_at == T0 + 50 * SECOND


def test_a_watched_run_is_looked_at_when_its_deadline_passes(run):
    old = waits(run, 10 * SECOND, RULE, timedelta(hours=5) - 20 * SECOND)
    assert old.wake_at == old.deadline


def test_a_run_that_does_something_else_is_watched_no_longer(run):
    old = waits(run, 5 * SECOND, RULE, 100 * SECOND)
    later = T0 + 200 * SECOND
    assert after(old, Look(0), Silent(SILENCE), later, POLLED).watch is None
    assert after(old, Look(0), Done(), later, POLLED).watch is None
    assert after(old, Conclude(), None, later, POLLED).watch is None
