"""What is known of a data lake at one moment: its storage elements and their attributes."""

from datetime import datetime

from pydantic import Field

from dltest.model.value import Value


class RSE(Value):
    """A Rucio storage element. Attribute values are text, as Rucio expressions compare them."""

    name: str
    site: str | None = None
    type: str = "DISK"
    attributes: dict[str, str] = Field(default_factory=dict)
    readable: bool = True
    writable: bool = True
    deletable: bool = True


class Lake(Value):
    """One Rucio instance and its RSEs as seen at `seen_at` (UTC).

    A lake that cannot be reached is planned for from what was last seen, so that an outage has
    rows too; `stale` says that this happened.
    """

    name: str
    rses: tuple[RSE, ...]
    seen_at: datetime
    stale: bool = False

    def rse(self, name: str) -> RSE:
        return next(rse for rse in self.rses if rse.name == name)
