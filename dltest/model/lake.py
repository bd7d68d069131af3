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

    def allows(self, operation: str) -> bool:
        """Whether Rucio may `read`, `write` or `delete` there; of anything else it says nothing."""
        told = {"read": self.readable, "write": self.writable, "delete": self.deletable}
        return told.get(operation, True)

    @property
    def is_for_faults(self) -> bool:
        """Whether its operators agreed that it is broken on purpose, by `dltest-faults=True`."""
        return self.attributes.get("dltest-faults", "").lower() == "true"


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
