"""`lost`: Rucio says that the files are lost, and does not just drop them from their dataset.

When the last replica is bad, Rucio's necromancer takes the file out of its datasets, since nobody
can ever read it there. That must not happen in silence: the list of bad replicas, from which
operators and owners hear of it, must call it LOST.
"""

from collections.abc import Mapping
from typing import ClassVar

from dltest.lake.ports import BadState
from dltest.model import RUCIO, Footprint, Payload, Progress, Trouble
from dltest.steps import bad_replicas, earlier, pace
from dltest.steps.some_files import SomeFilesBody, names, numbers
from dltest.steps.step import Context, Done, Handle, Outcome, Waiting


class LostBody(SomeFilesBody):
    """Nothing but which files, and where their last replica was."""


class Lost:
    """The list of bad replicas until it says LOST; a file that is gone without it is the worst."""

    name: ClassVar[str] = "lost"
    title: ClassVar[str] = "Wait until Rucio reports files as lost"
    checks: ClassVar[bool] = True
    Body = LostBody

    def footprint(self, body: LostBody, payload: Payload) -> Mapping[str, Footprint]:
        numbers(body, payload)
        return {}

    def begin(self, ctx: Context, body: LostBody) -> Outcome:
        return self.look(ctx, body, {})

    def look(self, ctx: Context, body: LostBody, handle: Handle) -> Outcome:
        rse, wanted = ctx.targets[body.at], names(ctx, body)
        # The dataset first: a file that leaves it between the two questions is listed by then.
        kept = set(ctx.lake.catalogue.dataset_files(ctx.dataset))
        unreported = _unreported(ctx, wanted, rse)
        if dropped := [name for name in unreported if name not in kept]:
            return Done(evidence={"rse": rse}, troubles=(_in_silence(dropped),))
        if unreported:
            done = len(wanted) - len(unreported)
            note = Progress(files_done=done, note="not reported as lost")
            return Waiting(handle, pace.pause(ctx.now - ctx.began_at), note)
        return self._reported(ctx, rse, wanted, kept)

    def overdue(self, ctx: Context, body: LostBody, handle: Handle) -> Done:  # noqa: ARG002
        rse = ctx.targets[body.at]
        unreported = _unreported(ctx, names(ctx, body), rse)
        message = (
            f"{len(unreported)} files have no good replica left, and Rucio does not report them as"
            " lost: its necromancer does not run"
        )
        hidden = Trouble(code="loss-not-reported", message=message, blame=RUCIO)
        return Done(evidence={"rse": rse}, troubles=(hidden,))

    def _reported(self, ctx: Context, rse: str, wanted: list[str], kept: set[str]) -> Done:
        seconds = (ctx.now - earlier.ended_at(ctx, "declare-bad")).total_seconds()
        return Done(
            measured={
                "files": len(wanted),
                "reported_seconds": round(seconds, 3),
                "poll_seconds": pace.pause(ctx.now - ctx.began_at).total_seconds(),
            },
            evidence={"rse": rse, "lost": [*wanted[:5]], "left_in_dataset": len(kept - {*wanted})},
        )


def _unreported(ctx: Context, wanted: list[str], rse: str) -> list[str]:
    lines = bad_replicas.latest(ctx, wanted, rse)
    lost = {name for name, line in lines.items() if line.state is BadState.LOST}
    return [name for name in wanted if name not in lost]


def _in_silence(dropped: list[str]) -> Trouble:
    message = (
        f"{len(dropped)} files left their dataset and no list of bad replicas calls them lost:"
        f" {dropped[0]}"
    )
    return Trouble(code="dropped-in-silence", message=message, blame=RUCIO)


LOST = Lost()
