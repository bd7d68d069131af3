"""The last sight of a lake is recalled, as stale."""

from datetime import datetime, timedelta

from dltest.model import RSE, Lake
from dltest.store import Store


def test_the_newest_sight_is_recalled_as_stale(store: Store, now: datetime) -> None:
    rses = (RSE(name="XRD1", site="ONE", attributes={"dltest": "True"}, writable=False),)
    seen = Lake(name="lab", rses=rses, seen_at=now)
    assert store.recall_lake("lab") is None
    store.remember_lake(seen)
    store.remember_lake(Lake(name="lab", rses=(), seen_at=now - timedelta(hours=1)))
    assert store.recall_lake("lab") == seen.model_copy(update={"stale": True})
