"""The truth table of verdicts: state x expectation -> verdict, code, blame."""

from datetime import UTC, datetime, timedelta

import pytest

from dltest.judge import judge
from dltest.model import (
    DLTEST,
    FTS,
    RUCIO,
    Attempt,
    Blame,
    Case,
    Payload,
    StepCall,
    StepRecord,
    StepState,
    Trouble,
    Verdict,
)

UNREACHABLE = Trouble(code="storage-unreachable", message="no answer", blame=Blame.site("XRD2"))
CHECKSUM = Trouble(code="checksum-mismatch", message="1 is not 2", blame=Blame.site("XRD1"))


def case_of(*calls: StepCall) -> Case:
    return Case(
        scenario="replicate",
        targets={"source": "XRD1", "destination": "XRD2"},
        payload=Payload(files=1, size_bytes=1),
        steps=calls,
        duration_limit=timedelta(minutes=1),
    )


def call(name: str = "replicate", **expect: str) -> StepCall:
    return StepCall(type=name, body={"expect": dict(expect)} if expect else {})


def record(state: StepState, *troubles: Trouble, **measured: float) -> StepRecord:
    return StepRecord(name="replicate", state=state, troubles=troubles, measured=measured)


@pytest.mark.parametrize(
    ("expect", "state", "troubles", "verdict", "code", "blame"),
    [
        ({}, StepState.DONE, (), Verdict.PASSED, None, None),
        ({}, StepState.REFUSED, (UNREACHABLE,), Verdict.FAILED, "storage-unreachable", "site XRD2"),
        ({}, StepState.OVERDUE, (UNREACHABLE,), Verdict.FAILED, "storage-unreachable", "site XRD2"),
        ({}, StepState.OVERDUE, (), Verdict.FAILED, "overdue", "scenario"),
        (
            {},
            StepState.UNKNOWN,
            (UNREACHABLE,),
            Verdict.INCONCLUSIVE,
            "storage-unreachable",
            "site XRD2",
        ),
        ({}, StepState.SKIPPED, (), Verdict.PASSED, None, None),
        ({"outcome": "refused"}, StepState.REFUSED, (CHECKSUM,), Verdict.PASSED, None, None),
        (
            {"outcome": "refused", "reason": "checksum"},
            StepState.REFUSED,
            (CHECKSUM,),
            Verdict.PASSED,
            None,
            None,
        ),
        (
            {"outcome": "refused", "reason": "checksum"},
            StepState.REFUSED,
            (UNREACHABLE,),
            Verdict.FAILED,
            "wrong-reason",
            "site XRD2",
        ),
        (
            {"outcome": "refused"},
            StepState.DONE,
            (),
            Verdict.FAILED,
            "not-refused",
            "link XRD1->XRD2",
        ),
        (
            {"outcome": "refused"},
            StepState.UNKNOWN,
            (),
            Verdict.INCONCLUSIVE,
            "could-not-find-out",
            "scenario",
        ),
    ],
)
def test_truth_table(expect, state, troubles, verdict, code, blame):
    judgement = judge(case_of(call(**expect)), (record(state, *troubles),))
    assert judgement.verdict is verdict
    assert (judgement.findings[0].code if code else None) == code
    assert (str(judgement.blame) if judgement.blame else None) == blame


AT_SOURCE = CHECKSUM.model_copy(update={"phase": "SOURCE"})


@pytest.mark.parametrize(
    ("expect", "trouble", "wanted"),
    [
        ({"phase": "SOURCE"}, AT_SOURCE, None),
        ({"phase": "DESTINATION"}, AT_SOURCE, "in the DESTINATION phase"),
        ({"blame": "source"}, AT_SOURCE, None),
        ({"blame": "destination"}, AT_SOURCE, "with the blame on destination"),
        ({"blame": "fts"}, AT_SOURCE, "with the blame on fts"),
        ({"blame": "rucio"}, Trouble(code="x", message="no", blame=RUCIO), None),
        ({"reason": "checksum", "phase": "SOURCE", "blame": "source"}, AT_SOURCE, None),
        (
            {"reason": "missing", "phase": "SOURCE"},
            AT_SOURCE,
            "'missing' in the SOURCE phase",
        ),
    ],
)
def test_a_refusal_must_be_the_right_one_in_every_respect(expect, trouble, wanted):
    expected = case_of(call(outcome="refused", **expect))
    findings = judge(expected, (record(StepState.REFUSED, trouble),)).findings
    titles = [f"replicate was refused, but not for {wanted}: {trouble.message}"] if wanted else []
    assert [finding.title for finding in findings] == titles
    assert [finding.code for finding in findings] == ["wrong-reason"] * len(titles)


def test_one_trouble_must_fit_all_that_is_expected():
    elsewhere = UNREACHABLE.model_copy(update={"phase": "DESTINATION"})
    expected = case_of(call(outcome="refused", reason="checksum", phase="DESTINATION"))
    judgement = judge(expected, (record(StepState.REFUSED, AT_SOURCE, elsewhere),))
    assert [finding.code for finding in judgement.findings] == ["wrong-reason"]


def test_slower_than_expected_is_degraded_and_names_both_rates():
    done = record(StepState.DONE, rate_bytes_per_second=1_000_000.0)
    judgement = judge(case_of(call(rate="5 MB/s")), (done,))
    assert judgement.verdict is Verdict.DEGRADED
    assert "1 MB/s" in judgement.findings[0].title
    assert "5 MB/s" in judgement.findings[0].title
    assert str(judgement.blame) == "link XRD1->XRD2"


BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "verdict"), [(30, Verdict.PASSED), (31, Verdict.DEGRADED)])
def test_later_than_expected_is_degraded(seconds, verdict):
    done = record(StepState.DONE).model_copy(
        update={"began_at": BEGAN, "ended_at": BEGAN + timedelta(seconds=seconds)}
    )
    judgement = judge(case_of(call(time="30s")), (done,))
    assert judgement.verdict is verdict
    titles = ["replicate took 31 s, longer than the 30s expected"]
    assert [f.title for f in judgement.findings] == (titles if seconds > 30 else [])
    assert [f.code for f in judgement.findings] == (["late"] if seconds > 30 else [])


def attempt(*troubles):
    return Attempt(state=StepState.REFUSED, began_at=BEGAN, ended_at=BEGAN, troubles=troubles)


@pytest.mark.parametrize(
    ("state", "expect", "troubles"),
    [(StepState.DONE, {}, ()), (StepState.REFUSED, {"outcome": "refused"}, (CHECKSUM,))],
)
def test_what_holds_at_a_later_attempt_is_degraded_and_blames_what_stood_in_the_way(
    state, expect, troubles
):
    tried = record(state, *troubles).model_copy(
        update={"attempts": (attempt(CHECKSUM), attempt(UNREACHABLE))}
    )
    judgement = judge(case_of(call(**expect)), (tried,))
    assert judgement.verdict is Verdict.DEGRADED
    assert [f.code for f in judgement.findings] == ["retried"]
    assert judgement.findings[0].title == "replicate went well at attempt 3 only: no answer"
    assert str(judgement.blame) == "site XRD2"


def test_attempts_that_never_came_to_it_are_told_by_the_last_one_alone():
    tried = record(StepState.REFUSED, UNREACHABLE).model_copy(
        update={"attempts": (attempt(CHECKSUM),)}
    )
    judgement = judge(case_of(call()), (tried,))
    assert judgement.verdict is Verdict.FAILED
    assert [f.code for f in judgement.findings] == ["storage-unreachable"]


def test_the_worst_finding_decides_verdict_and_blame():
    slow = record(StepState.DONE, rate_bytes_per_second=1.0)
    lost = record(StepState.UNKNOWN, Trouble(code="x", message="silence", blame=RUCIO))
    down = record(StepState.REFUSED, Trouble(code="y", message="no", blame=FTS))
    calls = case_of(call(rate="5 MB/s"), call(), call())
    judgement = judge(calls, (slow, lost, down))
    assert judgement.verdict is Verdict.FAILED
    assert str(judgement.blame) == "fts"
    assert [finding.verdict for finding in judgement.findings] == [
        Verdict.FAILED,
        Verdict.INCONCLUSIVE,
        Verdict.DEGRADED,
    ]


def test_a_cancelled_run_without_findings_is_skipped_never_passed():
    judgement = judge(case_of(call()), (record(StepState.SKIPPED),), cancelled=True)
    assert judgement.verdict is Verdict.SKIPPED


def test_what_was_found_before_a_cancel_still_counts():
    records = (record(StepState.REFUSED, UNREACHABLE), record(StepState.SKIPPED))
    judgement = judge(case_of(call(), call()), records, cancelled=True)
    assert judgement.verdict is Verdict.FAILED


def test_a_thousand_equal_troubles_are_one_finding():
    judgement = judge(case_of(call()), (record(StepState.REFUSED, *[UNREACHABLE] * 1000),))
    assert len(judgement.findings) == 1


OVERDUE = {"outcome": "overdue", "reason": "storage", "blame": "destination"}


@pytest.mark.parametrize(
    ("state", "troubles", "code"),
    [
        (StepState.OVERDUE, (UNREACHABLE,), None),
        (StepState.OVERDUE, (CHECKSUM,), "wrong-reason"),
        (StepState.REFUSED, (UNREACHABLE,), "storage-unreachable"),
        (StepState.DONE, (), "not-refused"),
    ],
)
def test_what_must_come_to_no_end_must_do_so_for_its_reason(state, troubles, code):
    case = case_of(call(**OVERDUE))
    told = judge(case, (record(state, *troubles),))
    assert [finding.code for finding in told.findings] == ([code] if code else [])


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (["REPLICATING", "STUCK"], Verdict.PASSED),
        (["INJECT", "REPLICATING", "STUCK", "OK"], Verdict.PASSED),
        (["STUCK"], Verdict.FAILED),
        (["STUCK", "REPLICATING"], Verdict.FAILED),
        (None, Verdict.FAILED),
    ],
)
def test_a_rule_must_pass_the_states_that_are_expected_in_their_order(seen, verdict):
    wanted = StepCall(type="replicate", body={"expect": {"states": ["REPLICATING", "STUCK"]}})
    evidence = {} if seen is None else {"states": seen}
    passed = record(StepState.DONE).model_copy(update={"evidence": evidence})
    assert judge(case_of(wanted), (passed,)).verdict is verdict


def test_what_was_damaged_and_passed_for_good_is_corruption_undetected() -> None:
    damaged = StepRecord(name="corrupt", state=StepState.DONE, evidence={"damage": "flip-one-bit"})
    calls = (call("corrupt"), call(outcome="refused", reason="checksum"))
    said = judge(case_of(*calls), (damaged, record(StepState.DONE)))
    (finding,) = said.findings
    assert (said.verdict, finding.code) == (Verdict.FAILED, "corruption-undetected")
    assert "flip-one-bit was not noticed" in finding.title
    whole = damaged.model_copy(update={"evidence": {}})
    (finding,) = judge(case_of(*calls), (whole, record(StepState.DONE))).findings
    assert finding.code == "not-refused"


def test_what_dltest_cannot_do_here_is_skipped() -> None:
    unable = Trouble(code="not-supported", message="no disk", blame=DLTEST)
    said = judge(case_of(call()), (record(StepState.UNKNOWN, unable),))
    assert (said.verdict, said.findings[0].code) == (Verdict.SKIPPED, "not-supported")
