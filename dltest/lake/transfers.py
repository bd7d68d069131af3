"""FTS3's REST interface behind the transfers port, read only: dltest never submits, Rucio does."""

import weakref
from datetime import UTC, datetime
from typing import Any

import httpx2

from dltest.errors import TransferError
from dltest.lake.ports import TransferFile
from dltest.lake.trust import tls_context
from dltest.settings import StorageSettings

TIMEOUT_SECONDS = 15.0
FIELDS = "file_state,source_surl,dest_surl,start_time,finish_time,reason"


class FTS:
    """Any FTS3 by the host that Rucio names. Safe to share between threads."""

    def __init__(self, settings: StorageSettings) -> None:
        self._client = httpx2.Client(timeout=TIMEOUT_SECONDS, verify=tls_context(settings.ca_file))
        weakref.finalize(self, self._client.close)

    def files(self, host: str, job_id: str) -> list[TransferFile]:
        """The files of one job; empty when the service does not know the job."""
        answer = self._get(f"{host}/jobs/{job_id}", files=FIELDS)
        if answer.status_code == httpx2.codes.NOT_FOUND:
            return []
        job = self._read(answer)
        return [_file_from(job_id, file) for file in job.get("files") or []]

    def ping(self, host: str) -> None:
        self._read(self._get(host))

    def _get(self, url: str, **query: str) -> httpx2.Response:
        try:
            return self._client.get(url, params=query, headers={"Accept": "application/json"})
        except httpx2.HTTPError as error:
            raise _unreachable(f"{url} does not answer: {error}") from error

    def _read(self, answer: httpx2.Response) -> dict[str, Any]:
        if answer.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR:
            raise _unreachable(f"{answer.url} answers {answer.status_code}")
        if answer.status_code >= httpx2.codes.BAD_REQUEST:
            raise TransferError(
                f"{answer.url} answers {answer.status_code}: {answer.text[:200]}",
                code="transfer-service-refused",
                operation="read a transfer job",
            )
        try:
            told = answer.json()
        except ValueError as error:
            raise _unreachable(f"{answer.url} does not answer in JSON") from error
        return told if isinstance(told, dict) else {}


def _unreachable(message: str) -> TransferError:
    return TransferError(
        message,
        code="transfer-service-unreachable",
        operation="read a transfer job",
        retryable=True,
        answered=False,
    )


def _file_from(job_id: str, file: dict[str, Any]) -> TransferFile:
    return TransferFile(
        job_id=job_id,
        source_url=str(file.get("source_surl") or ""),
        destination_url=str(file.get("dest_surl") or ""),
        state=str(file.get("file_state") or "UNKNOWN"),
        reason=file.get("reason"),
        started_at=_moment(file.get("start_time")),
        finished_at=_moment(file.get("finish_time")),
    )


def _moment(text: str | None) -> datetime | None:
    """FTS3 writes UTC without a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
