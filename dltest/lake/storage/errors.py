"""What gfal2's errors mean. Its codes differ by protocol, and some lie; the words decide first.

Seen with gfal2 2.21 and XRootD 5.5: a refused connection is 112 over HTTP and 111 over xrootd; a
wrong checksum is 5 or 84; a refusal to write is 1, 13, or 17 when an overwrite was asked for; a
server that hangs in its TLS handshake is 13.
"""

import errno
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """A finding code, and whether the storage answered: a refused connection is an answer."""

    code: str
    answered: bool = True
    retryable: bool = False


UNREACHABLE = Meaning("storage-unreachable", retryable=True)
TIMEOUT = Meaning("storage-timeout", answered=False, retryable=True)
MISSING = Meaning("file-missing")
DENIED = Meaning("permission-denied")
CHECKSUM = Meaning("checksum-mismatch")
NO_SPACE = Meaning("no-space")
EXISTS = Meaning("file-exists")
UNTRUSTED = Meaning("storage-untrusted")
UNKNOWN_HOST = Meaning("storage-host-unknown", retryable=True)
UNSUPPORTED = Meaning("storage-unsupported")
CANCELLED = Meaning("transfer-cancelled", answered=False)
ERROR = Meaning("storage-error", retryable=True)

# Words in the order in which they are looked for: the narrower first.
WORDS: tuple[tuple[re.Pattern[str], Meaning], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), meaning)
    for pattern, meaning in (
        (r"checksum mismatch|checksum error|checksum.*do(es)? not match", CHECKSUM),
        (r"issuer is not trusted|certificate verif|untrusted|self.signed", UNTRUSTED),
        (r"timed out|timeout|operation expired", TIMEOUT),
        (r"name resolution failed|name or service not known", UNKNOWN_HOST),
        (r"could not connect|connection (refused|error|reset|aborted)|broken pipe", UNREACHABLE),
        (r"ssl handshake failed|HTTP 50[234]|no route to host|network is unreachable", UNREACHABLE),
        (r"HTTP 40[13]|permission (denied|refused)|not authorized|forbidden", DENIED),
        (r"HTTP 404|no such file|file not found", MISSING),
        (r"HTTP 507|no space left|disk quota|maximum allowed file size", NO_SPACE),
        (r"file exists|destination exists", EXISTS),
    )
)

CODES: dict[int, Meaning] = {
    errno.ENOENT: MISSING,
    errno.ENOTDIR: MISSING,
    errno.EPERM: DENIED,
    errno.EACCES: DENIED,
    errno.EROFS: DENIED,
    errno.EEXIST: EXISTS,
    errno.ENOTEMPTY: EXISTS,
    errno.EISDIR: EXISTS,
    errno.EILSEQ: CHECKSUM,
    errno.EDOM: CHECKSUM,  # kXR_ChkSumErr
    errno.ENOSPC: NO_SPACE,
    errno.EDQUOT: NO_SPACE,
    errno.EFBIG: NO_SPACE,
    errno.ECONNREFUSED: UNREACHABLE,
    errno.ECONNRESET: UNREACHABLE,
    errno.ECONNABORTED: UNREACHABLE,
    errno.EPIPE: UNREACHABLE,
    errno.ENOTCONN: UNREACHABLE,
    errno.EHOSTDOWN: UNREACHABLE,
    errno.ENETUNREACH: UNREACHABLE,
    errno.ECOMM: UNREACHABLE,
    errno.EHOSTUNREACH: UNREACHABLE,
    errno.ETIMEDOUT: TIMEOUT,
    errno.ETIME: TIMEOUT,
    errno.ECANCELED: CANCELLED,
    errno.EINTR: CANCELLED,
    3017: CANCELLED,  # kXR_Cancelled, which the xrootd plugin passes through
    errno.EPROTONOSUPPORT: UNSUPPORTED,
    errno.ENOTSUP: UNSUPPORTED,
    errno.ENOSYS: UNSUPPORTED,
    errno.EIO: ERROR,
    errno.EINVAL: ERROR,
    errno.EBUSY: ERROR,
    errno.EAGAIN: ERROR,
    errno.EPROTO: ERROR,
    errno.EBADE: ERROR,
    errno.ENODATA: ERROR,
    errno.EREMOTE: ERROR,
    errno.ENOMEM: ERROR,
    errno.EFAULT: ERROR,
    errno.ENXIO: ERROR,
    errno.ENODEV: ERROR,
    errno.EXDEV: ERROR,
    errno.ENAMETOOLONG: ERROR,
    errno.EBADF: ERROR,
    errno.EMFILE: ERROR,
    errno.EOVERFLOW: ERROR,
    errno.EDEADLK: ERROR,
    errno.ENOTBLK: ERROR,
    errno.EINPROGRESS: ERROR,
    errno.ERANGE: ERROR,
    errno.EUSERS: ERROR,
    errno.EPROTOTYPE: ERROR,
    errno.EADDRNOTAVAIL: ERROR,
    errno.EIDRM: ERROR,
    errno.ENOTTY: ERROR,
    errno.ETOOMANYREFS: ERROR,
    errno.EREMOTEIO: ERROR,
}

_BEARER = re.compile(r"(authz=|Bearer(%20|\s)+|access_token=)[^&\s'\"]+", re.IGNORECASE)
_MAXIMUM_DETAIL = 600


def meaning(code: int, message: str) -> Meaning:
    """What gfal2's code and words mean; unknown to both tables is `storage-error`."""
    for words, found in WORDS:
        if words.search(message):
            return found
    return CODES.get(code, ERROR)


def clean(message: str) -> str:
    """The storage's own words on one line, of bounded length, without any bearer."""
    line = " ".join(message.replace("\0", " ").split())
    return _BEARER.sub(r"\1<redacted>", line)[:_MAXIMUM_DETAIL]
