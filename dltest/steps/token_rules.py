"""`token-rules`: what a storage does with tokens that are right, and with those that are wrong.

All rules in one storage job. What came of each stands in the record; whether that is well is the
judge's business.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from pydantic import Field, field_validator

from dltest.lake.ports import JobKind
from dltest.lake.token_rules.catalogue import RULES
from dltest.model import Footprint, Payload
from dltest.steps import bytes as storage_bytes
from dltest.steps import token_jobs
from dltest.steps.step import Context, Done, Handle, Outcome, PlaceBody


class TokenRulesBody(PlaceBody):
    rules: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="Names of the rules that are tried; all of them without it.",
        examples=[["reads", "expired", "wrong-audience"]],
    )

    tolerate: tuple[str, ...] = Field(
        (),
        description="Rules that are known not to be kept: tried and recorded, and not held against"
        " the storage.",
        examples=[["path-prefix"]],
    )

    @field_validator("rules", "tolerate")
    @classmethod
    def _known(cls, rules: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return rules and token_jobs.known(rules, RULES)

    @property
    def names(self) -> tuple[str, ...]:
        return self.rules or tuple(RULES)


class TokenRules:
    """Rules in the catalogue's order; the matrix of RSEs and rules is made of such records."""

    name: ClassVar[str] = "token-rules"
    title: ClassVar[str] = "Try tokens that must be accepted, and tokens that must be refused"
    checks: ClassVar[bool] = True
    Body = TokenRulesBody

    def footprint(self, body: TokenRulesBody, payload: Payload) -> Mapping[str, Footprint]:  # noqa: ARG002
        return {body.at: token_jobs.footprint(len(body.names))}

    def begin(self, ctx: Context, body: TokenRulesBody) -> Outcome:
        return token_jobs.begin(ctx, body, JobKind.TOKEN, body.names)

    def look(self, ctx: Context, body: TokenRulesBody, handle: Handle) -> Outcome:
        if "job" not in handle:
            return self.begin(ctx, body)
        outcome = token_jobs.look(ctx, body, handle, "token_rules")
        if not isinstance(outcome, Done):
            return outcome
        return replace(outcome, evidence={**outcome.evidence, "tolerated": list(body.tolerate)})

    def overdue(self, ctx: Context, body: TokenRulesBody, handle: Handle) -> Done:
        return storage_bytes.give_up(ctx, ctx.targets[body.at], handle, JobKind.TOKEN)


TOKEN_RULES = TokenRules()
