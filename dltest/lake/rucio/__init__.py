"""Rucio behind the catalogue port, through rucio-clients 38 to 41."""

from dltest.lake.rucio.catalogue import RucioCatalogue
from dltest.lake.rucio.stranger import RucioStranger

__all__ = ["RucioCatalogue", "RucioStranger"]
