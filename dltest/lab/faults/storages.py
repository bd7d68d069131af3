"""Faults of one storage element."""

from typing import Any

from dltest.lab import storage
from dltest.lab.alteration import Alteration
from dltest.lab.faults.fault import TARGET, Fault, Stopped

RSES = tuple(element.rse for element in storage.ELEMENTS)
EVERYTHING_BUT_WRITING = "h localhost / lr\n"
EVERYTHING_BUT_DELETING = "h localhost / iklnrw\n"
NOTHING = "h elsewhere.example / a\n"
FULL = {"status": 507, "body": "no space left on device"}


def _stopped(name: str, title: str, how: Stopped) -> Fault:
    return Fault(name, title, part=TARGET, stopped=how, kind="RSE", targets=RSES)


def _settings(name: str, title: str, **settings: Any) -> Fault:
    return Fault(
        name,
        title,
        part=TARGET,
        alteration=Alteration(settings=settings),
        kind="RSE",
        targets=RSES,
    )


def _front(name: str, title: str, **manners: Any) -> Fault:
    return Fault(
        name,
        title,
        part=TARGET,
        alteration=Alteration(manners=manners),
        kind="RSE",
        targets=RSES,
    )


FAULTS = (
    _stopped("storage-down", "the storage server is killed and its port refuses", "down"),
    _stopped("storage-hung", "the storage server takes connections and never answers", "hung"),
    _front(
        "storage-slow",
        "the storage answers after seconds, and bytes trickle",
        delay_seconds=2.0,
        bytes_per_second=20_000,
    ),
    _front(
        "storage-drops",
        "connections are reset in the middle of a file",
        reset_after_bytes=300_000,
    ),
    _front(
        "storage-errors",
        "the storage answers every request with an internal error",
        answers=[{"status": 500, "body": "internal error"}],
    ),
    _front(
        "storage-maintenance",
        "a page for people, `down for maintenance`, stands where the storage was",
        answers=[{"status": 503, "body": "<html>down for maintenance</html>", "kind": "text/html"}],
    ),
    _settings(
        "storage-read-only",
        "the storage can be read, and neither written nor deleted from",
        authdb=EVERYTHING_BUT_WRITING,
    ),
    _front(
        "storage-full",
        "there is no space left: writes are refused, reads and deletions go on",
        answers=[{**FULL, "methods": ["PUT", "COPY", "MKCOL"]}],
    ),
    _settings("storage-refuses", "the storage permits nobody anything", authdb=NOTHING),
    _settings(
        "storage-no-delete",
        "the storage refuses to delete; all else goes on",
        authdb=EVERYTHING_BUT_DELETING,
    ),
    _settings(
        "certificate-expired",
        "the storage's host certificate has run out",
        certificate="expired",
    ),
    _settings(
        "certificate-untrusted",
        "the storage's host certificate is of an authority that nobody trusts",
        certificate="untrusted",
    ),
    _settings(
        "certificate-of-another-host",
        "the storage shows the certificate of another host",
        certificate="of-another-host",
    ),
    _front(
        "storage-lies",
        "the storage says that it has written a file, and keeps damaged bytes",
        uploads="flip",
    ),
    _front(
        "storage-truncates",
        "the storage says that it has written a file, and keeps half of it",
        uploads="truncate",
    ),
    _front(
        "storage-loses",
        "the storage says that it has written a file, and keeps nothing",
        uploads="swallow",
    ),
    _front(
        "storage-misreads",
        "the storage gives other bytes than it was given, and its checksums are right",
        downloads="flip",
    ),
    _front(
        "checksum-lies",
        "the storage says other checksums than its files have",
        lies_about_checksums=True,
    ),
    _settings(
        "storage-no-checksum",
        "the storage cannot say checksums",
        lines={"xrootd.chksum": None},
    ),
)
