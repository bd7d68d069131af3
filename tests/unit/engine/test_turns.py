"""In which turn the runs of one process begin, and what becomes of those that nobody may run."""

from datetime import UTC, datetime, timedelta

from dltest.engine.turns import Turns
from dltest.model import LAKE, Case, Payload, Run

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def run(name: str, targets: str, disturbs: tuple[str, ...] = ()) -> Run:
    case = Case(
        scenario=name,
        targets={rse: rse for rse in targets.split()},
        payload=Payload(files=1, size_bytes=1),
        steps=(),
        duration_limit=timedelta(minutes=1),
        disturbs=disturbs,
    )
    return Run(id=name, campaign_id="c", lake="lab", case=case, planned_at=NOW)


def test_what_disturbs_nobody_begins_at_once_and_the_rest_when_nobody_is_disturbed():
    turns = Turns(
        [
            run("alone", "A", (LAKE,)),
            run("breaks-a", "A B", ("A",)),
            run("breaks-c", "C", ("C",)),
            run("uses-a", "A"),
            run("uses-b", "B"),
        ]
    )
    assert turns.beginning() == ["uses-a", "uses-b", "breaks-c"]
    assert turns.ended("uses-b") == []
    assert turns.ended("uses-a") == ["breaks-a"]
    assert turns.ended("breaks-a") == []
    assert turns.ended("breaks-c") == ["alone"]
    assert turns.ended("alone") == []


def test_no_more_than_allowed_are_open_at_an_rse_and_each_has_its_turn():
    turns = Turns([run(f"r{number}", "A B") for number in range(5)] + [run("c", "C")], per_rse=2)
    assert turns.beginning() == ["r0", "r1", "c"]
    assert turns.ended("r1") == ["r2"]
    assert turns.ended("c") == []
    assert turns.ended("r0") == ["r3"]
    assert turns.ended("r2") == ["r4"]
