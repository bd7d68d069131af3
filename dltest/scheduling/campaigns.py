"""The one door through which a plan becomes a campaign, whatever asked for it."""

import uuid
from datetime import datetime

from dltest.model import Campaign, Case, Driver, Plan, Run, StepRecord, Trigger


def campaign_of(
    plan: Plan,
    trigger: Trigger,
    driver: Driver,
    now: datetime,
    *,
    title: str | None = None,
    ignores_downtime: bool = False,
) -> tuple[Campaign, list[Run]]:
    """The campaign with a planned run for each case, to be written in one transaction.

    The service's runs wait to be admitted; a process that drives its own begins at once. Without
    a title the campaign is called after its scenarios.
    """
    campaign = Campaign(
        id=uuid.uuid4().hex[:12],
        lake=plan.lake,
        trigger=trigger,
        driver=driver,
        title=title or ", ".join(dict.fromkeys(case.scenario for case in plan.cases)),
        created_at=now,
        ignores_downtime=ignores_downtime,
    )
    return campaign, [_run(campaign, case, now) for case in plan.cases]


def _run(campaign: Campaign, case: Case, now: datetime) -> Run:
    return Run(
        id=uuid.uuid4().hex[:12],
        campaign_id=campaign.id,
        lake=campaign.lake,
        case=case,
        records=tuple(StepRecord(name=call.type) for call in case.steps),
        planned_at=now,
        admitted_at=now if campaign.driver is Driver.IN_PROCESS else None,
    )
