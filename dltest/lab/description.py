"""What a lab is (`lab.json`), what is wished of it (`wish.json`), what is seen (`state.json`)."""

import os
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from dltest.errors import LabError
from dltest.lab.layout import Layout, write_atomically

PartState = Literal[
    "waiting",
    "starting",
    "ready",
    "done",
    "restarting",
    "failed",
    "down",
    "hung",
    "altered",
    "stopped",
]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The document, or nothing where there is no file."""
        try:
            return cls.model_validate_json(path.read_text())
        except FileNotFoundError:
            return None
        except PermissionError as denied:
            raise LabError(f"{path} cannot be read by you; run this as its owner") from denied
        except ValidationError as damage:
            raise LabError(
                f"{path} is damaged; start afresh with `dltest lab down --purge` and `lab up`"
            ) from damage

    def write(self, path: Path) -> None:
        write_atomically(path, self.model_dump_json(indent=1) + "\n", mode=0o600)


class Lab(_Document):
    """What stays the same for the life of a lab."""

    format: Literal[1] = 1
    root: Path
    release: str
    rucio_python: Path
    dltest_python: Path
    code: Path
    ports: dict[str, int]
    passwords: dict[str, str]

    @property
    def layout(self) -> Layout:
        return Layout(self.root)

    def url(self, part: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.ports[part]}"


class BrokenThing(_Document):
    """One fault that somebody injected and has not healed yet.

    `by` is whose it is, a run's id say; the same fault may be wanted by several, and is over once
    none of them wants it any more.
    """

    fault: str
    target: str | None = None
    since: datetime
    by: str = ""


class Wish(_Document):
    """What the supervisor shall make true.

    Whenever `renewal` grows, every part that needs Rucio's database starts anew: it was thrown
    out of it, and some only notice long after.
    """

    service: bool = False
    broken: tuple[BrokenThing, ...] = ()
    renewal: int = 0


class PartSeen(_Document):
    """One part as the supervisor sees it; `wanted` is what keeps it from being ready."""

    name: str
    state: PartState
    pid: int | None = None
    port: int | None = None
    log: Path | None = None
    restarts: int = 0
    started_at: float | None = None
    message: str | None = None


class State(_Document):
    """The supervisor's last word; only true while it holds its lock.

    `renewal` is the wish's, once no process from before it is left.
    """

    supervisor: int
    started_at: float
    parts: tuple[PartSeen, ...] = ()
    broken: tuple[BrokenThing, ...] = ()
    service: bool = False
    renewal: int = 0
    trouble: str | None = None

    @property
    def is_ready(self) -> bool:
        return bool(self.parts) and all(part.state in ("ready", "done") for part in self.parts)

    def part(self, name: str) -> PartSeen | None:
        return next((part for part in self.parts if part.name == name), None)


def read_lab(folder: Path) -> Lab | None:
    """The lab in that folder, if there is one."""
    return Lab.read(Layout(Path(os.path.realpath(folder))).description)
