"""All campaigns are born alike, and say what asked for them."""

from datetime import UTC, datetime, timedelta

from dltest.model import Case, Driver, Payload, Plan, RunPhase, StepCall, Trigger
from dltest.scheduling import campaign_of

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def plan(*names: str) -> Plan:
    cases = tuple(
        Case(
            scenario=name,
            targets={"at": "XRD1"},
            payload=Payload(files=1, size_bytes=1),
            steps=(StepCall(type="upload", body={"to": "at"}),),
            duration_limit=timedelta(minutes=1),
        )
        for name in names
    )
    return Plan(lake="lab", cases=cases, footprints={})


def test_a_campaign_holds_a_planned_run_for_each_case() -> None:
    campaign, runs = campaign_of(plan("b", "a", "b"), Trigger.CI, Driver.SERVICE, NOW)
    assert (campaign.trigger, campaign.title, campaign.lake) == (Trigger.CI, "b, a", "lab")
    assert [run.case.scenario for run in runs] == ["b", "a", "b"]
    assert len({run.id for run in runs}) == 3
    assert {run.campaign_id for run in runs} == {campaign.id}
    assert {(run.phase, run.planned_at) for run in runs} == {(RunPhase.PLANNED, NOW)}
    assert [record.name for record in runs[0].records] == ["upload"]


def test_the_services_runs_wait_to_be_admitted_and_others_do_not() -> None:
    _, waits = campaign_of(plan("a"), Trigger.SCHEDULE, Driver.SERVICE, NOW)
    _, begins = campaign_of(plan("a"), Trigger.MANUAL, Driver.IN_PROCESS, NOW)
    assert waits[0].admitted_at is None
    assert begins[0].admitted_at == NOW
