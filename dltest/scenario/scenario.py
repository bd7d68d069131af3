"""What a scenario file says, typed; its field descriptions are what editors show on hover."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from dltest.model import Pace, Payload, StepCall
from dltest.model import Schedule as Timetable
from dltest.scenario.cron import MAX_LENGTH, check_cron, check_time_zone
from dltest.scenario.rse_expression import parse_expression
from dltest.units import Duration, Rate, Size

FORMAT = 1
WORD_PATTERN = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
MAX_FILES = 100_000
MAX_ROLES = 20
MAX_STEPS = 100
MAX_TAGS = 20


def _kebab(name: str) -> str:
    return name.replace("_", "-")


def _word(text: str) -> str:
    if not re.fullmatch(WORD_PATTERN[1:-1], text) or len(text) > 64:
        raise ValueError(
            f"'{text[:40]}' is not a name: write small letters, digits and single dashes, "
            "like upload-many, at most 64"
        )
    return text


def _rse_expression(text: str) -> str:
    parse_expression(text)
    return text


def _sentence(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def _interval(every: timedelta) -> timedelta:
    if every < timedelta(minutes=1):
        raise ValueError("must be at least 1m")
    return every


Word = Annotated[
    str,
    AfterValidator(_word),
    WithJsonSchema({"type": "string", "pattern": WORD_PATTERN, "maxLength": 64}),
]
Sentence = Annotated[
    str, AfterValidator(_sentence), WithJsonSchema({"type": "string", "pattern": r"\S"})
]
Interval = Annotated[Duration, AfterValidator(_interval)]
Cron = Annotated[
    str,
    AfterValidator(check_cron),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\s*(\S+\s+){4}\S+\s*$", "maxLength": MAX_LENGTH}
    ),
]
TimeZone = Annotated[
    str, AfterValidator(check_time_zone), WithJsonSchema({"type": "string", "minLength": 1})
]
RSEExpression = Annotated[
    str, AfterValidator(_rse_expression), WithJsonSchema({"type": "string", "minLength": 1})
]


class Section(BaseModel):
    """A mapping of the file: frozen, kebab-case keys, unknown keys are mistakes."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=_kebab, populate_by_name=True
    )


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
    """The files that each run makes."""

    files: int = Field(
        1, ge=1, le=MAX_FILES, description="How many files one run makes.", examples=[1, 1000]
    )
    size: Size = Field(2**20, ge=1, description="Size of each file.", examples=["1 MiB", "2 GB"])

    def payload(self) -> Payload:
        return Payload(files=self.files, size_bytes=self.size)


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
        min_length=1,
        max_length=MAX_ROLES,
        description="Roles that steps speak of, each with the RSEs that may play it.",
        examples=[{"source": {"rses": "dltest=True"}}],
        json_schema_extra={"additionalProperties": False},
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


class Scenario(Heading):
    """A declared test, read and checked. Step bodies are carried as JSON, defaults written out."""

    steps: tuple[StepCall, ...]

    @property
    def timetable(self) -> Timetable | None:
        """When it runs by itself; None: only when it is asked to."""
        return self.schedule.timetable() if self.schedule else None
