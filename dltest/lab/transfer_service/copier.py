"""One copy with gfal2, in the order FTS's url-copy takes its steps, each under its scope.

SOURCE: size, checksum. DESTINATION: is it there, its parent. TRANSFER: the copy.
DESTINATION: size, checksum. An error belongs to the step in which it came up.
Runs in a copying process; every step is reported before it begins, so that the service knows
where a step hangs that it has to end.
"""

import errno
import math
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any, TypeVar
from urllib.parse import urlsplit

import gfal2

from dltest.lab.transfer_service.failure import Failure
from dltest.lab.transfer_service.vocabulary import DESTINATION_EXISTS, Scope

_MB = 1 << 20
_BASE_TIMEOUT_SECONDS = 600
_BYTES_REPORT_SECONDS = 0.5
_WEB_SCHEMES = {"davs", "https"}
# An XRootD without authentication accepts any bearer; without one gfal2 asks for a delegated
# credential that it refuses, and third-party copy is lost.
_ANONYMOUS = "anonymous"

Report = Callable[[dict[str, Any]], None]
Result = TypeVar("Result")


class CopyFailed(Exception):  # noqa: N818 - a result on its way out, not a fault of the program
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class Copier:
    """A gfal2 context for each copy, as FTS starts a process for each.

    One that is kept keeps its connections too, and fails on those to a server that was started
    anew since; one for a file that had a token shows it for the next. It costs 1 ms.
    """

    def __init__(self, report: Report, *, tpc_fallback: bool) -> None:
        self._report = report
        self._tpc_fallback = tpc_fallback
        self._cancelled = 0
        self._current = 0
        self.context = self._new_context()

    def _new_context(self) -> Any:
        context = gfal2.creat_context()
        context.set_user_agent("fts_url_copy", "3.13.3")  # mock:// looks for this name
        for option, value in (
            ("RETRIEVE_BEARER_TOKEN", False),
            ("ENABLE_STREAM_COPY", False),
            ("ENABLE_FALLBACK_TPC_COPY", self._tpc_fallback),
        ):
            context.set_opt_boolean("HTTP PLUGIN", option, value)
        return context

    def cancel(self, order_id: int) -> None:
        """Called from the listening thread."""
        self._cancelled = order_id
        if self._current == order_id:
            self.context.cancel()

    def carry_out(self, order: dict[str, Any]) -> None:
        """Copy, and report `done` with what came of it; never raises for a failed copy."""
        self.context = self._new_context()
        self._current = order["id"]
        self._report({"event": "started", "id": order["id"]})
        self._introduce(order)
        copy = _Copy(self.context, order, self._tell, self._note)
        failure = None
        try:
            copy.run()
        except CopyFailed as failed:
            failure = failed.failure
        self._current = 0
        self._report(
            {
                "event": "done",
                "id": order["id"],
                "filesize": copy.size_bytes,
                "seconds": copy.seconds,
                "mode": copy.mode,
                "dst_file": copy.destination_report,
                "failure": failure
                and {"scope": failure.scope, "code": failure.code, "message": failure.message},
            }
        )

    def _tell(self, report: dict[str, Any]) -> None:
        if self._cancelled == self._current:
            raise CopyFailed(Failure(Scope.TRANSFER, errno.ECANCELED, "Transfer canceled"))
        self._note(report)

    def _note(self, report: dict[str, Any]) -> None:
        """As `_tell`, and safe inside gfal2's callbacks: never raises."""
        self._report({**report, "id": self._current})

    def _introduce(self, order: dict[str, Any]) -> None:
        """Show each server its file's token."""
        for url, bearer in zip(_ends(order), order["bearers"], strict=True):
            parts = urlsplit(url)
            server = f"{parts.scheme}://{parts.netloc}"
            if parts.scheme in _WEB_SCHEMES:
                credential = self.context.cred_new("BEARER", bearer or _ANONYMOUS)
                self.context.cred_set(server, credential)


def _ends(order: dict[str, Any]) -> tuple[str, str]:
    return order["source"], order["destination"]


class _Copy:
    """One copy's way through its steps, and what was learned on it."""

    def __init__(self, context: Any, order: dict[str, Any], tell: Report, note: Report) -> None:
        self._context = context
        self._order = order
        self._tell = tell
        self._note = note
        self._source: str = order["source"]
        self._destination: str = order["destination"]
        algorithm, _, value = order["checksum"].partition(":")
        self._algorithm = algorithm or "ADLER32"
        self._expected = value
        self._source_checksum = ""
        self._last_report = 0.0
        self.size_bytes = 0
        self.seconds = 0.0
        self.mode = ""
        self.destination_report: dict[str, Any] | None = None

    def run(self) -> None:
        if self._order["strict"]:
            self.size_bytes = self._order["user_filesize"]
            self._greet(self._source, self._parent_of_destination())
            self._transfer()
            return
        self._examine_source()
        self._prepare_destination()
        self._transfer()
        self._verify_destination()
        self._release_source()

    # -- steps ---------------------------------------------------------------------------

    def _examine_source(self) -> None:
        self.size_bytes = self._step(
            Scope.SOURCE, lambda: int(self._context.stat(self._source).st_size)
        )
        if self._order["verify"] not in "bs":
            return
        self._source_checksum = self._checksum(Scope.SOURCE, self._source)
        if self._expected and not _same_checksum(self._source_checksum, self._expected):
            raise self._mismatch(
                Scope.SOURCE, "Source and user-defined", self._source_checksum, self._expected
            )

    def _prepare_destination(self) -> None:
        if self._exists(self._destination):
            self._make_way()
        elif not self._destination.startswith("mock://"):
            self._make_parent()

    def _make_way(self) -> None:
        if self._order["overwrite"]:
            self._step(Scope.DESTINATION, lambda: self._context.unlink(self._destination))
            return
        message = DESTINATION_EXISTS
        if self._order["overwrite_disk"]:
            on_tape = self._disk_copy_removed()
            if not on_tape:
                return
            message = on_tape
        if self._order["report_destination"]:
            self.destination_report = self._describe_destination()
        raise CopyFailed(Failure(Scope.DESTINATION, errno.EEXIST, message))

    def _disk_copy_removed(self) -> str:
        """Empty when the way is free; else the words for a file that is on tape."""
        what = "(overwrite-when-only-on-disk requested)"
        if not self._order["overwrite_disk_enabled"]:
            message = f'Destination endpoint not configured with "overwrite-disk-enabled" {what}'
            raise CopyFailed(Failure(Scope.DESTINATION, errno.EINVAL, message))
        try:
            locality = self._context.getxattr(self._destination, "user.status").strip()
        except gfal2.GError as error:
            message = f"Could not check destination file locality {what}"
            raise CopyFailed(Failure(Scope.DESTINATION, errno.EFAULT, message)) from error
        if "NEARLINE" in locality:
            return f"Destination file exists and is on tape {what}"
        if locality != "ONLINE":
            message = f"Destination file location unknown: {locality} {what}"
            raise CopyFailed(Failure(Scope.DESTINATION, errno.EFAULT, message))
        self._step(Scope.DESTINATION, lambda: self._context.unlink(self._destination))
        return ""

    def _describe_destination(self) -> dict[str, Any] | None:
        """Absent when any of it cannot be had, as in FTS."""
        try:
            checksum = self._context.checksum(self._destination, self._algorithm)
            size = self._context.stat(self._destination).st_size
            locality = self._context.getxattr(self._destination, "user.status").strip()
        except gfal2.GError:
            return None
        return {
            "file_size": size,
            "checksum_type": self._algorithm,
            "checksum_value": checksum,
            "file_on_tape": "NEARLINE" in locality,
            "file_on_disk": locality in {"ONLINE", "ONLINE_AND_NEARLINE"},
        }

    def _make_parent(self) -> None:
        folder = self._parent_of_destination()
        if self._exists(folder):
            return
        try:
            self._context.mkdir_rec(folder, 0o755)
        except gfal2.GError as error:
            if error.code != errno.EEXIST:  # another copy was faster
                raise CopyFailed(Failure(Scope.DESTINATION, error.code, error.message)) from error

    def _parent_of_destination(self) -> str:
        parts = urlsplit(self._destination)
        return parts._replace(path=str(PurePosixPath(parts.path).parent)).geturl()

    def _greet(self, *urls: str) -> None:
        """XRootD 5.5 falls over a COPY that is the first request of its connection."""
        for url in urls:
            if urlsplit(url).scheme in _WEB_SCHEMES:
                with suppress(gfal2.GError):
                    self._context.stat(url)

    def _transfer(self) -> None:
        timeout = self._order["timeout"] or size_timeout_seconds(
            self.size_bytes, self._order["seconds_per_mb"]
        )
        self._tell({"event": "copying", "filesize": self.size_bytes, "timeout_seconds": timeout})
        began = time.monotonic()
        try:
            self._context.filecopy(self._parameters(timeout), self._source, self._destination)
        except gfal2.GError as error:
            if error.code != errno.EEXIST:
                self._remove_leftovers()
            raise CopyFailed(Failure(Scope.TRANSFER, error.code, error.message)) from error
        finally:
            self.seconds = time.monotonic() - began

    def _parameters(self, timeout: int) -> Any:
        parameters = self._context.transfer_parameters()
        parameters.strict_copy = True
        parameters.create_parent = False
        parameters.overwrite = False
        parameters.local_transfers = False
        parameters.timeout = timeout
        parameters.nbstreams = self._order["streams"]
        parameters.tcp_buffersize = self._order["buffer_size"]
        parameters.event_callback = self._on_event
        parameters.monitor_callback = self._on_bytes
        return parameters

    def _verify_destination(self) -> None:
        size = self._step(
            Scope.DESTINATION, lambda: int(self._context.stat(self._destination).st_size)
        )
        if size != self.size_bytes:
            self._remove_leftovers()
            message = "Source and destination file size mismatch"
            raise CopyFailed(Failure(Scope.DESTINATION, errno.EINVAL, message))
        verify = self._order["verify"]
        if verify not in "bt":
            return
        found = self._checksum(Scope.DESTINATION, self._destination)
        if self._expected and not _same_checksum(found, self._expected):
            raise self._mismatch(
                Scope.DESTINATION, "User-defined and destination", self._expected, found
            )
        if verify == "b" and not _same_checksum(found, self._source_checksum):
            raise self._mismatch(
                Scope.DESTINATION, "Source and destination", self._source_checksum, found
            )

    def _release_source(self) -> None:
        if token := self._order["bringonline_token"]:
            try:
                self._context.release(self._source, token)
            except gfal2.GError as error:  # the bytes are there; FTS only logs this
                self._note({"event": "note", "text": f"release failed: {error.message}"})

    # -- what the steps share ------------------------------------------------------------

    def _step(self, scope: Scope, do: Callable[[], Result], size_bytes: int = 0) -> Result:
        self._tell({"event": "step", "scope": scope, "bytes": size_bytes})
        try:
            return do()
        except gfal2.GError as error:
            raise CopyFailed(Failure(scope, error.code, error.message)) from error

    def _exists(self, url: str) -> bool:
        try:
            self._step(Scope.DESTINATION, lambda: self._context.stat(url))
        except CopyFailed as failed:
            if failed.failure.code == errno.ENOENT:
                return False
            raise
        return True

    def _checksum(self, scope: Scope, url: str) -> str:
        return self._step(
            scope, lambda: str(self._context.checksum(url, self._algorithm)), self.size_bytes
        )

    def _mismatch(self, side: Scope, what: str, left: str, right: str) -> CopyFailed:
        """FTS 3.13 leaves this comparison to gfal2's copy, hence the scope TRANSFER."""
        if side is Scope.DESTINATION:
            self._remove_leftovers()
        message = (
            f"{side} CHECKSUM MISMATCH {what} {self._algorithm} do not match ({left} != {right})"
        )
        return CopyFailed(Failure(Scope.TRANSFER, errno.EIO, message))

    def _remove_leftovers(self) -> None:
        try:
            self._context.unlink(self._destination)
        except gfal2.GError:  # most often there is nothing; the copy's own error counts
            return

    def _on_event(self, event: Any) -> None:
        if event.stage == "TRANSFER:TYPE":
            self.mode = event.description

    def _on_bytes(self, *progress: Any) -> None:
        """gfal2 gives source, destination, mean rate, rate, bytes, seconds."""
        now = time.monotonic()
        if now - self._last_report >= _BYTES_REPORT_SECONDS:
            self._last_report = now
            self._note({"event": "bytes", "bytes": int(progress[4])})


def size_timeout_seconds(size_bytes: int, seconds_per_mb: float) -> int:
    """FTS's own limit for a copy that names none."""
    return _BASE_TIMEOUT_SECONDS + math.ceil(seconds_per_mb * size_bytes / _MB)


def _same_checksum(left: str, right: str) -> bool:
    return left.lstrip("0").lower() == right.lstrip("0").lower()
