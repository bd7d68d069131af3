"""Every error dltest raises on purpose.

    DltestError
    ├── SettingsError            the configuration cannot be used
    ├── ScenarioError            a scenario file is wrong; carries every problem at once
    ├── ParameterError           a person set a parameter that is unknown, or to what it cannot be
    ├── PlanError                a scenario cannot be laid out over this lake
    │   ├── NoTargetError        an RSE expression matched nothing usable
    │   ├── OverBudgetError      more bytes, files or time than the limits allow
    │   └── NotPermittedError    an RSE does not allow what a step would do
    ├── LakeError                the lake did not do or did not answer what was asked
    │   ├── CatalogueError       Rucio
    │   ├── StorageError         a storage element
    │   ├── TransferError        the transfer service
    │   ├── CredentialError      tokens, passwords, certificates
    │   └── FaultError           a lake that may be broken on purpose was not broken or healed
    ├── StoreError               dltest's own database
    └── LabError                 the lab cannot be brought up, broken, healed or taken down

A broken expectation is not an error: steps return it as a `Trouble`, and the judge reads it.
"""

from dataclasses import dataclass

from dltest.model import DLTEST, FTS, IDENTITY, RUCIO, SCENARIO, Blame, Trouble
from dltest.model.redaction import redacted


class DltestError(Exception):
    """The root; catching it catches what dltest foresaw, and nothing else."""


class SettingsError(DltestError):
    """The configuration is missing or wrong; the message names the file or variable to mend."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in a scenario file; line and column count from 1."""

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.message}"


class ScenarioError(DltestError):
    """All the mistakes of one or more scenario files."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ParameterError(DltestError):
    """A parameter of an ad-hoc run is unknown, or cannot have the value that a person set."""


class PlanError(DltestError):
    """A scenario cannot be laid out over this lake."""


class NoTargetError(PlanError):
    """An RSE expression matched nothing usable."""


class OverBudgetError(PlanError):
    """More bytes, files or time than the limits allow."""


class NotPermittedError(PlanError):
    """An RSE does not allow what a step would do."""


class LakeError(DltestError):
    """The lake did not do, or did not answer, what was asked.

    `code` is the finding code it becomes; `retryable` says whether the same call may succeed
    later without anybody acting; `answered` whether the lake refused (a fact about the lake)
    rather than stayed silent (we do not know).
    """

    default_blame: Blame = DLTEST

    def __init__(
        self,
        message: str,
        *,
        code: str,
        operation: str,
        rse: str | None = None,
        blame: Blame | None = None,
        retryable: bool = False,
        answered: bool = True,
    ) -> None:
        super().__init__(redacted(message))
        self.code = code
        self.operation = operation
        self.rse = rse
        self.blame = blame or self.default_blame
        self.retryable = retryable
        self.answered = answered

    def as_trouble(self) -> Trouble:
        return Trouble(code=self.code, message=str(self), blame=self.blame)


class CatalogueError(LakeError):
    """Rucio refused or did not answer."""

    default_blame = RUCIO


class StorageError(LakeError):
    """A storage element refused or did not answer; blames its site unless told otherwise."""

    def __init__(self, message: str, *, rse: str, code: str, operation: str, **facts: bool) -> None:
        super().__init__(
            message, code=code, operation=operation, rse=rse, blame=Blame.site(rse), **facts
        )


class TransferError(LakeError):
    """The transfer service refused or did not answer."""

    default_blame = FTS


class CredentialError(LakeError):
    """A token, password or certificate was not accepted or could not be had."""

    default_blame = IDENTITY


NO_SUCH_FAULT = "no-such-fault"


class FaultError(LakeError):
    """A fault could not be injected or healed: says nothing of the lake, so never fails a run."""

    def __init__(self, message: str, *, operation: str, is_known: bool = True) -> None:
        super().__init__(
            message,
            code="fault-not-injected" if is_known else NO_SUCH_FAULT,
            operation=operation,
            blame=DLTEST if is_known else SCENARIO,
            retryable=is_known,
            answered=False,
        )


class StoreError(DltestError):
    """dltest's own database is out of reach or refused a write."""


class LabError(DltestError):
    """The lab cannot do what was asked; the message ends with the remedy."""
