"""How a plan differs from an earlier one."""

from collections.abc import Mapping
from dataclasses import dataclass

from dltest.model import Plan


@dataclass(frozen=True, slots=True)
class Difference:
    """Ids of cases, in order; `changed` maps those that stay to the bytes written then and now."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: dict[str, tuple[int, int]]

    @property
    def is_none(self) -> bool:
        return not (self.added or self.removed or self.changed)


def bytes_by_case(planned: Plan) -> dict[str, int]:
    """What is kept of a plan to compare the next one with."""
    return {case.id: case.bytes_written for case in planned.cases}


def difference(before: Mapping[str, int], now: Mapping[str, int]) -> Difference:
    return Difference(
        added=tuple(case for case in now if case not in before),
        removed=tuple(case for case in before if case not in now),
        changed={
            case: (before[case], written)
            for case, written in now.items()
            if case in before and before[case] != written
        },
    )
