"""What a step is: a YAML shape, and functions that begin it, look at it and explain its delay.

Rules every step keeps: nothing sleeps; `begin` and `look` can be repeated after a crash at any
point without a second effect; the ledger is written before anything is made outside; a step
reports what happened and never judges it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from dltest.lake.payload import leading_zero
from dltest.lake.ports import FileRef, LakePorts, Ledger
from dltest.model import Footprint, Payload, Progress, StepRecord, Trouble, Watch
from dltest.units import Duration, Rate

Handle = dict[str, JsonValue]


def kebab(name: str) -> str:
    return name.replace("_", "-")


class Expect(BaseModel):
    """What the step must come to. Anything else is a finding."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=kebab, populate_by_name=True
    )

    outcome: str = Field(
        "done",
        pattern="^(done|refused|overdue)$",
        description="`done`, `refused` by the lake, or `overdue`: not done in time.",
        examples=["done", "refused", "overdue"],
    )
    reason: str | None = Field(
        None,
        description="For `refused` and `overdue`: the finding code, or a part of it.",
        examples=["checksum"],
    )
    phase: str | None = Field(
        None,
        pattern="^(SOURCE|DESTINATION|TRANSFER|STAGING|ARCHIVING)$",
        description="For `refused`: the phase of the transfer in which it must be, as FTS says.",
        examples=["SOURCE"],
    )
    blame: str | None = Field(
        None,
        description="For `refused` and `overdue`: who must be blamed: a target role for the site of"
        " its RSE, or `link`, `rucio`, `fts`, `identity`.",
        examples=["bad", "fts"],
    )
    states: tuple[str, ...] = Field(
        (),
        max_length=10,
        description="States that the rule must be seen to pass, in this order, in Rucio's words.",
        examples=[["REPLICATING", "STUCK"]],
    )
    rate: Rate | None = Field(
        None, description="Slower than this is `degraded`.", examples=["5 MB/s"]
    )
    time: Duration | None = Field(
        None, description="Done later than this after its begin is `degraded`.", examples=["30s"]
    )


class StepBody(BaseModel):
    """What every step's body may hold; each step type adds its own keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=kebab, populate_by_name=True
    )

    within: Duration = Field(
        timedelta(minutes=10), description="Deadline of the step.", examples=["10m"]
    )
    expect: Expect = Field(
        Expect(),
        description="What must happen; default: it is done.",
        examples=[{"outcome": "refused", "reason": "checksum"}, {"rate": "5 MB/s"}],
    )

    retries: int = Field(
        0,
        ge=0,
        le=10,
        description="How often it is tried again when it does not come to what it should;"
        " each attempt is recorded, and one that was needed makes the run `degraded`.",
        examples=[2],
    )

    def roles(self) -> tuple[str, ...]:
        """The target roles that this step names."""
        return ()


StorageProtocol = Literal["root", "davs", "dav"]


class StorageStepBody(StepBody):
    """Of steps that talk to a storage themselves."""

    protocol: StorageProtocol | None = Field(
        None,
        description="How the storage is talked to; without it, as the lake file prefers."
        " An RSE that does not offer it gives the finding `no-common-protocol`.",
        examples=["davs"],
    )


class PlaceBody(StorageStepBody):
    """Of steps that work at one RSE."""

    at: str = Field(description="Target role of the RSE.", examples=["storage"])

    def roles(self) -> tuple[str, ...]:
        return (self.at,)


@dataclass(frozen=True, slots=True)
class Done:
    """The step came to its end. With `troubles` the lake refused, or did it wrong.

    `known` is False when the end says nothing of the lake, since dltest itself failed.
    """

    measured: Mapping[str, float] = field(default_factory=dict)
    evidence: Mapping[str, JsonValue] = field(default_factory=dict)
    troubles: tuple[Trouble, ...] = ()
    known: bool = True


@dataclass(frozen=True, slots=True)
class Waiting:
    """The step wants to be looked at again in `look_again_in`; `handle` is all it remembers.

    With a `watch` it need not be, as long as what it waits for stands as it was seen.
    """

    handle: Handle
    look_again_in: timedelta
    progress: Progress | None = None
    watch: Watch | None = None


Outcome = Done | Waiting


def job_id(run_id: str, step: int, attempt: int, what: str) -> str:
    """The id of a step's storage job. An attempt never finds the job of the one before it."""
    return f"{run_id}.{step}.{attempt}.{what}" if attempt else f"{run_id}.{step}.{what}"


@dataclass(frozen=True, slots=True)
class Context:
    """What a step may know and use. `now` is given, never asked of a clock."""

    run_id: str
    step: int
    targets: Mapping[str, str]
    payload: Payload
    lake: LakePorts
    ledger: Ledger
    earlier: tuple[StepRecord, ...]
    began_at: datetime
    deadline: datetime
    data_lifetime: timedelta
    now: datetime
    attempt: int = 0

    @property
    def dataset(self) -> str:
        """The one dataset of the run; every DID name of the run starts with it."""
        return f"dltest.{self.run_id}"

    @property
    def step_tag(self) -> str:
        """What the tags of all the step's rules start with, whichever attempt made them."""
        return f"{self.dataset}.{self.step}"

    @property
    def rule_tag(self) -> str:
        return f"{self.step_tag}.{self.attempt}" if self.attempt else self.step_tag

    def file_names(self) -> list[str]:
        return [f"{self.dataset}.{index:06d}" for index in range(self.payload.files)]

    def refs(self, rse: str, protocol: str | None = None) -> tuple[FileRef, ...]:
        """The run's files as they lie at the RSE, by this protocol or the lake's usual one."""
        urls = self.lake.catalogue.urls(rse, self.file_names(), protocol)
        return tuple(
            FileRef(url=url, index=self._content(index), size_bytes=self.payload.size_bytes)
            for index, url in enumerate(urls)
        )

    def _content(self, index: int) -> int:
        """The number of the payload that file `index` holds."""
        if not self.payload.leading_zero:
            return index
        return leading_zero(self.run_id, index, self.payload.size_bytes)

    def job_id(self, what: str) -> str:
        return job_id(self.run_id, self.step, self.attempt, what)


def breaks(step: "Step[Any]") -> bool:
    """Whether a step type damages something on purpose: it has a true class attribute `breaks`.

    A control case leaves such steps out.
    """
    return bool(getattr(step, "breaks", False))


def breaking_keys(step: "Step[Any]") -> frozenset[str]:
    """Keys of a step's body that break something: it has them as class attribute `breaking_keys`.

    A control case leaves these out, and does the rest of the step.
    """
    return frozenset(getattr(step, "breaking_keys", ()))


def disturbs(step: "Step[Any]", body: StepBody) -> tuple[str, ...]:
    """The roles of the RSEs that nobody else can use while the step's effect lasts, or `LAKE`.

    A step type says so by a method of this name; most disturb nobody.
    """
    told = getattr(step, "disturbs", None)
    return tuple(told(body)) if told else ()


def needs_faults(step: "Step[Any]") -> bool:
    """Whether a step type works through `LakePorts.faults`, which most lakes do not have."""
    return bool(getattr(step, "needs_faults", False))


BodyT = TypeVar("BodyT", bound=StepBody)


class Step(Protocol[BodyT]):
    """A step type. Register an instance under the entry-point group `dltest.steps`."""

    name: ClassVar[str]
    title: ClassVar[str]
    checks: ClassVar[bool]
    """Whether it asserts something about the lake; a scenario of steps that never do is refused."""
    Body: type[BodyT]

    def footprint(self, body: BodyT, payload: Payload) -> Mapping[str, Footprint]:
        """What one run would do, per target role; added up into the plan."""

    def begin(self, ctx: Context, body: BodyT) -> Outcome:
        """Set it going. Repeatable: finds what an earlier, lost call made."""

    def look(self, ctx: Context, body: BodyT, handle: Handle) -> Outcome:
        """See how far it is."""

    def overdue(self, ctx: Context, body: BodyT, handle: Handle) -> Done:
        """The deadline has passed: say what stands in the way, and with whom."""
