"""What Rucio and FTS say, as observed, and whom it blames."""

import pytest

from dltest.steps.stuck import Route, from_error

ROUTE = Route(source="XRD1", destination="XRD2")


@pytest.mark.parametrize(
    ("text", "code", "blame", "phase"),
    [
        (
            "TRANSFER_FAILED:DESTINATION [112] Result Could not connect to server after 1 attempts",
            "storage-unreachable",
            "site XRD2",
            "DESTINATION",
        ),
        (
            "SOURCE [112] Result Could not connect to server after 1 attempts",
            "storage-unreachable",
            "site XRD1",
            "SOURCE",
        ),
        (
            "SOURCE [2] Result HTTP 404 : File not found  after 1 attempts",
            "file-missing",
            "site XRD1",
            "SOURCE",
        ),
        (
            "TRANSFER [5] SOURCE CHECKSUM MISMATCH Source and user-defined ADLER32 do not match (4d010a78 != 00000001)",
            "checksum-mismatch",
            "site XRD1",
            "SOURCE",
        ),
        (
            "TRANSFER [5] DESTINATION CHECKSUM MISMATCH User-defined and destination ADLER32 do not match (00000001 != 4d010a78)",
            "checksum-mismatch",
            "site XRD2",
            "DESTINATION",
        ),
        ("TRANSFER [5] Input/output error", "transfer-failed", "link XRD1->XRD2", "TRANSFER"),
        (
            "DESTINATION [1] HTTP 403 : Permission refused",
            "permission-denied",
            "site XRD2",
            "DESTINATION",
        ),
        (
            "DESTINATION [5] HTTP 507 : Insufficient Storage",
            "no-space",
            "site XRD2",
            "DESTINATION",
        ),
        (
            "SOURCE [112] Result (Neon): Server certificate verification failed: certificate has"
            " expired after 1 attempts",
            "storage-untrusted",
            "site XRD1",
            "SOURCE",
        ),
        (
            "DESTINATION [22] Source and destination file size mismatch",
            "size-mismatch",
            "site XRD2",
            "DESTINATION",
        ),
        ("SUBMISSION_FAILED:", "submission-failed", "fts", None),
        ("NO_SOURCES:RequestState.NO_SOURCES", "no-sources", "site XRD1", None),
        ("MISMATCH_SCHEME:", "no-common-protocol", "link XRD1->XRD2", None),
        ("TRANSFER_FAILED:something new", "transfer-failed", "link XRD1->XRD2", "TRANSFER"),
    ],
)
def test_blame_follows_the_phase(text, code, blame, phase):
    trouble = from_error(text, ROUTE)
    assert trouble is not None
    assert (trouble.code, str(trouble.blame), trouble.phase) == (code, blame, phase)


def test_a_request_that_only_waits_says_nothing():
    assert from_error("QUEUED", ROUTE) is None


def test_the_servers_own_words_are_kept():
    trouble = from_error("TRANSFER_FAILED:SOURCE [13] Permission denied (x509)", ROUTE)
    assert trouble is not None
    assert "SOURCE [13] Permission denied (x509)" in trouble.message
