"""The lake as it was last seen, for whoever plans without asking it."""

from datetime import datetime, timedelta

from dltest.model import RSE, Lake
from dltest.settings import LakeSettings
from dltest.store import Store

# The service renews its sight of the lake every few minutes; one older than this says that the
# lake does not answer.
FRESH = timedelta(minutes=15)


def remembered(store: Store, settings: LakeSettings, now: datetime) -> Lake:
    """As remembered, else as its file declares it; stale unless it was seen lately."""
    seen = store.recall_lake(settings.name)
    if seen is None:
        return declared(settings, now)
    return seen.model_copy(update={"stale": now - seen.seen_at > FRESH})


def declared(settings: LakeSettings, now: datetime) -> Lake:
    """The RSEs that the lake file names."""
    rses = tuple(
        RSE(name=rse.name, site=rse.site, attributes=rse.attributes) for rse in settings.rses
    )
    return Lake(name=settings.name, rses=rses, seen_at=now, stale=True)
