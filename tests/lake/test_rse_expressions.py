"""RSE expressions mean the same here and in Rucio's own server."""

import pytest

from dltest.errors import CatalogueError, PlanError
from dltest.lake.rucio import RucioCatalogue
from dltest.lake.rucio.session import RucioSession
from dltest.planning import select
from dltest.settings import LakeSettings

pytestmark = pytest.mark.lab

EXPRESSIONS = [
    "*",
    "XRD1",
    "xrd1",
    "XRD1|XRD2",
    r"*\XRD3",
    "dltest=True",
    "dltest=true",
    "dltest=TRUE",
    "dltest=1",
    "dltest",
    "dltest>0",
    "type=disk",
    "type=DISK",
    "rse_type=DISK",
    "rse=XRD2",
    "site=SITE1",
    "site=SITE1|XRD2&XRD3",
    "site=SITE1|(XRD2&XRD3)",
    "(dltest=True&(XRD1|XRD4))",
    "dltest-faults=True",
    "availability_write=True",
    "availability_write=0",
    "XRD1=True",
    "XRD1<2",
    "site<2",
    "nothing=here",
    # what is no expression
    "XRD1 | XRD2",
    "(XRD1",
    "XRD1)",
    "XRD*",
    "XRD1&",
    "type=d.sk",
]


def test_rucio_and_the_planner_choose_the_same_rses(lab) -> None:
    settings = LakeSettings.load(lab.lake_file)
    lake = RucioCatalogue(settings).inventory()
    session = RucioSession(settings.rucio)

    def by_rucio(expression: str) -> list[str]:
        try:
            return session.call(
                f"list RSEs of {expression}",
                lambda client: sorted(rse["rse"] for rse in client.list_rses(expression)),
            )
        except CatalogueError as error:
            if error.answered:
                return []
            raise

    def by_dltest(expression: str) -> list[str]:
        try:
            return select(expression, lake, asked_by="here")
        except PlanError:
            return []

    meant = {expression: by_rucio(expression) for expression in EXPRESSIONS}
    assert {expression: by_dltest(expression) for expression in EXPRESSIONS} == meant
    assert meant["dltest=True"] == ["XRD1", "XRD2", "XRD3", "XRD4"]
