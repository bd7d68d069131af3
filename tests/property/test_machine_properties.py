"""The machine alone, fed with anything at any time: it always ends, and judges once."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dltest.engine.actions import (
    Action,
    Begin,
    Broken,
    CleanGiveUp,
    Conclude,
    Explain,
    Look,
    Refused,
    Rest,
    Result,
    Silent,
    Start,
)
from dltest.engine.machine import after, next_action, step_deadline
from dltest.engine.rest import Rules
from dltest.model import (
    DLTEST,
    RUCIO,
    Blame,
    Case,
    Payload,
    Run,
    RunPhase,
    StepCall,
    StepState,
    Trouble,
)
from dltest.steps import Done, Waiting

T0 = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT = timedelta(hours=2)
RULES = Rules(patience=timedelta(seconds=15), cleanup_limit=timedelta(minutes=2))
MOST_ACTIONS = 3_000

NO = Trouble(code="storage-unreachable", message="refused", blame=Blame.site("XRD2"))
SILENCE = Trouble(code="rucio-unreachable", message="no answer", blame=RUCIO)
OURS = Trouble(code="dltest-error", message="boom", blame=DLTEST)
ORDER = list(RunPhase)

BODIES = st.fixed_dictionaries(
    {},
    optional={
        "retries": st.integers(0, 3),
        "expect": st.sampled_from([{"outcome": "done"}, {"outcome": "refused"}]),
    },
)
RESULTS: st.SearchStrategy[Result] = st.one_of(
    st.just(Done()),
    st.just(Done(troubles=(NO,))),
    st.just(Done(troubles=(OURS,), known=False)),
    st.builds(Waiting, st.just({"job": "x"}), st.timedeltas(timedelta(0), timedelta(minutes=5))),
    st.just(Silent(SILENCE)),
    st.just(Refused(NO)),
    st.just(Broken(OURS, "Traceback ...")),
)
JUMPS = st.timedeltas(timedelta(minutes=-2), timedelta(minutes=20))


def planned(bodies: list[dict[str, object]]) -> Run:
    case = Case(
        scenario="any",
        targets={"target": "XRD1"},
        payload=Payload(files=1, size_bytes=1),
        steps=tuple(StepCall(type="upload", body=body) for body in bodies),
        duration_limit=LIMIT,
    )
    return Run(id="r", campaign_id="c", lake="lab", case=case, planned_at=T0)


def result_for(action: Action, drawn: Result) -> Result:
    """Giving up and explaining come to an end by themselves; only doing it may fail."""
    match action:
        case Start() | Conclude():
            return None
        case CleanGiveUp() if isinstance(drawn, Waiting):
            return Done(measured={"leftovers": 1})
        case Explain() if isinstance(drawn, Waiting):
            return Done(troubles=(NO,))
        case _:
            return drawn


def begun(run: Run, action: Action, now: datetime) -> Run:
    """As the driver does: the deadline stands from the first begin on."""
    if isinstance(action, Begin) and run.deadline is None:
        return run.model_copy(update={"deadline": step_deadline(run, timedelta(minutes=10), now)})
    return run


def check(before: Run, action: Action, run: Run) -> None:
    assert ORDER.index(run.phase) >= ORDER.index(before.phase)
    assert run.step_index >= before.step_index
    if before.judgement is not None:
        assert run.judgement == before.judgement
    if isinstance(action, Begin | Look | Explain):
        record = run.records[action.step]
        retries = int(str(run.case.steps[action.step].body.get("retries", 0)))
        assert len(record.attempts) <= retries
        assert {a.state for a in record.attempts} <= {StepState.REFUSED, StepState.OVERDUE}
        assert record.attempts[: len(before.records[action.step].attempts)] == (
            before.records[action.step].attempts
        )
    if run.deadline is not None and run.phase is RunPhase.EXERCISING:
        assert run.deadline <= run.started_at + LIMIT


@settings(max_examples=400)
@given(
    bodies=st.lists(BODIES, min_size=1, max_size=4),
    data=st.data(),
    cancel_at=st.none() | st.integers(0, 30),
)
def test_whatever_happens_a_run_ends_and_is_judged_once(bodies, data, cancel_at):
    run, now = planned(bodies), T0
    for turn in range(MOST_ACTIONS):
        if turn == cancel_at:
            run = run.model_copy(update={"cancelled": True, "wake_at": None})
        action = next_action(run, now)
        if isinstance(action, Rest):
            if action.until is None:
                break
            # The first turns are anybody's; after them clocks behave, so that all comes to an end.
            jump = data.draw(JUMPS, "jump") if turn < 40 else timedelta(0)
            now = action.until + jump
            continue
        drawn = data.draw(RESULTS, "result") if turn < 40 else Silent(SILENCE)
        before = begun(run, action, now)
        run = after(before, action, result_for(action, drawn), now, RULES)
        check(before, action, run)
    assert run.is_ended
    assert run.judgement is not None
    assert all(record.state.is_final for record in run.records)
    assert run.finished_at is not None


@given(bodies=st.lists(BODIES, min_size=1, max_size=3), late=JUMPS)
def test_looking_early_or_twice_changes_nothing(bodies, late):
    run = after(planned(bodies), Start(), None, T0, RULES)
    run = begun(run, Begin(0), T0)
    waits = after(run, Begin(0), Waiting({"job": "x"}, timedelta(seconds=30)), T0, RULES)
    action = next_action(waits, T0 + late)
    if late < timedelta(seconds=30):
        assert action == Rest(T0 + timedelta(seconds=30))
    else:
        assert action == next_action(waits, T0 + late)
        assert isinstance(action, Look | Explain)
