"""What an error of Rucio or FTS means, and whom it blames, from its own words."""

import re
from dataclasses import dataclass

from dltest.model import FTS, RUCIO, Blame, Trouble

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
    ("unexpected eof", "connection-lost"),
    ("connection reset", "connection-lost"),
    ("certificate", "storage-untrusted"),
    ("timed out", "storage-timeout"),
    ("timeout", "storage-timeout"),
    ("permission denied", "permission-denied"),
    ("permission refused", "permission-denied"),
    ("no space", "no-space"),
    ("insufficient storage", "no-space"),
    ("http 503", "storage-unreachable"),
    ("size mismatch", "size-mismatch"),
)


@dataclass(frozen=True, slots=True)
class Route:
    source: str | None
    destination: str

    @property
    def link(self) -> Blame:
        return Blame.link(self.source or "?", self.destination)


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
