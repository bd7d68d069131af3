"""What a run is worth: the five verdicts, and the one table of how each is shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Ordered from the mildest to the worst; `worst_of` merges by that order."""

    SKIPPED = "skipped"
    PASSED = "passed"
    DEGRADED = "degraded"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"

    @property
    def face(self) -> "Face":
        return FACES[self]


@dataclass(frozen=True, slots=True)
class Face:
    """How one verdict is told: to shift crews, CI systems, dashboards and the shell.

    `code` is the value of the `dltest_case_verdict` metric and the rank of the verdict.
    `letter` carries the meaning where colour cannot. `colour` is from the Okabe-Ito palette
    (https://jfly.uni-koeln.de/color/), which people with any common colour blindness tell apart.
    """

    code: int
    shift_word: str
    exit_code: int
    letter: str
    colour: str


FACES: dict[Verdict, Face] = {
    Verdict.SKIPPED: Face(0, "DOWNTIME", 0, "–", "#7b8ba3"),  # noqa: RUF001 - a dash people see
    Verdict.PASSED: Face(1, "OK", 0, "P", "#009e73"),
    Verdict.DEGRADED: Face(2, "WARNING", 0, "D", "#e69f00"),
    Verdict.INCONCLUSIVE: Face(3, "UNKNOWN", 3, "?", "#9a7fb8"),
    Verdict.FAILED: Face(4, "CRITICAL", 1, "F", "#d55e00"),
}


def worst_of(verdicts: Iterable[Verdict]) -> Verdict:
    """The maximum by rank; nothing at all is `skipped`."""
    return max(verdicts, key=lambda verdict: verdict.face.code, default=Verdict.SKIPPED)


def exit_code_of(verdicts: Iterable[Verdict], *, strict: bool = False) -> int:
    """The shell's answer for a whole campaign; `strict` counts `degraded` as a failure."""
    worst = worst_of(verdicts)
    if strict and worst is Verdict.DEGRADED:
        return Verdict.FAILED.face.exit_code
    return worst.face.exit_code
