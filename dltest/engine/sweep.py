"""Later clean-up: what an outage did not let a run remove is removed when the lake lets us."""

from dltest.engine.house import House
from dltest.engine.machine import reopened


def reopen_unclean(house: House) -> list[str]:
    """Send every ended run whose ledger is not settled back to its clean-up; gives their ids.

    Whoever calls then advances them; until it does, and if it dies, nothing is lost: the ledger
    still says what is left.
    """
    now = house.now()
    unclean = dict.fromkeys(run_id for run_id, _ in house.runs.unsettled(house.lake.name))
    for run_id in unclean:
        with house.runs.claim(run_id, ended=True) as claim:
            if claim is not None:
                claim.save(reopened(claim.run, now, house.rules))
    return list(unclean)
