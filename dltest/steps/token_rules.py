"""`token-rules`: what a storage does with tokens that are right, and with those that are wrong.

All rules in one storage job, each at a file of its own, which only the run's own token may have
made before. What came of each stands in the record; whether that is well is the judge's business.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, JsonValue, field_validator

from dltest.lake.ports import FileOutcome, FileRef, JobKind, JobStatus, TokenTrial
from dltest.lake.token_rules.catalogue import RULES
from dltest.model import Blame, Footprint, LedgerEntry, LedgerKind, Party, Payload, Trouble
from dltest.steps import bytes as storage_bytes
from dltest.steps.dark import names
from dltest.steps.step import Context, Done, Handle, Outcome, PlaceBody

# Each rule has its file, and another one beside it: somewhere else to be kept from.
FILES_A_RULE = 2
MOST_BYTES = 64


class TokenRulesBody(PlaceBody):
    rules: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="Names of the rules that are tried; all of them without it.",
        examples=[["reads", "expired", "wrong-audience"]],
    )

    @field_validator("rules")
    @classmethod
    def _known(cls, rules: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if unknown := [name for name in rules or () if name not in RULES]:
            raise ValueError(f"there is no token rule '{unknown[0]}'")
        return rules

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
        files = FILES_A_RULE * len(body.names)
        written = Footprint(
            files_written=files, bytes_written=files * MOST_BYTES, files_deleted=files
        )
        return {body.at: written}

    def begin(self, ctx: Context, body: TokenRulesBody) -> Outcome:
        if former := storage_bytes.former_still_runs(ctx, JobKind.TOKEN):
            return former
        rse = ctx.targets[body.at]
        entry = _entry(ctx, rse, body)
        ctx.ledger.intend(entry)
        return storage_bytes.begin(ctx, JobKind.TOKEN, rse, _files(ctx, body, entry))

    def look(self, ctx: Context, body: TokenRulesBody, handle: Handle) -> Outcome:
        if "job" not in handle:
            return self.begin(ctx, body)
        rse = ctx.targets[body.at]
        status = storage_bytes.result(ctx, rse, handle)
        if not isinstance(status, JobStatus):
            return status
        tried: list[JsonValue] = [dict(one.evidence) for one in status.outcomes if not one.code]
        troubles = tuple(_trouble(rse, one) for one in status.outcomes if one.code)
        return Done(
            measured={"rules": len(tried)},
            evidence={"rse": rse, "token_rules": tried},
            troubles=troubles[: storage_bytes.TROUBLES_SHOWN],
            known=all(trouble.blame.party is Party.SITE for trouble in troubles),
        )

    def overdue(self, ctx: Context, body: TokenRulesBody, handle: Handle) -> Done:
        return storage_bytes.give_up(ctx, ctx.targets[body.at], handle, JobKind.TOKEN)


def _base(ctx: Context, rse: str) -> str:
    """The part of the RSE's paths that paths in tokens leave out, in Rucio's own attribute."""
    return ctx.lake.catalogue.inventory().rse(rse).attributes.get("oidc_base_path", "/")


def _entry(ctx: Context, rse: str, body: TokenRulesBody) -> LedgerEntry:
    return LedgerEntry(
        kind=LedgerKind.DARK,
        name=f"{ctx.step_tag}.token",
        rse=rse,
        count=FILES_A_RULE * len(body.names),
    )


def _files(ctx: Context, body: TokenRulesBody, entry: LedgerEntry) -> tuple[FileRef, ...]:
    urls = ctx.lake.catalogue.urls(str(entry.rse), names(entry), body.protocol or "davs")
    base = _base(ctx, str(entry.rse))
    trials = (
        TokenTrial(rule=rule, beside=beside, base=base)
        for rule, beside in zip(body.names, urls[1::2], strict=True)
    )
    return tuple(
        FileRef(url=url, index=0, size_bytes=MOST_BYTES, trial=trial)
        for url, trial in zip(urls[::2], trials, strict=True)
    )


def _trouble(rse: str, outcome: FileOutcome) -> Trouble:
    """Why a rule could not be tried: the storage, unless the outcome names somebody else."""
    told = outcome.evidence.get("blame")
    return Trouble(
        code=outcome.code or "storage-error",
        message=f"{rse}: {outcome.detail}",
        blame=Blame.parse(str(told)) if told else Blame.site(rse),
    )


TOKEN_RULES = TokenRules()
