"""What machines and people read of finished runs."""

import json
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from dltest.model import (
    RUCIO,
    Attempt,
    Blame,
    Case,
    Finding,
    Judgement,
    Payload,
    Run,
    RunPhase,
    StepCall,
    StepRecord,
    StepState,
    Trouble,
    Verdict,
)
from dltest.report import junit
from dltest.report.as_json import run_object
from dltest.report.events import events, sentence, step_line
from dltest.report.matrix import matrices

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def run_of(verdict: Verdict | None, *rses: str, scenario: str = "replicate") -> Run:
    case = Case(
        scenario=scenario,
        targets=dict(zip(("source", "destination"), rses, strict=False)),
        payload=Payload(files=1, size_bytes=1),
        steps=(StepCall(type="upload", body={}),),
        duration_limit=timedelta(minutes=1),
    )
    blame = Blame.site("XRD2") if verdict is Verdict.FAILED else RUCIO
    findings = (
        ()
        if verdict in {None, Verdict.PASSED, Verdict.SKIPPED}
        else (Finding(code="x", title="it <broke>\x00 & \x1b died", blame=blame, verdict=verdict),)
    )
    record = StepRecord(
        name="upload",
        state=StepState.DONE,
        began_at=T0,
        ended_at=T0 + timedelta(seconds=2),
        measured={"bytes": 2_000_000, "rate_bytes_per_second": 1_000_000.0},
    )
    return Run(
        id="abc",
        campaign_id="c",
        lake="lab",
        case=case,
        phase=RunPhase.ENDED,
        records=(record,),
        judgement=Judgement(verdict=verdict, findings=findings) if verdict else None,
        planned_at=T0,
        started_at=T0,
        finished_at=T0 + timedelta(seconds=3),
    )


def test_json_has_the_fields_that_programs_rely_on():
    told = json.loads(json.dumps(run_object(run_of(Verdict.FAILED, "XRD1", "XRD2"))))
    assert set(told) >= {
        *("run_id", "scenario", "case", "lake", "verdict", "blame", "findings"),
        *("started_at", "finished_at", "steps", "leftovers"),
    }
    assert (told["case"], told["verdict"], told["blame"]) == (
        "replicate[XRD1->XRD2]",
        "failed",
        "site XRD2",
    )
    assert set(told["findings"][0]) == {"code", "title", "blame"}
    assert told["started_at"] == "2026-01-01T00:00:00.000Z"
    assert [step["name"] for step in told["steps"]] == ["upload", "clean-up"]


def test_json_tells_of_the_attempts_before():
    run = run_of(Verdict.DEGRADED, "XRD1")
    no = Trouble(code="storage-unreachable", message="refused", blame=Blame.site("XRD1"))
    first = Attempt(state=StepState.REFUSED, began_at=T0, ended_at=T0, troubles=(no,))
    record = run.records[0].model_copy(update={"attempts": (first,)})
    told = run_object(run.model_copy(update={"records": (record,)}))
    (attempt,) = told["steps"][0]["attempts"]
    assert attempt["state"] == "refused"
    assert attempt["troubles"][0]["blame"] == "site XRD1"


def test_json_of_a_run_under_way_says_null():
    told = run_object(run_of(None, "XRD1"))
    assert (told["verdict"], told["blame"], told["findings"]) == (None, None, [])


@pytest.mark.parametrize(
    ("verdict", "element"),
    [
        (Verdict.FAILED, "failure"),
        (Verdict.INCONCLUSIVE, "error"),
        (Verdict.SKIPPED, "skipped"),
        (Verdict.PASSED, None),
        (Verdict.DEGRADED, None),
        (None, "error"),
    ],
)
def test_junit_tells_each_verdict_apart_and_survives_any_text(tmp_path, verdict, element):
    file = tmp_path / "made" / "junit.xml"
    junit.write([run_of(verdict, "XRD1", "XRD2")], file)
    (suite,) = ET.parse(file).getroot()  # noqa: S314 - our own file
    (case,) = suite
    assert case.get("name") == "replicate[XRD1->XRD2]"
    assert [child.tag for child in case if child.tag != "properties"] == (
        [element] if element else []
    )
    counts = {"failure": "failures", "error": "errors", "skipped": "skipped"}
    for tag, attribute in counts.items():
        assert suite.get(attribute) == ("1" if tag == element else "0")


def test_the_matrix_shows_the_worst_of_a_cell_and_leaves_out_what_never_ran():
    runs = [
        run_of(Verdict.PASSED, "XRD1", "XRD2"),
        run_of(Verdict.FAILED, "XRD1", "XRD2"),
        run_of(Verdict.PASSED, "XRD2", "XRD1"),
        run_of(Verdict.INCONCLUSIVE, "XRD1", scenario="upload"),
    ]
    single, links = matrices(runs)
    assert single.cells == {("XRD1", "upload"): Verdict.INCONCLUSIVE}
    assert (links.rows, links.columns) == (("XRD1", "XRD2"), ("XRD1", "XRD2"))
    assert links.cells[("XRD1", "XRD2")] is Verdict.FAILED
    assert ("XRD1", "XRD1") not in links.cells


def test_the_sentence_says_who_must_act_and_why():
    told = sentence(run_of(Verdict.FAILED, "XRD1", "XRD2"))
    assert told.startswith("failed, site XRD2 must act: x: it <broke>")


def test_nobody_must_act_for_a_run_that_was_skipped():
    finding = Finding(
        code="downtime", title="new disks", blame=Blame.site("XRD2"), verdict=Verdict.SKIPPED
    )
    judgement = Judgement(verdict=Verdict.SKIPPED, findings=(finding,))
    run = run_of(Verdict.PASSED, "XRD2").model_copy(update={"judgement": judgement})
    assert sentence(run) == "skipped: downtime: new disks"
    assert sentence(run_of(Verdict.PASSED, "XRD1")) == "passed"


def test_an_event_is_told_once():
    now = run_of(Verdict.PASSED, "XRD1")
    assert list(events(None, now)) == [
        "replicate[XRD1] upload done in 2.0 s, 2 MB at 1 MB/s",
        "replicate[XRD1] passed",
    ]
    assert list(events(now, now)) == []
    assert step_line(StepRecord(name="verify")) == "verify pending"
