"""Why a rule is not OK: whose turn it is, from what Rucio and the transfer service say.

A rule alone cannot tell a dead daemon from a slow link: all say REPLICATING. The order of
questions follows the states that a transfer passes (rucio/core/request.py, FTS3 job states):
the rule's error, the request, then the job at the transfer service.
"""

import re
from dataclasses import dataclass

from dltest.errors import LakeError
from dltest.lake.ports import Rule, RuleState, TransferFile, TransferRequest
from dltest.model import FTS, RUCIO, Blame, Trouble
from dltest.steps.step import Context

# FTS3's reason: `DESTINATION [112] Result Could not connect to server after 1 attempts`
FTS_REASON = re.compile(
    r"(?P<phase>SOURCE|DESTINATION|TRANSFER|STAGING|ARCHIVING|GENERAL_FAILURE)"
    r" \[(?P<errno>\d+)\] (?P<text>.*)",
    re.DOTALL,
)

# First match wins; texts are those of gfal2, davix and XRootD.
REASON_CODES = (
    ("checksum", "checksum-mismatch"),
    ("file exists", "file-exists"),
    ("no such file", "file-missing"),
    ("file not found", "file-missing"),
    ("could not connect", "storage-unreachable"),
    ("connection refused", "storage-unreachable"),
    ("connection error", "storage-unreachable"),
    ("timed out", "storage-timeout"),
    ("timeout", "storage-timeout"),
    ("permission denied", "permission-denied"),
    ("no space", "no-space"),
    ("size mismatch", "size-mismatch"),
)


@dataclass(frozen=True, slots=True)
class Route:
    source: str | None
    destination: str

    @property
    def link(self) -> Blame:
        return Blame.link(self.source or "?", self.destination)


def why(ctx: Context, rule: Rule, route: Route) -> tuple[Trouble, ...]:
    """What stands in the way of this rule, most specific first; never empty."""
    requests = ctx.lake.catalogue.requests(ctx.file_names()[:20], route.destination)
    errors = [rule.error, *(request.error or request.state for request in requests)]
    for text in filter(None, errors):
        if trouble := from_error(text, route):
            return (trouble,)
    pending = next((r for r in requests if r.state != "DONE" or not r.registered_at), None)
    return (_from_request(ctx, rule, pending, route),)


def from_error(text: str, route: Route) -> Trouble | None:
    """The trouble in a rule's or request's own error text, if it names one."""
    if match := FTS_REASON.search(text):
        return _from_reason(match, route)
    if "SUBMISSION_FAILED" in text:
        return Trouble(
            code="submission-failed",
            message=f"Rucio could not hand the transfer to the transfer service: {text}",
            blame=FTS,
        )
    if "NO_SOURCES" in text:
        return Trouble(
            code="no-sources",
            message=f"Rucio finds no source to read from: {text}",
            blame=Blame.site(route.source) if route.source else RUCIO,
        )
    if "MISMATCH_SCHEME" in text:
        return Trouble(
            code="no-common-protocol",
            message=f"the two RSEs share no protocol for third-party copy: {text}",
            blame=route.link,
        )
    if "TRANSFER_FAILED" in text:
        return Trouble(code="transfer-failed", message=text, blame=route.link, phase="TRANSFER")
    return None


def _from_reason(match: re.Match[str], route: Route) -> Trouble:
    text = match["text"].strip()
    lowered = text.lower()
    phase = _phase(match["phase"], lowered)
    code = next((c for needle, c in REASON_CODES if needle in lowered), "transfer-failed")
    return Trouble(
        code=code,
        message=f"transfer {route.source} -> {route.destination}: {match[0].strip()}",
        blame=_blame_of_phase(phase, route),
        phase=phase,
    )


def _phase(told: str, text: str) -> str:
    """FTS calls every wrong checksum a TRANSFER error, and says in its text which end it is at."""
    for end in ("SOURCE", "DESTINATION"):
        if text.startswith(f"{end.lower()} checksum"):
            return end
    return told


def _blame_of_phase(phase: str, route: Route) -> Blame:
    if phase in {"SOURCE", "STAGING"} and route.source:
        return Blame.site(route.source)
    if phase in {"DESTINATION", "ARCHIVING"}:
        return Blame.site(route.destination)
    return route.link


def _from_request(
    ctx: Context, rule: Rule, request: TransferRequest | None, route: Route
) -> Trouble:
    if rule.state is RuleState.INJECT:
        return _rucio("rule-not-injected", "the rule waits for Rucio's judge-injector")
    if request is None:
        return _rucio(
            "no-request", f"rule {rule.id} is {rule.state} and Rucio has no transfer request for it"
        )
    if request.state == "SUBMITTED":
        return _from_job(ctx, request, route)
    if request.state == "DONE":
        return _rucio(
            "not-finished", "the transfer is done, and Rucio's conveyor-finisher has not noted it"
        )
    if request.source is None:
        return _rucio(
            "not-submitted",
            f"the transfer request is {request.state} without a source: Rucio's"
            f" conveyor-submitter does not run, or {route.destination} is blocked for writing",
        )
    return _rucio(
        "not-submitted", f"the transfer request is {request.state}, attempt {request.attempt}"
    )


def _rucio(code: str, message: str) -> Trouble:
    return Trouble(code=code, message=message, blame=RUCIO)


def _from_job(ctx: Context, request: TransferRequest, route: Route) -> Trouble:
    host, job_id = request.transfer_host, request.transfer_id
    if host is None or job_id is None:
        return _rucio("not-submitted", "the request is SUBMITTED and names no transfer job")
    try:
        files = ctx.lake.transfers.files(host, job_id)
    except LakeError as error:
        return error.as_trouble()
    return _from_files(files, f"{host}/jobs/{job_id}", route)


def _from_files(files: list[TransferFile], job: str, route: Route) -> Trouble:
    states = {file.state for file in files}
    if not files:
        return Trouble(code="job-lost", message=f"{job} is not known there", blame=FTS)
    if states <= {"FINISHED", "FAILED", "CANCELED", "NOT_USED"}:
        return _rucio(
            "not-polled",
            f"{job} is {'/'.join(sorted(states))}, and Rucio's conveyor-poller has not noted it",
        )
    if "ACTIVE" in states:
        return Trouble(
            code="transfer-slow",
            message=f"{job} is still ACTIVE",
            blame=route.link,
            phase="TRANSFER",
        )
    return Trouble(
        code="transfer-queued", message=f"{job} is {'/'.join(sorted(states))}", blame=FTS
    )
