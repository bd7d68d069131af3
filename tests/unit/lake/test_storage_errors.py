"""What gfal2 says, as it was seen to say it, and what we make of it."""

import errno
import re

import pytest

from dltest.lake.storage.errors import CODES, ERROR, WORDS, clean, meaning

SEEN = [
    (112, "Result Could not connect to server after 1 attempts", "storage-unreachable"),
    (111, "Failed to stat file (Connection refused)", "storage-unreachable"),
    (111, "Error on XrdCl::CopyProcess::Run(): [FATAL] Connection error:", "storage-unreachable"),
    (113, "Result Domain name resolution failed after 1 attempts", "storage-host-unknown"),
    (113, "Failed to stat file (No route to host)", "storage-unreachable"),
    (2, "Could not open source: Result HTTP 404 : File not found  after 1 att", "file-missing"),
    (2, "Failed to delete file (No such file or directory)", "file-missing"),
    (5, "DESTINATION CHECKSUM MISMATCH User-defined and destination", "checksum-mismatch"),
    (84, "Error on XrdCl::CopyProcess::Run(): [ERROR] CheckSum error", "checksum-mismatch"),
    (1, "HTTP 403 : Permission refused ", "permission-denied"),
    (13, "Server responded with an error: [3010] permission denied", "permission-denied"),
    (17, "TRANSFER ERROR: Copy failed (streamed). HTTP 403 : Permission", "permission-denied"),
    (17, "DESTINATION EXISTS The destination file exists and overwrite is", "file-exists"),
    (13, "SSL handshake failed: Connection timed out during SSL handshake", "storage-timeout"),
    (110, "Connection timed out", "storage-timeout"),
    (110, "[ERROR] Socket timeout:  (destination)", "storage-timeout"),
    (112, "issuer is not trusted", "storage-untrusted"),
    (28, "no space left on device", "no-space"),
    (125, "Transfer canceled", "transfer-cancelled"),
    (3017, "", "transfer-cancelled"),
    (5, "Input/output error", "storage-error"),
]


@pytest.mark.parametrize(("code", "message", "expected"), SEEN)
def test_what_was_seen_has_its_meaning(code: int, message: str, expected: str) -> None:
    assert meaning(code, message).code == expected


def test_a_silent_storage_did_not_answer_and_a_refusing_one_did() -> None:
    assert not meaning(errno.ETIMEDOUT, "").answered
    assert meaning(errno.ECONNREFUSED, "").answered


def test_what_nobody_knows_is_an_error_of_the_storage() -> None:
    assert meaning(99999, "gibberish") is ERROR


def test_every_code_is_kebab_case() -> None:
    found = {one.code for one in CODES.values()} | {one.code for _, one in WORDS}
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)+", code) for code in found)


@pytest.mark.parametrize(
    "text",
    [
        "GET root://se//f?authz=Bearer%20SECRET&x=1 failed",
        "Authorization: Bearer SECRET",
        "https://se/f?access_token=SECRET",
        "https://se/f?authz=SECRET",
    ],
)
def test_no_bearer_survives(text: str) -> None:
    assert "SECRET" not in clean(text)
    assert "<redacted>" in clean(text)


def test_the_words_are_one_line_of_bounded_length() -> None:
    assert clean("a\x00\n  b") == "a b"
    assert len(clean("x" * 10_000)) <= 600
