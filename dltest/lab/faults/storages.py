"""Faults of one storage element."""

from dataclasses import replace
from typing import Any

from dltest.lab import storage
from dltest.lab.alteration import Alteration
from dltest.lab.faults.fault import OTHER, RSE, TARGET, Drill, Fault, Notice, Stopped
from dltest.lab.front.manners import Unchecked

RSES = storage.OPEN_RSES + storage.TOKEN_RSES
EVERYTHING_BUT_WRITING = "h localhost / lr\n"
EVERYTHING_BUT_DELETING = "h localhost / iklnrw\n"
NOTHING = "h elsewhere.example / a\n"
FULL = {"status": 507, "body": "no space left on device"}
SITE = f"site {RSE}"


def _of_storage(name: str, title: str, drill: Drill, **effect: Any) -> Fault:
    return Fault(name, title, part=TARGET, kind="RSE", targets=RSES, drills=(drill,), **effect)


def _stopped(name: str, title: str, how: Stopped, drill: Drill) -> Fault:
    return _of_storage(name, title, drill, stopped=how)


def _settings(name: str, title: str, drill: Drill, **settings: Any) -> Fault:
    return _of_storage(name, title, drill, alteration=Alteration(settings=settings))


def _front(name: str, title: str, drill: Drill, **manners: Any) -> Fault:
    return _of_storage(name, title, drill, alteration=Alteration(manners=manners))


def _rights(name: str, title: str, drill: Drill, authdb: str) -> Fault:
    """Where SciTokens decides, nobody asks the authorisation database."""
    fault = _settings(name, title, drill, authdb=authdb)
    return replace(fault, targets=storage.OPEN_RSES)


def _hole(name: str, title: str, unchecked: Unchecked) -> Fault:
    """One rule of tokens that the storage does not keep."""
    notice = Notice("token-rules", (RSE,), "token-rules", ("token-not-refused",), SITE)
    fault = _front(name, title, Drill((notice,), (RSE,)), unchecked=unchecked)
    return replace(fault, targets=storage.TOKEN_RSES)


def _at_upload(*codes: str) -> Drill:
    """Whoever writes there notices at once."""
    return Drill((Notice("upload", (RSE,), "upload", codes, SITE),), (RSE,))


def _at_download(*codes: str) -> Drill:
    return Drill((Notice("download", (RSE,), "download", codes, SITE),), (RSE,))


FAULTS = (
    _stopped(
        "storage-down",
        "the storage server is killed and its port refuses",
        "down",
        _at_upload("storage-unreachable"),
    ),
    _stopped(
        "storage-hung",
        "the storage server takes connections and never answers",
        "hung",
        _at_upload("storage-timeout"),
    ),
    _front(
        "storage-slow",
        "the storage answers after seconds, and bytes trickle",
        _at_upload("storage-timeout"),
        delay_seconds=2.0,
        bytes_per_second=20_000,
    ),
    _front(
        "storage-drops",
        "connections are reset in the middle of a file",
        _at_upload("storage-unreachable", "storage-error"),
        reset_after_bytes=300_000,
    ),
    _front(
        "storage-errors",
        "the storage answers every request with an internal error",
        _at_upload("storage-error"),
        answers=[{"status": 500, "body": "internal error"}],
    ),
    _front(
        "storage-maintenance",
        "a page for people, `down for maintenance`, stands where the storage was",
        _at_upload("storage-unreachable"),
        answers=[{"status": 503, "body": "<html>down for maintenance</html>", "kind": "text/html"}],
    ),
    _rights(
        "storage-read-only",
        "the storage can be read, and neither written nor deleted from",
        _at_upload("permission-denied"),
        authdb=EVERYTHING_BUT_WRITING,
    ),
    _front(
        "storage-full",
        "there is no space left: writes are refused, reads and deletions go on",
        _at_upload("no-space"),
        answers=[{**FULL, "methods": ["PUT", "COPY", "MKCOL"]}],
    ),
    _rights(
        "storage-refuses",
        "the storage permits nobody anything",
        _at_upload("permission-denied"),
        authdb=NOTHING,
    ),
    _rights(
        "storage-no-delete",
        "the storage refuses to delete; all else goes on",
        Drill((Notice("delete", (RSE,), "absent", ("replica-not-deleted",), SITE),), (RSE,)),
        authdb=EVERYTHING_BUT_DELETING,
    ),
    _settings(
        "certificate-expired",
        "the storage's host certificate has run out",
        _at_upload("storage-untrusted"),
        certificate="expired",
    ),
    _settings(
        "certificate-untrusted",
        "the storage's host certificate is of an authority that nobody trusts",
        _at_upload("storage-untrusted"),
        certificate="untrusted",
    ),
    _settings(
        "certificate-of-another-host",
        "the storage shows the certificate of another host",
        _at_upload("storage-untrusted"),
        certificate="of-another-host",
    ),
    _front(
        "storage-lies",
        "the storage says that it has written a file, and keeps damaged bytes",
        _at_upload("checksum-mismatch"),
        uploads="flip",
    ),
    _front(
        "storage-truncates",
        "the storage says that it has written a file, and keeps half of it",
        _at_upload("checksum-mismatch"),
        uploads="truncate",
    ),
    _front(
        "storage-loses",
        "the storage says that it has written a file, and keeps nothing",
        _at_upload("file-missing"),
        uploads="swallow",
    ),
    _front(
        "storage-misreads",
        "the storage gives other bytes than it was given, and its checksums are right",
        _at_download("checksum-mismatch"),
        downloads="flip",
    ),
    _front(
        "checksum-lies",
        "the storage says other checksums than its files have",
        _at_upload("checksum-mismatch"),
        lies_about_checksums=True,
    ),
    _settings(
        "storage-no-checksum",
        "the storage cannot say checksums",
        _at_upload("permission-denied"),
        lines={"xrootd.chksum": None},
    ),
    _hole(
        "storage-audience-unchecked",
        "the storage accepts tokens that are made out to others",
        "audience",
    ),
    _hole(
        "storage-path-unchecked",
        "the storage accepts tokens for whatever path they are",
        "path",
    ),
    _hole(
        "storage-prefix-unchecked",
        "the storage compares paths letter by letter, and takes a scope without one for all",
        "prefix",
    ),
    _hole("storage-expired-accepted", "the storage accepts tokens that have run out", "expiry"),
    _hole(
        "storage-alg-none-accepted", "the storage accepts tokens without a signature", "algorithm"
    ),
    replace(
        _front(
            "token-expires-in-transfer",
            "tokens of transfers run out while the bytes move, and what arrived is not looked at",
            Drill(
                (Notice("life-by-token", (OTHER, RSE), "replicate", ("permission-denied",), SITE),),
                (RSE,),
            ),
            ends_tokens="COPY",
        ),
        targets=storage.TOKEN_RSES,
    ),
)
