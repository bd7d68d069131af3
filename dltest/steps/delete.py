"""`delete`: ask Rucio to end the run's dataset, with its rules, replicas and bytes.

The request is all that this step does; `absent` looks whether it was obeyed.
"""

from collections.abc import Mapping
from typing import ClassVar

from dltest.model import Footprint, Payload
from dltest.steps.step import Context, Done, Handle, Outcome, StepBody


class DeleteBody(StepBody):
    """No keys of its own: a run only ever deletes what it made, and all of it."""


class Delete:
    """Expire the dataset: one call, and what ordinary users do by a lifetime."""

    name: ClassVar[str] = "delete"
    title: ClassVar[str] = "End the run's dataset: rules, replicas and bytes go with it"
    checks: ClassVar[bool] = False
    Body = DeleteBody

    def footprint(self, body: DeleteBody, payload: Payload) -> Mapping[str, Footprint]:  # noqa: ARG002
        """Nothing beyond what `upload` and `replicate` count: who writes also deletes."""
        return {}

    def begin(self, ctx: Context, body: DeleteBody) -> Outcome:  # noqa: ARG002
        ctx.lake.catalogue.expire(ctx.dataset)
        return Done(evidence={"dataset": ctx.dataset})

    def look(self, ctx: Context, body: DeleteBody, handle: Handle) -> Outcome:  # noqa: ARG002
        return self.begin(ctx, body)

    def overdue(self, ctx: Context, body: DeleteBody, handle: Handle) -> Done:  # noqa: ARG002
        return Done(evidence={"dataset": ctx.dataset})


DELETE = Delete()
