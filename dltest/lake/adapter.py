"""A lake with all its doors, from its file."""

from dataclasses import dataclass

from dltest.lake.ports import Catalogue, Storage, Transfers
from dltest.lake.rucio import RucioCatalogue
from dltest.lake.transfers import FTS
from dltest.settings import LakeSettings


@dataclass(frozen=True, slots=True)
class OpenLake:
    """`ports.LakePorts` over a real Rucio, real storage elements and a real FTS."""

    name: str
    catalogue: Catalogue
    storage: Storage
    transfers: Transfers


def open_lake(settings: LakeSettings, *, storage: Storage) -> OpenLake:
    """Nothing is asked of the lake yet. Whoever moves bytes, here or by workers, is `storage`."""
    return OpenLake(
        name=settings.name,
        catalogue=RucioCatalogue(settings),
        storage=storage,
        transfers=FTS(settings.storage),
    )
