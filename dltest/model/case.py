"""One cell of the matrix: a scenario with concrete targets, and the plan that holds the cells."""

from datetime import timedelta

from pydantic import JsonValue

from dltest.model.value import Value

# Stands for all RSEs, and for what they share: Rucio, its daemons, the transfer service.
LAKE = "*"


class Payload(Value):
    """The files a run makes: how many, each of how many bytes.

    With `leading_zero`, of contents whose Adler-32 begins with 0 as eight hex digits.
    """

    files: int
    size_bytes: int
    leading_zero: bool = False

    @property
    def total_bytes(self) -> int:
        return self.files * self.size_bytes


class StepCall(Value):
    """A step of a scenario as a run carries it: the step type's name and its checked body."""

    type: str
    body: dict[str, JsonValue]


class Pace(Value):
    """How much of a scenario may run at once. None is no limit.

    `per_rse` and `per_link` count open cases of the scenario that touch an RSE, or cross the same
    link; `bandwidth` (bytes per second) spaces their beginnings, so that what they write never
    averages more.
    """

    per_rse: int | None = None
    per_link: int | None = None
    bandwidth: float | None = None


class Case(Value):
    """A scenario laid out over concrete RSEs. `targets` maps role -> RSE name, in file order.

    The identity is stable over time, so that the same cell can be followed for years. `variant`
    tells cases of the same targets apart, such as the sizes of a ladder. `disturbs` names the RSEs
    that others cannot use meanwhile, or `LAKE`; `needs_faults` says that it breaks the lake by the
    lake's own operators.
    """

    scenario: str
    targets: dict[str, str]
    payload: Payload
    steps: tuple[StepCall, ...]
    duration_limit: timedelta
    variant: str = ""
    pace: Pace = Pace()
    bytes_written: int = 0
    disturbs: tuple[str, ...] = ()
    needs_faults: bool = False
    control: bool = False
    tags: tuple[str, ...] = ()
    owner: str | None = None
    severity: str = "warning"
    runbook: str | None = None

    @property
    def id(self) -> str:
        """`replicate[XRD1->XRD2]`, `ladder[XRD1->XRD2, 10 x 5 GB]`, `token-issuer[lake]`."""
        place = "->".join(self.targets.values()) or "lake"
        variant = f", {self.variant}" if self.variant else ""
        return f"{self.scenario}[{place}{variant}]"


class Footprint(Value):
    """What cases would do to one RSE: bytes and files written, files deleted or damaged."""

    files_written: int = 0
    bytes_written: int = 0
    files_deleted: int = 0
    bytes_read: int = 0
    files_damaged: int = 0

    def __add__(self, other: "Footprint") -> "Footprint":
        return Footprint(
            files_written=self.files_written + other.files_written,
            bytes_written=self.bytes_written + other.bytes_written,
            files_deleted=self.files_deleted + other.files_deleted,
            bytes_read=self.bytes_read + other.bytes_read,
            files_damaged=self.files_damaged + other.files_damaged,
        )


class Plan(Value):
    """The ordered cases a trigger would run, with their footprint added up per RSE."""

    lake: str
    cases: tuple[Case, ...]
    footprints: dict[str, Footprint]
    stale: bool = False
