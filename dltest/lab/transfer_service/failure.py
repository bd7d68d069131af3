"""Why a file failed, in FTS's form `SCOPE [errno] message`, and whether trying again may help.

The table is FTS 3.13's own (`retryTransfer` in its url-copy heuristics): words in the message
decide first, then the errno within its scope.
"""

import errno
import re
from dataclasses import dataclass

from dltest.lab.transfer_service.vocabulary import Scope

_WORDS_THAT_ASK_FOR_RETRY = (
    "performance marker",
    "Name or service not known",
    "Connection timed out",
    "end-of-file was reached",
    "end of file occurred",
    "SRM_INTERNAL_ERROR",
    "was forcefully killed",
    "operation timeout",
)
_WORDS_THAT_FORBID_RETRY = (
    "proxy expired",
    "with an error 550 File not found",
    "File exists and overwrite",
    "No such file or directory",
    "The certificate has expired",
    "The available CRL has expired",
    "Permission denied",
    "File exists",
    "checksum do not match",
    "CHECKSUM MISMATCH",
    "The source file is not ONLINE",
)
_PERMISSION = {errno.EPERM, errno.EACCES, errno.ENAMETOOLONG, errno.EPROTONOSUPPORT}
_FINAL_CODES = {
    Scope.SOURCE: _PERMISSION | {errno.ENOENT, errno.EISDIR, errno.E2BIG, errno.ENOTDIR},
    Scope.DESTINATION: _PERMISSION
    | {errno.EISDIR, errno.E2BIG, errno.EROFS, errno.EFAULT, errno.EEXIST},
}
_FINAL_TRANSFER_CODES = _PERMISSION | {errno.ENOSPC, errno.EEXIST, errno.EFBIG, errno.EROFS}
_STAGING_RETRY_CODES = {
    errno.ETIMEDOUT,
    errno.ECONNABORTED,
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.EAGAIN,
    errno.EBUSY,
}
_QUERY = re.compile(r"\?[A-Za-z0-9~\-_.+&=%#?]*")


@dataclass(frozen=True, slots=True)
class Failure:
    scope: Scope
    code: int
    message: str

    @property
    def reason(self) -> str:
        """Query strings are redacted: they may carry credentials."""
        return f"{self.scope} [{self.code}] {_QUERY.sub('?<redacted>', self.message)}"

    @property
    def recoverable(self) -> bool:
        if self.scope is Scope.STAGING:
            return self.code in _STAGING_RETRY_CODES
        if self.code == errno.ETIMEDOUT or _has(self.message, _WORDS_THAT_ASK_FOR_RETRY):
            return True
        if self.code == errno.ECANCELED or _has(self.message, _WORDS_THAT_FORBID_RETRY):
            return False
        return self.code not in _FINAL_CODES.get(self.scope, _FINAL_TRANSFER_CODES)


def _has(message: str, words: tuple[str, ...]) -> bool:
    return any(word in message for word in words)
