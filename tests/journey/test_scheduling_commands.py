"""`dltest schedule`, `downtime`, `annul`, `rejudge` and `cancel` as people meet them."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dltest.cli.main import main
from dltest.model import (
    SCENARIO,
    Campaign,
    Case,
    Driver,
    Finding,
    Judgement,
    LedgerEntry,
    LedgerKind,
    LedgerState,
    Payload,
    Run,
    RunPhase,
    Schedule,
    Slot,
    SlotOutcome,
    SlotRecord,
    StepCall,
    StepRecord,
    StepState,
    Trigger,
    Verdict,
)
from dltest.store import Admission, Store

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LAKE = """\
name: lab
rucio: {url: "http://127.0.0.1:1", account: root, scope: test, username: u, password: p}
storage: {}
rses: [{name: XRD1, attributes: {dltest: "True"}}, {name: XRD2, attributes: {dltest: "True"}}]
"""


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


DLTest = Callable[..., Said]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/store.sqlite3") as opened:
        opened.migrate()
        yield opened


@pytest.fixture
def dltest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> DLTest:
    """The whole command in this process, on a lake whose Rucio is away."""
    for key in [key for key in os.environ if key.startswith("DLTEST_")]:
        monkeypatch.delenv(key)
    (tmp_path / "lake.yaml").write_text(LAKE)
    monkeypatch.setenv("DLTEST_LAKE", str(tmp_path / "lake.yaml"))
    monkeypatch.setenv("DLTEST_DATABASE", f"sqlite:///{tmp_path}/store.sqlite3")
    monkeypatch.setenv("DLTEST_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("DLTEST_BROKER", "redis://127.0.0.1:1/0")
    monkeypatch.chdir(ROOT)

    def call(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["dltest", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        code = left.value.code
        assert isinstance(code, int)
        return Said(code, *capsys.readouterr())

    return call


@pytest.fixture
def failed(store: Store) -> Run:
    """A run that ended as failed, though its record says that all went well; it left something."""
    case = Case(
        scenario="write",
        targets={"at": "XRD1"},
        payload=Payload(files=1, size_bytes=1),
        steps=(StepCall(type="upload", body={"to": "at"}),),
        duration_limit=timedelta(minutes=1),
    )
    finding = Finding(code="overdue", title="late", blame=SCENARIO, verdict=Verdict.FAILED)
    ended = Run(
        id="run1",
        campaign_id="c1",
        lake="lab",
        case=case,
        planned_at=NOW,
        admitted_at=NOW,
    )
    campaign = Campaign(
        id="c1", lake="lab", driver=Driver.IN_PROCESS, title="write", created_at=NOW
    )
    store.create_campaign(campaign, [ended])
    left = LedgerEntry(kind=LedgerKind.REPLICAS, name="dltest.run1", rse="XRD1", count=1)
    store.ledger("run1").intend(left)
    store.ledger("run1").settle(LedgerState.LEFTOVER, left)
    with store.claim("run1") as claim:
        assert claim is not None
        changes = {
            "phase": RunPhase.ENDED,
            "records": (StepRecord(name="upload", state=StepState.DONE),),
            "judgement": Judgement(verdict=Verdict.FAILED, findings=(finding,)),
            "leftovers": 1,
            "finished_at": NOW,
        }
        claim.save(claim.run.model_copy(update=changes))
    return ended


def test_a_schedule_is_paused_with_a_reason_and_goes_on(dltest: DLTest, store: Store) -> None:
    assert "nothing runs by itself yet" in dltest("schedule", "list").out
    slot = Slot(at=NOW, starts_at=NOW, number=1)
    store.set_schedule("lab", "write", Schedule(every=timedelta(hours=6)), slot)
    paused = dltest("schedule", "pause", "write", "--why", "new disks", "--until", "2099-01-01")
    assert (paused.code, paused.out) == (0, "write is paused until 2099-01-01 00:00:00\n")
    listed = dltest("schedule", "list").out
    assert "paused until 2099-01-01 00:00:00" in listed
    assert ": new disks" in listed
    assert dltest("schedule", "resume", "write").code == 0
    assert "paused" not in dltest("schedule", "list").out


def test_the_last_slot_says_why_nothing_ran(dltest: DLTest, store: Store) -> None:
    slot = Slot(at=NOW, starts_at=NOW, number=1)
    store.set_schedule("lab", "write", Schedule(every=timedelta(hours=6)), slot)
    seen = store.schedule("lab", "write")
    assert seen is not None
    record = SlotRecord(
        lake="lab",
        scenario="write",
        slot_at=NOW,
        outcome=SlotOutcome.FAILED,
        why="no RSE of lake 'lab' matches 'type=tape'",
        written_at=NOW,
    )
    store.settle_slot(record, seen, None)
    (line,) = [line for line in dltest("schedule", "list").out.splitlines() if "write" in line]
    assert "failed" in line
    assert "matches 'type=tape'" in line
    assert "no longer" in line


def test_a_schedule_that_is_not_there_is_named_with_those_that_are(dltest: DLTest) -> None:
    said = dltest("schedule", "pause", "wrote", "--why", "x")
    assert said.code == 2
    assert "scenario 'wrote' has no schedule on lake 'lab'; there are: none yet" in said.err


def test_a_downtime_is_declared_seen_and_taken_back(dltest: DLTest, store: Store) -> None:
    added = dltest("downtime", "add", "XRD1|XRD2", "--until", "2099-01-01", "--why", "move")
    assert added.code == 0
    (downtime,) = store.downtimes("lab")
    assert added.out == f"downtime {downtime.id}: XRD1, XRD2\n"
    listed = dltest("downtime", "list").out
    assert "closed" in listed
    assert "move" in listed
    assert dltest("downtime", "remove", downtime.id).code == 0
    assert store.downtimes("lab") == []
    assert dltest("downtime", "remove", downtime.id).code == 2


def test_a_downtime_that_returns_is_shown_as_it_was_said(dltest: DLTest, store: Store) -> None:
    more = ["--window", "22:00-02:00", "--days", "sun,sat", "--time-zone", "Europe/Berlin"]
    assert dltest("downtime", "add", "XRD1", *more, "--why", "backup").code == 0
    assert "sat sun 22:00-02:00 Europe/Berlin" in dltest("downtime", "list").out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["XRD1"], "say when the downtime ends"),
        (["XRD1", "--until", "tomorrow"], "--until: 'tomorrow' is not a moment"),
        (["XRD1", "--until", "2020-01-01"], "is over already"),
        (["XRD1", "--from", "2099-01-02", "--until", "2099-01-01"], "--from must be before"),
        (["XRD1", "--window", "22-late"], "'22-late' is not a time of day"),
        (["XRD1", "--window", "22:00-02:00", "--time-zone", "Berlin"], "'Berlin' is not a time z"),
        (["XRD1", "--window", "22:00-02:00", "--days", "sat,sonntag"], "'sonntag' is not one of"),
        (["XRD9", "--until", "2099-01-01"], "There is no RSE 'XRD9'"),
        (["XRD1||", "--until", "2099-01-01"], "RSES: "),
    ],
)
def test_a_wrong_downtime_is_refused_with_a_remedy(
    dltest: DLTest, store: Store, options: list[str], message: str
) -> None:
    said = dltest("downtime", "add", *options, "--why", "x")
    assert said.code == 2
    assert message in said.err
    assert store.downtimes("lab") == []


def test_runs_on_closed_rses_are_skipped_and_a_campaign_says_what_asked_for_it(
    dltest: DLTest, store: Store
) -> None:
    dltest("downtime", "add", "*", "--until", "2099-01-01", "--why", "moving", "--by", "ops")
    said = dltest("run", "upload", "--trigger", "ci", "--json")
    runs = [json.loads(line) for line in said.out.splitlines()]
    assert said.code == 0
    assert {run["verdict"] for run in runs} == {"skipped"}
    assert {run["findings"][0]["code"] for run in runs} == {"downtime"}
    assert {run["blame"] for run in runs} == {"site XRD1", "site XRD2"}
    (campaign,) = store.campaigns()
    assert campaign.trigger is Trigger.CI
    assert f"of campaign {campaign.id} (ci)" in dltest("show", runs[0]["run_id"]).out


def test_only_a_person_may_ignore_a_downtime(dltest: DLTest, store: Store) -> None:
    said = dltest("run", "upload", "--trigger", "ci", "--ignore-downtime")
    assert said.code == 2
    assert "leave --trigger out" in said.err
    assert store.campaigns() == []


def test_an_annulled_run_says_so_wherever_it_is_shown(
    dltest: DLTest, store: Store, failed: Run
) -> None:
    said = dltest("annul", failed.id, "--why", "wrong size", "--by", "ops")
    assert (said.code, said.out) == (0, "annulled 1 of 1 runs\n")
    assert dltest("annul", failed.id, "--why", "again").out == "annulled 0 of 1 runs\n"
    assert "by ops: wrong size" in dltest("show", failed.id).out
    assert "failed (annulled)" in dltest("list").out
    told = json.loads(dltest("list", "--json").out)
    assert (told["verdict"], told["annulled"]["why"]) == ("failed", "wrong size")


def test_runs_are_annulled_by_the_time_of_their_end(
    dltest: DLTest, store: Store, failed: Run
) -> None:
    window = ["--from", "2026-11-23T11:00", "--to", "2026-11-23T12:00"]
    assert dltest("annul", *window, "--why", "x").out == "annulled 0 of 0 runs\n"
    window = ["--from", "2026-11-23T11:00", "--to", "2026-11-23T12:01"]
    assert dltest("annul", *window, "--why", "x").out == "annulled 1 of 1 runs\n"
    assert "name runs, or a time" in dltest("annul", "--why", "x").err
    assert dltest("annul", "--to", "2026-11-23", "--why", "x").code == 2


def test_a_run_judged_again_shows_both_judgements(
    dltest: DLTest, store: Store, failed: Run
) -> None:
    said = dltest("rejudge", "run", "--why", "a better judge", "--by", "ops")
    assert said.out == "write[XRD1] (run1): passed, before failed\n"
    assert "by ops: a better judge; before, it was failed" in dltest("show", failed.id).out
    told = json.loads(dltest("show", failed.id, "--json").out)
    assert told["verdict"] == "passed"
    assert [(c["before"], c["after"]) for c in told["judged_again"]] == [("failed", "passed")]
    assert "passed, as before" in dltest("rejudge", "run1", "--why", "x").out


def test_cancel_takes_a_campaign_and_tells_what_is_left(
    dltest: DLTest, store: Store, failed: Run
) -> None:
    said = dltest("cancel", "c1")
    assert (said.code, said.out) == (0, "write[XRD1] (run1) has already ended\n")
    said = dltest("cancel", "c1", "--wait")
    assert said.code == 1
    assert "write[XRD1] (run1) left 1 behind\n  replicas dltest.run1 at XRD1\n" in said.out
    assert dltest("cancel", "nobody").code == 2


def test_a_held_run_says_why(dltest: DLTest, store: Store, failed: Run) -> None:
    waits = failed.model_copy(
        update={"id": "waits", "campaign_id": "c2", "admitted_at": None, "case": failed.case}
    )
    campaign = Campaign(id="c2", lake="lab", driver=Driver.SERVICE, title="w", created_at=NOW)
    store.create_campaign(campaign, [waits])
    store.admit("lab", NOW, lambda _: Admission(held={"waits": "parallel-runs: full"}))
    assert "parallel-runs: full" in dltest("list").out
    assert "parallel-runs: full" in dltest("show", "waits").out
    assert json.loads(dltest("show", "waits", "--json").out)["held"] == "parallel-runs: full"
