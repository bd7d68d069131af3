"""Lets the service's planned runs begin: one pass, under one lock, over all that wait."""

from datetime import datetime

from dltest.scheduling.admission import Limits, decide
from dltest.scheduling.downtimes import closed_rses, skip
from dltest.scheduling.sights import remembered
from dltest.settings import LakeSettings, Settings
from dltest.store import Store


def admit(
    store: Store, settings: Settings, lake_settings: LakeSettings, now: datetime
) -> tuple[str, ...]:
    """The runs that may begin from now on; those in downtime are ended, the others say why not."""
    lake = lake_settings.name
    if not store.has_waiters(lake):
        return ()
    closed = closed_rses(store.downtimes(lake), remembered(store, lake_settings, now), now)
    limits = limits_of(settings)
    admission = store.admit(lake, now, lambda crowd: decide(crowd, limits, closed, now))
    skip(store, dict(admission.closed), now)
    return admission.admitted


def limits_of(settings: Settings) -> Limits:
    return Limits(
        per_rse=settings.parallel_per_rse,
        per_link=settings.parallel_per_link,
        runs=settings.parallel_runs,
        waiting_rules=settings.waiting_rules,
    )
