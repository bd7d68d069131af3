"""A job and its files, field for field as FTS answers them.

The names are FTS's own, since they are answers' keys and what `?files=` asks for. Times are
seconds since the epoch and become FTS's text only in answers. Fields after the marked line are
this service's own and never leave it.
"""

from dataclasses import dataclass, fields
from typing import Any

from dltest.lab.transfer_service.tokens import Token


@dataclass(slots=True, kw_only=True)
class Job:
    job_id: str
    job_state: str
    job_type: str
    submit_time: float
    job_metadata: dict[str, Any]
    source_se: str | None
    dest_se: str | None
    vo_name: str
    user_dn: str
    cred_id: str
    submit_host: str
    priority: int = 3
    retry: int = 0
    retry_delay: int = 0
    reason: str | None = None
    job_finished: float | None = None
    cancel_job: bool = False
    overwrite_flag: str | None = None
    verify_checksum: str = "n"
    bring_online: int = -1
    copy_pin_lifetime: int = -1
    archive_timeout: int = -1
    source_spacetoken: str | None = None
    destination_spacetoken: str | None = None
    dst_file_report: bool = False
    max_time_in_queue: int | None = None
    internal_job_params: str | None = None
    target_qos: str | None = None
    os_project_id: str | None = None


@dataclass(slots=True, kw_only=True)
class File:
    job_id: str
    file_index: int
    file_state: str
    source_surl: str
    dest_surl: str
    source_se: str
    dest_se: str
    hashed_id: int
    vo_name: str
    priority: int
    file_id: int = 0
    user_filesize: int = 0
    checksum: str = "ADLER32"
    activity: str = "default"
    selection_strategy: str = "auto"
    file_metadata: dict[str, Any] | None = None
    staging_metadata: dict[str, Any] | None = None
    archive_metadata: dict[str, Any] | None = None
    scitag: int | None = None
    src_token_id: str | None = None
    dst_token_id: str | None = None
    file_state_initial: str = ""
    dest_surl_uuid: str | None = None
    reason: str | None = None
    retry: int = 0
    recoverable: bool | None = None
    filesize: int | None = None
    start_time: float | None = None
    finish_time: float | None = None
    staging_start: float | None = None
    staging_finished: float | None = None
    archive_start_time: float | None = None
    archive_finish_time: float | None = None
    tx_duration: float | None = None
    throughput: float | None = None
    transfer_host: str | None = None
    staging_host: str | None = None
    pid: int | None = None
    internal_file_params: str | None = None
    bringonline_token: str | None = None
    log_file: str | None = None
    log_debug: int | None = None
    # -- never in answers --
    retry_at: float | None = None
    transfer_type: str | None = None
    leftover: bool = False  # what an ended copy of this file may have left at its destination


@dataclass(frozen=True, slots=True)
class Submission:
    """A job and its files, not yet stored, and the tokens that came with them."""

    job: Job
    files: tuple[File, ...]
    tokens: tuple[Token, ...] = ()


JOB_FIELDS = tuple(field.name for field in fields(Job))
FILE_FIELDS = tuple(field.name for field in fields(File))
OWN_FIELDS = frozenset({"retry_at", "transfer_type", "leftover"})
ANSWERED_FILE_FIELDS = tuple(name for name in FILE_FIELDS if name not in OWN_FIELDS)

JSON_FIELDS = frozenset({"job_metadata", "file_metadata", "staging_metadata", "archive_metadata"})
FLAG_FIELDS = frozenset({"cancel_job", "dst_file_report", "recoverable", "leftover"})
TIME_FIELDS = frozenset(
    {
        "submit_time",
        "job_finished",
        "start_time",
        "finish_time",
        "staging_start",
        "staging_finished",
        "archive_start_time",
        "archive_finish_time",
    }
)


def link_of(file: File) -> tuple[str, str]:
    """Told apart by port too: all storages of a lab share one host name."""
    return _server(file.source_surl), _server(file.dest_surl)


def _server(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0].partition('?')[0]}"
