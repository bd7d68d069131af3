"""What the machine asks for, and what comes of it: the words between machine and driver."""

from dataclasses import dataclass
from datetime import datetime

from dltest.model import Trouble
from dltest.steps import Outcome


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do before `until`; None means never again."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class Start:
    """Open the run."""


@dataclass(frozen=True, slots=True)
class Begin:
    step: int


@dataclass(frozen=True, slots=True)
class Look:
    step: int


@dataclass(frozen=True, slots=True)
class Explain:
    """The step's time is over: ask it what stands in the way."""

    step: int


@dataclass(frozen=True, slots=True)
class TooLate:
    """The run's time was over before the step could begin."""

    step: int


@dataclass(frozen=True, slots=True)
class Conclude:
    """All steps are done, or one of them ended the run: judge it and go on to clean up."""


@dataclass(frozen=True, slots=True)
class CleanBegin:
    pass


@dataclass(frozen=True, slots=True)
class CleanLook:
    pass


@dataclass(frozen=True, slots=True)
class CleanGiveUp:
    pass


Action = (
    Rest
    | Start
    | Begin
    | Look
    | Explain
    | TooLate
    | Conclude
    | CleanBegin
    | CleanLook
    | CleanGiveUp
)
StepAction = Begin | Look | Explain
CleanAction = CleanBegin | CleanLook | CleanGiveUp


@dataclass(frozen=True, slots=True)
class Silent:
    """The lake did not answer. It is asked again until patience runs out."""

    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Refused:
    """The lake answered, and the answer was no."""

    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Broken:
    """dltest itself failed; `traceback` is evidence."""

    trouble: Trouble
    traceback: str


Result = Outcome | Silent | Refused | Broken | None
