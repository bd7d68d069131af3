"""Which failures are worth another try, and what of them may be shown."""

import errno

import pytest

from dltest.lab.transfer_service.failure import Failure
from dltest.lab.transfer_service.vocabulary import Scope


@pytest.mark.parametrize(
    ("scope", "code", "message", "recoverable"),
    [
        ("SOURCE", errno.ENOENT, "Result HTTP 404", False),
        ("DESTINATION", errno.ENOENT, "Result HTTP 404", True),
        ("SOURCE", errno.EHOSTDOWN, "Could not connect", True),
        ("TRANSFER", errno.EIO, "Input/output error", True),
        ("TRANSFER", errno.EIO, "SOURCE CHECKSUM MISMATCH 1 != 2", False),
        ("TRANSFER", errno.ENOSPC, "No space left on device", False),
        ("SOURCE", errno.ENOSPC, "No space left on device", True),
        ("DESTINATION", errno.EEXIST, "already there", False),
        ("SOURCE", errno.ETIMEDOUT, "No such file or directory", True),
        ("TRANSFER", errno.EACCES, "operation timeout", True),
        ("TRANSFER", errno.ECANCELED, "Transfer canceled", False),
        ("STAGING", errno.EBUSY, "busy", True),
        ("STAGING", errno.EIO, "Input/output error", False),
        ("GENERAL_FAILURE", errno.EINTR, "Transfer process died", True),
    ],
)
def test_recoverable(scope: str, code: int, message: str, *, recoverable: bool) -> None:
    assert Failure(Scope(scope), code, message).recoverable is recoverable


def test_the_reason_says_where_with_which_errno_and_what() -> None:
    failure = Failure(Scope.DESTINATION, 17, "Destination file exists")
    assert failure.reason == "DESTINATION [17] Destination file exists"


def test_query_strings_never_show() -> None:
    message = "cannot reach https://a/b?authz=Bearer%20secret (twice: https://a/c?x=1)"
    shown = Failure(Scope.SOURCE, 5, message).reason
    assert shown == (
        "SOURCE [5] cannot reach https://a/b?<redacted> (twice: https://a/c?<redacted>)"
    )
