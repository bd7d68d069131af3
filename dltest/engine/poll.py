"""One look at the lake for all runs that wait: those whose wait is over are woken.

A run that waits for a rule or a replica says what it saw last. Whatever stands otherwise now is
that run's to look at; all others go on resting, however many there are.
"""

from dltest.engine.house import House


def poll(house: House) -> list[str]:
    """Wake the runs for which something changed; gives their ids, to be advanced by the caller.

    Raises:
        LakeError: the catalogue is out of reach; the runs find that out by themselves.
    """
    waiting = house.runs.watching(house.lake.name)
    if not waiting:
        return []
    seen = house.lake.catalogue.look_over([watch for _, watch in waiting])
    changed = [
        run_id for (run_id, watch), now in zip(waiting, seen, strict=True) if now != watch.seen
    ]
    return house.runs.wake(changed)
