"""What a mover is told and what it tells: one JSON order on stdin, JSON lines on stdout.

Plain dataclasses: a mover starts for every job, and must not wait for heavier imports.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FileOrder:
    """One file: its URL, the number of its payload, and what it should hold.

    For a token rule: the token to try it with and its claims, or why it cannot be tried.
    """

    url: str
    index: int
    size_bytes: int
    adler32: str | None = None
    damage: str | None = None
    behind: bool = False
    rule: str | None = None
    beside: str | None = None
    bearer: str | None = field(default=None, repr=False)
    claims: dict[str, Any] = field(default_factory=dict)
    untried: str | None = None
    patience_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Order:
    """One job. The bearer comes this way so that it stands in no argument and no environment.

    `spool` is a folder of the job's own; `parent` the process whose end is the mover's end; `disk`
    what the storage's server exports, where this machine has it.
    """

    kind: str
    seed: str
    files: tuple[FileOrder, ...]
    spool: str
    parallel_files: int
    limit_seconds: int
    parent: int
    bearer: str | None = field(default=None, repr=False)
    disk: str | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Order":
        document: dict[str, Any] = json.loads(text)
        files = tuple(FileOrder(**one) for one in document.pop("files"))
        return cls(files=files, **document)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one file; the fields of `ports.FileOutcome`."""

    url: str
    code: str | None = None
    answered: bool = True
    detail: str = ""
    adler32: str | None = None
    size_bytes: int | None = None
    present: bool | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Advance:
    """How far the whole job is; `seconds` counts the time in which bytes moved."""

    files_done: int
    bytes_done: int
    seconds: float
