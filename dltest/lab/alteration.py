"""How a part of the lab can run otherwise than it should, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Alteration:
    """Settings of the server itself, and the manners of a front put before it (`lab.front`).

    An empty one means health. Several on one part add up; of two that set the same thing, the
    later wins.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    manners: Mapping[str, Any] = field(default_factory=dict)

    def __or__(self, other: "Alteration") -> "Alteration":
        return Alteration({**self.settings, **other.settings}, {**self.manners, **other.manners})

    def __bool__(self) -> bool:
        return bool(self.settings or self.manners)


HEALTHY = Alteration()
