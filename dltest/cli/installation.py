"""From command-line options to an open store and a lake: what most commands begin with."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dltest.cli.screen import errors
from dltest.engine import House, Rules
from dltest.errors import LakeError, SettingsError
from dltest.lake.adapter import open_lake
from dltest.lake.ports import LakePorts, Storage
from dltest.model import Lake
from dltest.scheduling.sights import declared
from dltest.settings import LakeSettings, Settings
from dltest.store import Store

LAB_FILE = "lake.yaml"

LakeOption = Annotated[
    Path | None,
    typer.Option("--lake", help="The lake file [default: $DLTEST_LAKE, else the lab in .lab]."),
]
LabOption = Annotated[
    Path | None, typer.Option("--lab", help="A lab's folder, as given to `dltest lab up --dir`.")
]


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings with the lake they mean, and the store where its rows are."""

    settings: Settings
    lake: LakeSettings
    store: Store

    def house(self, lake: LakePorts) -> House:
        rules = Rules(self.settings.patience, self.settings.cleanup_limit)
        return House(self.store, lake, rules, self.settings.data_lifetime)


def open_installation(lake: Path | None, lab: Path | None) -> Installation:
    """Settings, lake file and a migrated store.

    Raises:
        SettingsError: no or a wrong lake file.
        StoreError: the store is out of reach.
    """
    settings = Settings.load()
    lake_settings = LakeSettings.load(lake_file(settings, lake, lab))
    return Installation(settings, lake_settings, open_store(settings, lake_settings))


def open_store(settings: Settings, lake: LakeSettings | None) -> Store:
    url = settings.database_url(lake)
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    store = Store.open(url, steadiness=settings.steadiness)
    store.migrate()
    return store


def lake_file(settings: Settings, lake: Path | None, lab: Path | None) -> Path:
    """The first that is given: --lab, --lake, DLTEST_LAKE, a lab in the current folder."""
    if lake and lab:
        raise SettingsError("give --lake or --lab, not both")
    if lab:
        return lab / LAB_FILE
    return lake or settings.lake or Path(".lab") / LAB_FILE


def lake_facts(installation: Installation, storage: Storage) -> Lake:
    """The lake as it is; while Rucio is silent, as it was last seen, or as its file declares it.

    An outage must have rows too, and rows need a plan.
    """
    ports = open_lake(installation.lake, storage=storage)
    try:
        seen = ports.catalogue.inventory()
    except LakeError as error:
        known = installation.store.recall_lake(installation.lake.name) or declared(
            installation.lake, datetime.now(UTC)
        )
        if not known.rses:
            raise
        errors.print(
            f"Rucio does not answer ({error}); planning for the lake as seen at"
            f" {known.seen_at:%Y-%m-%d %H:%M} UTC",
            markup=False,
        )
        return known
    installation.store.remember_lake(seen)
    return seen
