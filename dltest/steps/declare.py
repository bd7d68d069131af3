"""`declare-bad` and `declare-suspicious`: tell Rucio of replicas that are not what they should be.

As a data manager does, or a client that had trouble with a file. What Rucio makes of it is for
`repaired`, `lost` and `replica-state` to see.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from pydantic import JsonValue

from dltest.lake.ports import BadState
from dltest.model import RUCIO, Footprint, Payload, Trouble
from dltest.steps import bad_replicas
from dltest.steps.some_files import SomeFilesBody, names, numbers
from dltest.steps.step import Context, Done, Handle, Outcome


class DeclareBody(SomeFilesBody):
    """Nothing but which files, and where."""


class _Declare(ABC):
    """One call, unless an earlier, lost one did it; done when Rucio's list shows it."""

    checks: ClassVar[bool] = True
    Body = DeclareBody
    state: ClassVar[BadState]

    def footprint(self, body: DeclareBody, payload: Payload) -> Mapping[str, Footprint]:
        numbers(body, payload)
        return {}

    def begin(self, ctx: Context, body: DeclareBody) -> Outcome:
        rse, wanted = ctx.targets[body.at], names(ctx, body)
        listed = bad_replicas.since_step_began(ctx, wanted, rse)
        known = {line.name for line in listed if self._is_of_ours(line.state)}
        undeclared = [name for name in wanted if name not in known]
        if undeclared:
            self._declare(ctx, rse, undeclared)
        return self._seen(ctx, rse, wanted)

    def look(self, ctx: Context, body: DeclareBody, handle: Handle) -> Outcome:  # noqa: ARG002
        return self.begin(ctx, body)

    def overdue(self, ctx: Context, body: DeclareBody, handle: Handle) -> Done:  # noqa: ARG002
        return self._seen(ctx, ctx.targets[body.at], names(ctx, body))

    @abstractmethod
    def _declare(self, ctx: Context, rse: str, files: list[str]) -> None:
        """Tell Rucio."""

    def _is_of_ours(self, state: BadState) -> bool:
        """A line that such a declaration made, whatever has become of it."""
        return (state is BadState.SUSPICIOUS) == (self.state is BadState.SUSPICIOUS)

    def _seen(self, ctx: Context, rse: str, wanted: list[str]) -> Done:
        """Rucio's list and the replicas' states, in the moment after."""
        lines = bad_replicas.since_step_began(ctx, wanted, rse)
        listed = {line.name for line in lines if self._is_of_ours(line.state)}
        replicas = ctx.lake.catalogue.replicas(wanted, rse)
        states = sorted({replica.state.value for replica in replicas})
        evidence: dict[str, JsonValue] = {"rse": rse, "states": [*states]}
        missing = [name for name in wanted if name not in listed]
        if not missing:
            return Done(measured={"files": len(wanted)}, evidence=evidence)
        message = (
            f"{len(missing)} replicas at {rse} were declared {self.state}, and Rucio does not list"
            f" them so: {missing[0]}"
        )
        unheard = Trouble(code="not-declared", message=message, blame=RUCIO)
        return Done(evidence=evidence, troubles=(unheard,))


class DeclareBad(_Declare):
    """Rucio calls the replicas BAD, reads them no more, and lets its necromancer repair them."""

    name: ClassVar[str] = "declare-bad"
    title: ClassVar[str] = "Declare the run's replicas at an RSE bad"
    state: ClassVar[BadState] = BadState.BAD

    def _declare(self, ctx: Context, rse: str, files: list[str]) -> None:
        ctx.lake.catalogue.declare_bad(rse, files, bad_replicas.REASON)


class DeclareSuspicious(_Declare):
    """Rucio notes the suspicion, and no replica changes its state."""

    name: ClassVar[str] = "declare-suspicious"
    title: ClassVar[str] = "Declare the run's replicas at an RSE suspicious"
    state: ClassVar[BadState] = BadState.SUSPICIOUS

    def _declare(self, ctx: Context, rse: str, files: list[str]) -> None:
        ctx.lake.catalogue.declare_suspicious(rse, files, bad_replicas.REASON)


DECLARE_BAD = DeclareBad()
DECLARE_SUSPICIOUS = DeclareSuspicious()
