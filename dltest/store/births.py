"""How campaigns and their runs come to be rows, within somebody's transaction."""

from collections.abc import Sequence

from sqlalchemy import Connection

from dltest.model import Campaign, Run
from dltest.store import tables
from dltest.store.mapping import birth_values, finding_values, record_values


def insert_campaign(connection: Connection, campaign: Campaign, runs: Sequence[Run]) -> None:
    """The campaign with all its planned runs."""
    born = campaign.model_dump(exclude={"finished_at"})
    connection.execute(tables.campaign.insert(), born)
    if not runs:
        return
    rows = [birth_values(run, position) for position, run in enumerate(runs)]
    connection.execute(tables.run.insert(), rows)
    records = [values for run in runs for values in record_values(run).values()]
    connection.execute(tables.step_record.insert(), records)
    if findings := [values for run in runs for values in finding_values(run)]:
        connection.execute(tables.finding.insert(), findings)
