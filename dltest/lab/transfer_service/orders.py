"""What a copying process is told: a job and a file, boiled down to one copy."""

from typing import Any

from dltest.lab.transfer_service.records import File, Job
from dltest.lab.transfer_service.tokens import Token
from dltest.lab.transfer_service.vocabulary import JobType


def copy_order(
    job: Job,
    file: File,
    *,
    last_hop: bool,
    overwrite_disk_enabled: bool,
    seconds_per_mb: float,
    verifies: bool = True,
    tokens: tuple[Token | None, Token | None] = (None, None),
) -> dict[str, Any]:
    params = _internal(job.internal_job_params)
    overwrite = _overwrites(job, file, last_hop=last_hop)
    return {
        "id": file.file_id,
        "source": file.source_surl,
        "destination": file.dest_surl,
        "bearers": [token.access_token if token else None for token in tokens],
        "user_filesize": file.user_filesize,
        "checksum": file.checksum,
        "verify": job.verify_checksum if verifies else "n",
        "strict": "strict" in params,
        "overwrite": overwrite or file.leftover,
        "overwrite_disk": _overwrites_disk(job, last_hop=last_hop),
        "overwrite_disk_enabled": overwrite_disk_enabled,
        "report_destination": job.dst_file_report and job.archive_timeout > 0 and not overwrite,
        "bringonline_token": file.bringonline_token or "",
        "streams": int(params.get("nostreams", 0)),
        "timeout": int(params.get("timeout", 0)),
        "buffer_size": int(params.get("buffersize", 0)),
        "seconds_per_mb": seconds_per_mb,
    }


def internal_file_params(order: dict[str, Any], timeout_seconds: int) -> str:
    """How FTS writes down what it settled on."""
    return (
        f"nostreams:{order['streams']},timeout:{timeout_seconds},buffersize:{order['buffer_size']}"
    )


def _internal(text: str | None) -> dict[str, str]:
    words = [word.partition(":") for word in (text or "").split(",") if word]
    return {name: value for name, _, value in words}


def _overwrites(job: Job, file: File, *, last_hop: bool) -> bool:
    if job.overwrite_flag == "R":
        return file.retry > 0
    if job.overwrite_flag in {"M", "Q"}:
        return job.job_type == JobType.MULTI_HOP and not last_hop
    return job.overwrite_flag == "Y"


def _overwrites_disk(job: Job, *, last_hop: bool) -> bool:
    if job.archive_timeout <= 0:
        return False
    hop = job.job_type == JobType.MULTI_HOP
    return job.overwrite_flag == "D" or (job.overwrite_flag == "Q" and hop and last_hop)
