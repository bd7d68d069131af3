"""`token-expiry`: until when a storage accepts a token, for each of its uses.

Each use has a token of its own, since a storage remembers what it found out about a token.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from dltest.lake.ports import JobKind
from dltest.lake.token_rules.crossing import PIECE_BYTES, PIECES
from dltest.lake.token_rules.uses import EXPIRIES, GRACE_SECONDS
from dltest.model import Footprint, Payload
from dltest.steps import bytes as storage_bytes
from dltest.steps import token_jobs
from dltest.steps.step import Context, Done, Handle, Outcome, PlaceBody
from dltest.units import Duration

# Beyond what is allowed, so that how long it really was can be told.
LONGER = timedelta(seconds=30)
EVIDENCE = "token_expiry"
# Of the transfers that outlast their token.
LARGE_BYTES = PIECES * PIECE_BYTES


class TokenExpiryBody(PlaceBody):
    lifetime: Duration = Field(
        timedelta(seconds=30), description="How long the tokens live.", examples=["30s"]
    )
    grace: Duration | None = Field(
        None,
        description="For how long after its end a token may be accepted that the storage has seen"
        " before; without it, what the storage's implementation documents.",
        examples=["60s"],
    )

    @property
    def patience(self) -> timedelta:
        longest = timedelta(seconds=max(GRACE_SECONDS.values()))
        return (longest if self.grace is None else self.grace) + LONGER


class TokenExpiry:
    """Reads, lists, writes, deletes and copies until a token is refused; transfers outlast one."""

    name: ClassVar[str] = "token-expiry"
    title: ClassVar[str] = "Use tokens until their end and on, and in transfers that outlast them"
    checks: ClassVar[bool] = True
    Body = TokenExpiryBody

    def footprint(self, body: TokenExpiryBody, payload: Payload) -> Mapping[str, Footprint]:  # noqa: ARG002
        small = token_jobs.footprint(len(EXPIRIES))
        return {body.at: small + Footprint(bytes_written=2 * LARGE_BYTES)}

    def begin(self, ctx: Context, body: TokenExpiryBody) -> Outcome:
        uses, kind = tuple(EXPIRIES), JobKind.TOKEN_EXPIRY
        return token_jobs.begin(
            ctx, body, kind, uses, lifetime=body.lifetime, patience=body.patience
        )

    def look(self, ctx: Context, body: TokenExpiryBody, handle: Handle) -> Outcome:
        if "job" not in handle:
            return self.begin(ctx, body)
        outcome = token_jobs.look(ctx, body, handle, EVIDENCE)
        return _measured(outcome, body) if isinstance(outcome, Done) else outcome

    def overdue(self, ctx: Context, body: TokenExpiryBody, handle: Handle) -> Done:
        return storage_bytes.give_up(ctx, ctx.targets[body.at], handle, JobKind.TOKEN_EXPIRY)


def _measured(done: Done, body: TokenExpiryBody) -> Done:
    """With the grace of each use as a number, and the one that the scenario allows, if it does."""
    told = done.evidence.get(EVIDENCE)
    uses = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    graces = {
        f"grace_{one['use']}_seconds": float(str(one["grace_seconds"]))
        for one in uses
        if one.get("grace_seconds") is not None
    }
    allowed = {} if body.grace is None else {"allowed_seconds": body.grace.total_seconds()}
    return replace(
        done, measured={**done.measured, **graces}, evidence={**done.evidence, **allowed}
    )


TOKEN_EXPIRY = TokenExpiry()
