"""Which RSEs a downtime closes, and what it makes of runs."""

from datetime import UTC, datetime, timedelta

import pytest

from dltest.model import RSE, Downtime, Lake
from dltest.scheduling import closed_rses

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
LAKE = Lake(
    name="lab",
    rses=(
        RSE(name="XRD1", attributes={"site": "north"}),
        RSE(name="XRD2", attributes={"site": "north"}),
        RSE(name="XRD3", attributes={"site": "south"}),
    ),
    seen_at=NOW,
)


def downtime(rses: str, **more: object) -> Downtime:
    said = {"id": rses, "lake": "lab", "rses": rses, "by": "ops", "why": "disks"}
    return Downtime.model_validate({**said, "created_at": NOW, **more})


def test_an_expression_closes_all_it_means_while_it_holds() -> None:
    until = NOW + timedelta(hours=1)
    closed = closed_rses([downtime("site=north", until_at=until)], LAKE, NOW)
    assert closed == {
        name: f"{name} is in downtime until 2026-11-24 09:00 UTC: disks (ops)"
        for name in ("XRD1", "XRD2")
    }
    assert closed_rses([downtime("site=north", until_at=until)], LAKE, until) == {}


def test_a_name_closes_also_before_the_lake_was_seen() -> None:
    unseen = LAKE.model_copy(update={"rses": ()})
    assert list(closed_rses([downtime("XRD9")], unseen, NOW)) == ["XRD9"]


def test_a_downtime_that_means_nothing_closes_nothing_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert list(closed_rses([downtime("XRD9"), downtime("XRD3")], LAKE, NOW)) == ["XRD3"]
    assert "XRD9" in caplog.text
