"""What steps share that show tokens to a storage: files of the run's own, a job, and its record.

Each token has a file, and another one beside it; the catalogue knows neither, so both stand in
the ledger as dark ones, before they are made.
"""

from collections.abc import Container, Sequence
from datetime import timedelta

from pydantic import JsonValue

from dltest.lake.ports import FileRef, JobKind, JobStatus, TokenTrial
from dltest.model import Footprint, LedgerEntry, LedgerKind
from dltest.steps import bytes as storage_bytes
from dltest.steps.dark import names
from dltest.steps.step import Context, Done, Handle, Outcome, PlaceBody

FILES_A_TOKEN = 2
MOST_BYTES = 64
SPOKEN = "davs"


def known(rules: tuple[str, ...], catalogue: Container[str]) -> tuple[str, ...]:
    """The rules, all of which must be in the catalogue; for validators of bodies."""
    if unknown := [name for name in rules if name not in catalogue]:
        raise ValueError(f"there is no token rule '{unknown[0]}'")
    return rules


def footprint(tokens: int) -> Footprint:
    files = FILES_A_TOKEN * tokens
    return Footprint(files_written=files, bytes_written=files * MOST_BYTES, files_deleted=files)


def begin(
    ctx: Context,
    body: PlaceBody,
    kind: JobKind,
    rules: Sequence[str],
    *,
    lifetime: timedelta | None = None,
    patience: timedelta = timedelta(0),
) -> Outcome:
    """Start the job; each of `rules` has its own file."""
    if former := storage_bytes.former_still_runs(ctx, kind):
        return former
    rse = ctx.targets[body.at]
    entry = LedgerEntry(
        kind=LedgerKind.DARK,
        name=f"{ctx.step_tag}.token",
        rse=rse,
        count=FILES_A_TOKEN * len(rules),
    )
    ctx.ledger.intend(entry)
    urls = ctx.lake.catalogue.urls(rse, names(entry), body.protocol or SPOKEN)
    base = ctx.lake.catalogue.token_base(rse)
    trials = (
        TokenTrial(rule=rule, beside=beside, base=base, lifetime=lifetime, patience=patience)
        for rule, beside in zip(rules, urls[1::2], strict=True)
    )
    files = tuple(
        FileRef(url=url, index=0, size_bytes=MOST_BYTES, trial=trial)
        for url, trial in zip(urls[::2], trials, strict=True)
    )
    return storage_bytes.begin(ctx, kind, rse, files)


def look(ctx: Context, body: PlaceBody, handle: Handle, key: str) -> Outcome:
    """What came of each stands in the evidence under `key`, once all are done."""
    rse = ctx.targets[body.at]
    status = storage_bytes.result(ctx, rse, handle)
    if not isinstance(status, JobStatus):
        return status
    tried: list[JsonValue] = [dict(one.evidence) for one in status.outcomes if not one.code]
    return Done(
        measured={"tokens": len(tried)},
        evidence={"rse": rse, key: tried},
        troubles=storage_bytes.troubles_of(rse, status),
    )
