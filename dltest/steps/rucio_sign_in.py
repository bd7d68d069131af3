"""`rucio-sign-in`: tokens that Rucio's server must let in, tokens that it must not, and their end.

By plain HTTP, since Rucio's client signs in anew when it is refused, which would hide the refusal.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from pydantic import Field, JsonValue, field_validator

from dltest.lake.ports import FileRef, JobKind, JobStatus, StorageJob, TokenTrial
from dltest.lake.token_rules.at_rucio import EXPIRY, SIGN_INS
from dltest.model import RUCIO, Blame, Footprint, Payload
from dltest.steps import bytes as storage_bytes
from dltest.steps.step import Context, Done, Handle, Outcome, StepBody
from dltest.steps.token_jobs import known
from dltest.units import Duration

# Stands for the RSE of a storage job; nobody's bytes move.
PLACE = "Rucio"
PATIENCE = timedelta(seconds=30)


class RucioSignInBody(StepBody):
    lifetime: Duration = Field(
        timedelta(seconds=20),
        description="How long the token lives that is used until its end and on.",
        examples=["20s"],
    )
    tolerate: tuple[str, ...] = Field(
        (),
        description="Rules that are known not to be kept: tried and recorded, and not held against"
        " Rucio.",
        examples=[["sign-in-not-yet-valid"]],
    )

    @field_validator("tolerate")
    @classmethod
    def _known(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        return known(rules, SIGN_INS)


class RucioSignIn:
    """Each token is shown once; one more until its end, and on until it is refused."""

    name: ClassVar[str] = "rucio-sign-in"
    title: ClassVar[str] = "Show Rucio tokens that it must let in, and tokens that it must not"
    checks: ClassVar[bool] = True
    Body = RucioSignInBody

    def footprint(self, body: RucioSignInBody, payload: Payload) -> Mapping[str, Footprint]:  # noqa: ARG002
        return {}

    def begin(self, ctx: Context, body: RucioSignInBody) -> Outcome:
        job = StorageJob(
            id=ctx.job_id(JobKind.SIGN_IN.value),
            kind=JobKind.SIGN_IN,
            rse=PLACE,
            seed=ctx.run_id,
            files=_files(body),
            limit=max(ctx.deadline - ctx.now, timedelta(seconds=1)),
        )
        ctx.lake.storage.start(job)
        return storage_bytes.wait({"job": job.id}, ctx.lake.storage.look(job.id))

    def look(self, ctx: Context, body: RucioSignInBody, handle: Handle) -> Outcome:
        if "job" not in handle:
            return self.begin(ctx, body)
        status = storage_bytes.result(ctx, PLACE, handle)
        if not isinstance(status, JobStatus):
            return status
        tried: list[JsonValue] = [dict(one.evidence) for one in status.outcomes if not one.code]
        troubles = storage_bytes.troubles_of(PLACE, status)
        # The session of our own client goes on, with a fresh token of its own.
        ctx.lake.catalogue.inventory()
        return Done(
            measured={"tokens": len(tried)},
            evidence={
                "place": str(RUCIO),
                "token_rules": [one for one in tried if isinstance(one, dict) and "rule" in one],
                "tolerated": list(body.tolerate),
                "token_expiry": [one for one in tried if isinstance(one, dict) and "use" in one],
            },
            troubles=tuple(one.model_copy(update={"blame": RUCIO}) for one in troubles),
            known=not troubles,
        )

    def overdue(self, ctx: Context, body: RucioSignInBody, handle: Handle) -> Done:  # noqa: ARG002
        done = storage_bytes.give_up(ctx, PLACE, handle, JobKind.SIGN_IN)
        at_rucio = Blame.site(PLACE)
        troubles = (
            one.model_copy(update={"blame": RUCIO}) if one.blame == at_rucio else one
            for one in done.troubles
        )
        return Done(evidence={"place": str(RUCIO)}, troubles=tuple(troubles), known=done.known)


def _files(body: RucioSignInBody) -> tuple[FileRef, ...]:
    """No files, but as storage jobs have them: one for each token that is shown."""
    once = [TokenTrial(rule=name, beside="") for name in SIGN_INS]
    on = TokenTrial(rule=EXPIRY, beside="", lifetime=body.lifetime, patience=PATIENCE)
    urls = (f"rucio:{number}" for number in range(len(once) + 1))
    return tuple(
        FileRef(url=url, index=0, size_bytes=0, trial=trial)
        for url, trial in zip(urls, [*once, on], strict=True)
    )


RUCIO_SIGN_IN = RucioSignIn()
