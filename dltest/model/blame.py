"""Who must act."""

from enum import StrEnum

from dltest.model.value import Value


class Party(StrEnum):
    """Who can mend a finding, in the words of the shift instructions."""

    SITE = "site"
    LINK = "link"
    RUCIO = "rucio"
    FTS = "fts"
    IDENTITY = "identity"
    SCENARIO = "scenario"
    DLTEST = "dltest"


class Blame(Value):
    """A party and, for a site or a link, which one: `site XRD2`, `link XRD1->XRD2`, `rucio`."""

    party: Party
    where: str | None = None

    def __str__(self) -> str:
        return f"{self.party.value} {self.where}" if self.where else self.party.value

    @classmethod
    def parse(cls, text: str) -> "Blame":
        """The reverse of `str`."""
        party, _, where = text.partition(" ")
        return cls(party=Party(party), where=where or None)

    @classmethod
    def site(cls, rse: str) -> "Blame":
        return cls(party=Party.SITE, where=rse)

    @classmethod
    def link(cls, source: str, destination: str) -> "Blame":
        return cls(party=Party.LINK, where=f"{source}->{destination}")


RUCIO = Blame(party=Party.RUCIO)
FTS = Blame(party=Party.FTS)
IDENTITY = Blame(party=Party.IDENTITY)
SCENARIO = Blame(party=Party.SCENARIO)
DLTEST = Blame(party=Party.DLTEST)
