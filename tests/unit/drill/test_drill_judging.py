"""What counts as a miss: each alone makes the drill exit 1."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from test_drill_schedule import CASES, trial

from dltest.cli.drill import exit_code
from dltest.drill import Outcome, judged
from dltest.model import (
    Blame,
    Case,
    Finding,
    Judgement,
    Run,
    StepRecord,
    StepState,
    Trouble,
    Verdict,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TRIAL = trial("storage-down", "XRD1")
OWN = TRIAL.cases[0]
OTHER = CASES["upload", ("XRD3",)]
SITE, WRONG = Blame.site("XRD1"), Blame.parse("rucio")


def run(case: Case, *findings: Finding, seconds: float = 3) -> Run:
    verdict = findings[0].verdict if findings else Verdict.PASSED
    trouble = tuple(Trouble(code=f.code, message=f.title, blame=f.blame) for f in findings)
    record = StepRecord(
        name="upload",
        state=StepState.REFUSED if findings else StepState.DONE,
        began_at=NOW,
        ended_at=NOW + timedelta(seconds=seconds),
        troubles=trouble,
    )
    return Run(
        id=case.id,
        campaign_id="c",
        lake="lab",
        case=case,
        records=(record,),
        judgement=Judgement(verdict=verdict, findings=findings),
        planned_at=NOW,
        started_at=NOW,
    )


def finding(
    code: str = "storage-unreachable",
    blame: Blame = SITE,
    verdict: Verdict = Verdict.FAILED,
) -> Finding:
    return Finding(code=code, title="it is so", blame=blame, verdict=verdict, step="upload")


def outcome(
    during: Run | None, beside: tuple[Run, ...] = (run(OTHER),), after: Run | None = None
) -> Outcome:
    healed = after or run(OWN)
    seen = {OWN.id: during} if during else {}
    return judged(TRIAL, seen, beside, {OWN.id: healed})


def test_what_is_noticed_for_what_it_is_makes_the_drill_exit_0():
    good = outcome(run(OWN, finding()))
    assert good.is_good
    assert good.wrong == ()
    assert good.seconds == 3
    assert exit_code([good]) == 0


@pytest.mark.parametrize(
    ("during", "said"),
    [
        (run(OWN), "is passed, not failed"),
        (None, "did not run"),
        (run(OWN, finding(verdict=Verdict.INCONCLUSIVE)), "is inconclusive, not failed"),
        (run(OWN, finding(code="no-space")), "says no-space, not storage-unreachable"),
        (run(OWN, finding(), seconds=500), "took 500 s to notice"),
    ],
)
def test_a_missed_fault_makes_the_drill_exit_1(during, said):
    missed = outcome(during)
    assert not missed.detected
    assert any(said in wrong for wrong in missed.wrong)
    assert exit_code([outcome(run(OWN, finding())), missed]) == 1


def test_a_wrong_blame_makes_the_drill_exit_1():
    misblamed = outcome(run(OWN, finding(blame=WRONG)))
    assert misblamed.detected
    assert not misblamed.blame_right
    assert "blames rucio, not site XRD1" in misblamed.wrong[0]
    assert exit_code([misblamed]) == 1


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.INCONCLUSIVE])
def test_a_false_alarm_makes_the_drill_exit_1(verdict):
    alarmed = outcome(run(OWN, finding()), beside=(run(OTHER, finding(verdict=verdict)),))
    assert alarmed.detected
    assert alarmed.blame_right
    assert [one.case for one in alarmed.false_alarms] == [OTHER.id]
    assert exit_code([alarmed]) == 1


def test_a_case_that_stays_red_once_healed_makes_the_drill_exit_1():
    sick = outcome(run(OWN, finding()), after=run(OWN, finding()))
    assert not sick.healed
    assert exit_code([sick]) == 1


def test_a_case_that_did_not_run_once_healed_proves_nothing():
    unproven = replace(outcome(run(OWN, finding())), healed=False)
    assert exit_code([unproven]) == 1
    assert not judged(TRIAL, {OWN.id: run(OWN, finding())}, (), {}).healed


def test_a_drill_without_a_fault_proves_nothing():
    assert exit_code([]) == 1
