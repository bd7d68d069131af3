"""What a scenario file says, typed; its field descriptions are what editors show on hover."""

from datetime import timedelta
from typing import Literal

from pydantic import ConfigDict, Field

from dltest.model import Pace, Payload, StepCall
from dltest.model import Schedule as Timetable
from dltest.scenario.values import (
    MAX_FAMILY,
    Cron,
    FileCounts,
    FileSize,
    Interval,
    RSEExpression,
    Section,
    Sentence,
    TimeZone,
    Word,
)
from dltest.units import Duration, Rate, Size, format_size

FORMAT = 1
DEFAULT_SIZE = 2**20
MAX_ROLES = 20
MAX_STEPS = 100
MAX_TAGS = 20
MAX_PARAMETERS = 20
PATH_PATTERN = r"^(payload|limits|targets|steps)(\.[A-Za-z0-9-]+)+$"


class Target(Section):
    """The RSEs that may play one role."""

    rses: RSEExpression = Field(
        description="Rucio RSE expression; every RSE it matches is tried in this role.",
        examples=["dltest=True", "dltest=True&type=disk", "XRD1|XRD2"],
    )
    other_than: tuple[Word, ...] = Field(
        (),
        max_length=MAX_ROLES,
        description="Roles whose RSE this one must differ from; makes links of two roles.",
        examples=[["source"]],
    )


class Files(Section):
    """The files that each run makes, all of one size.

    A family makes a case of each member: `sizes` of each size, `volume` of each number in `files`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "not": {
                "anyOf": [
                    {"required": ["size", "sizes"]},
                    {"required": ["size", "volume"]},
                    {"required": ["sizes", "volume"]},
                ]
            },
            "dependencies": {"volume": ["files"]},
        }
    )

    files: FileCounts = Field(
        1,
        description="How many files one run makes; with `volume`, a list of such numbers.",
        examples=[1, 1000, [1000, 100, 10]],
    )
    size: FileSize | None = Field(
        None, description="Size of each file; 1 MiB without it.", examples=["1 MiB", "2 GB"]
    )
    sizes: tuple[FileSize, ...] | None = Field(
        None,
        min_length=1,
        max_length=MAX_FAMILY,
        description="Sizes of files, for a ladder: one case each.",
        examples=[["1 KiB", "1 MiB", "1 GiB"]],
    )
    volume: FileSize | None = Field(
        None,
        description="Bytes of all files together, the same whatever their number: one case for"
        " each number in `files`.",
        examples=["50 GB"],
    )

    checksum: Literal["any", "leading-zero"] = Field(
        "any",
        description="`leading-zero` makes files whose Adler-32 begins with 0, which software"
        " that keeps checksums as numbers writes too short.",
        examples=["leading-zero"],
    )

    def payloads(self) -> dict[str, Payload]:
        """By variant; without a family a single one, whose variant is ''."""
        special = {"leading_zero": self.checksum == "leading-zero"}
        family = self._family().items()
        return {variant: one.model_copy(update=special) for variant, one in family}

    def _family(self) -> dict[str, Payload]:
        if self.volume is not None:
            volume = self.volume
            members = [Payload(files=n, size_bytes=volume // n) for n in _as_tuple(self.files)]
        elif self.sizes is not None:
            members = [
                Payload(files=n, size_bytes=size)
                for n in _as_tuple(self.files)
                for size in self.sizes
            ]
        else:
            (files,) = _as_tuple(self.files)
            return {"": Payload(files=files, size_bytes=self.size or DEFAULT_SIZE)}
        return {f"{m.files} x {format_size(m.size_bytes)}": m for m in members}


class Links(Section):
    """Which links between two targets are tried; the RSEs of a link always differ."""

    from_: Word = Field(
        alias="from", description="Target role that links begin at.", examples=["source"]
    )
    to: Word = Field(description="Target role that links lead to.", examples=["destination"])
    shape: Literal["all-pairs", "ring", "star", "sample"] = Field(
        "all-pairs",
        description="`ring`: from each RSE to the next by name, and from the last to the first."
        " `star`: from and to the RSEs of `reference`. `sample`: `pairs` links a campaign, others"
        " each time, until all had their turn.",
        examples=["ring"],
    )
    reference: RSEExpression | None = Field(
        None, description="For `star`: the RSEs in its middle.", examples=["XRD1"]
    )
    pairs: int | None = Field(
        None, ge=1, description="For `sample`: how many links a campaign tries.", examples=[400]
    )


class Parameter(Section):
    """A value of the file that a person may set for one run."""

    sets: str = Field(
        pattern=PATH_PATTERN,
        max_length=200,
        description="Where the value stands: keys of this file joined by dots, below `payload`,"
        " `limits`, `targets` or `steps`; steps count from 0.",
        examples=["payload.size", "targets.source.rses", "steps.1.replicate.within"],
    )
    at_most: str | int | None = Field(
        None,
        description="The most that may be set, for sizes, rates, durations and numbers.",
        examples=["1 GiB"],
    )
    description: str | None = Field(
        None, description="What it is, for who sets it.", examples=["Size of the file"]
    )


class Parallel(Section):
    """How many runs of the scenario may be open at once; without a number, any."""

    per_rse: int | None = Field(
        None, ge=1, description="That touch the same RSE, in whatever role.", examples=[2]
    )
    per_link: int | None = Field(
        None, ge=1, description="That cross the same link, in this direction.", examples=[1]
    )


class Limits(Section):
    """What the scenario may take. A plan that would take more is refused before anything runs."""

    duration: Duration = Field(
        timedelta(minutes=30),
        gt=timedelta(0),
        description="Longest time of one run; what is not done by then is overdue.",
        examples=["30m", "1h30m"],
    )
    bytes: Size = Field(
        10 * 10**9,
        description="What all runs of one campaign may write together, copies counted.",
        examples=["10 GB", "1 TiB"],
    )
    files: int = Field(
        100_000,
        ge=1,
        description="How many files all runs of one campaign may write together, copies counted.",
        examples=[1000],
    )
    parallel: Parallel = Field(
        Parallel(),
        description="How many runs may be open at once; the others wait for their turn.",
        examples=[{"per-rse": 2, "per-link": 1}],
    )
    bandwidth: Rate | None = Field(
        None,
        description="What all runs together may write on average; their begins are spaced so.",
        examples=["100 MB/s"],
    )

    def pace(self) -> Pace:
        return Pace(
            per_rse=self.parallel.per_rse,
            per_link=self.parallel.per_link,
            bandwidth=self.bandwidth,
        )


class Schedule(Section):
    """When the scenario runs by itself: exactly one of `every` and `cron`."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["every"]}, {"required": ["cron"]}],
            "dependencies": {"time-zone": ["cron"]},
        }
    )

    every: Interval | None = Field(
        None,
        description="How often. Slots are aligned to the epoch: `6h` is 00, 06, 12 and 18 UTC.",
        examples=["6h"],
    )
    cron: Cron | None = Field(
        None,
        description="Five fields: minute, hour, day of month, month, day of week.",
        examples=["30 2 * * *"],
    )
    time_zone: TimeZone | None = Field(
        None,
        description="Whose clocks `cron` is read by, changes to summer time included; UTC"
        " without it.",
        examples=["Europe/Zurich"],
    )
    jitter: Duration = Field(
        timedelta(0),
        description="Each begin is put off by up to so much, so that not all begin at once;"
        " less than the time between two slots.",
        examples=["20m"],
    )

    def timetable(self) -> Timetable:
        return Timetable(
            every=self.every,
            cron=self.cron,
            time_zone=self.time_zone or "UTC",
            jitter=self.jitter,
        )


class Heading(Section):
    """A scenario file without its steps, which only the step types can read."""

    dltest: Literal[1] = Field(description="Version of the file format.", examples=[1])
    name: Word = Field(
        description="Unique among all scenarios, and kept for ever: history hangs on it.",
        examples=["replicate", "corruption-refused"],
    )
    title: Sentence = Field(
        description="One sentence that says what holds when it passes.",
        examples=["Files can be replicated over every link"],
    )
    description: str | None = Field(
        None,
        description="What it does and what a failure means, for whoever is on shift.",
        examples=["Uploads a file and reads every byte of it back."],
    )
    owner: Sentence = Field(
        description="Who keeps the scenario right.", examples=["data-ops", "jane@example.org"]
    )
    runbook: Sentence | None = Field(
        None, description="Name of the runbook to open when it fails.", examples=["corruption"]
    )
    severity: Literal["info", "warning", "critical"] = Field(
        "warning",
        description="How bad a failure is: `critical` pages somebody.",
        examples=["critical"],
    )
    tags: tuple[Word, ...] = Field(
        (),
        max_length=MAX_TAGS,
        description="Families it belongs to; `--tags` chooses by them.",
        examples=[["core"]],
    )
    targets: dict[Word, Target] = Field(
        {},
        max_length=MAX_ROLES,
        description="Roles that steps speak of, each with the RSEs that may play it. Without any,"
        " the scenario is about the lake as a whole, and has one case.",
        examples=[{"source": {"rses": "dltest=True"}}],
        json_schema_extra={"additionalProperties": False},
    )
    links: Links | None = Field(
        None,
        description="Which links between two targets are tried; all of them without it.",
        examples=[{"from": "source", "to": "destination", "shape": "ring"}],
    )
    payload: Files = Field(
        Files(),
        description="How many files each run makes, and of what size.",
        examples=[{"size": "1 MiB"}],
    )
    limits: Limits = Field(
        Limits(), description="What the scenario may take.", examples=[{"duration": "30m"}]
    )
    schedule: Schedule | None = Field(
        None,
        description="When it runs by itself; without one, only when it is asked to.",
        examples=[{"every": "6h", "jitter": "20m"}],
    )
    control: bool = Field(
        default=False,
        description="Also run each case without the steps that break something and without"
        " expecting refusals: it must pass, or the scenario proves nothing.",
        examples=[True],
    )
    parameters: dict[Word, Parameter] = Field(
        {},
        max_length=MAX_PARAMETERS,
        description="What a person may set for one run, as by `dltest run NAME --set size=10MiB`.",
        examples=[{"size": {"sets": "payload.size", "at-most": "1 GiB"}}],
        json_schema_extra={"additionalProperties": False},
    )


class Scenario(Heading):
    """A declared test, read and checked. Step bodies are carried as JSON, defaults written out."""

    steps: tuple[StepCall, ...]

    @property
    def timetable(self) -> Timetable | None:
        """When it runs by itself; None: only when it is asked to."""
        return self.schedule.timetable() if self.schedule else None


def _as_tuple(files: int | tuple[int, ...]) -> tuple[int, ...]:
    return (files,) if isinstance(files, int) else files
