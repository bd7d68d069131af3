"""POST /jobs: from the request's JSON to a job and its files, or FTS's refusal.

Pure but for the clock and random ids: the caller passes what depends on the service's state.
"""

import json
import random
import socket
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import ParseResult, urlparse

from dltest.lab.transfer_service import parameters
from dltest.lab.transfer_service.identity import Identity
from dltest.lab.transfer_service.parameters import Params, flag, whole
from dltest.lab.transfer_service.records import File, Job, Submission, link_of
from dltest.lab.transfer_service.refusal import RefusedRequest
from dltest.lab.transfer_service.tokens import Token
from dltest.lab.transfer_service.vocabulary import FileState, JobState, JobType

# For an entry's sources and its destinations.
ShownTokens = tuple[Sequence[Token | None], Sequence[Token | None]]
_STRATEGIES = {
    "orderly",
    "auto",
    "queue",
    "success",
    "throughput",
    "file-throughput",
    "pending-data",
    "waiting-time",
    "waiting-time-with-error",
    "duration",
}
_LOWEST_SCITAG, _HIGHEST_SCITAG = 65, 65535
_LOWEST_PRIORITY, _HIGHEST_PRIORITY = 1, 5


def no_tokens(_value: str) -> Token:
    """Of a service without an issuer."""
    raise RefusedRequest("Failed to validate access-token")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a submission meets: who asks, what is banned, how long the queues are, whose tokens."""

    user: Identity
    metadata_size_limit: int
    banned: Mapping[str, str]  # storage element -> CANCEL, WAIT or WAIT_AS
    waiting: Callable[[tuple[str, str]], int]
    token: Callable[[str], Token] = no_tokens


def build_submission(body: Mapping[str, Any], around: Surroundings) -> Submission:
    """Raises `RefusedRequest` with the words that FTS has for the same mistake."""
    try:
        return _build(body, around)
    except ValueError as error:
        raise RefusedRequest(f"Invalid value within the request: {error}") from error
    except (TypeError, AttributeError) as error:
        raise RefusedRequest(f"Malformed request: {error}") from error
    except KeyError as error:
        raise RefusedRequest(f"Missing parameter: {error}") from error


def _build(body: Mapping[str, Any], around: Surroundings) -> Submission:
    params = parameters.with_defaults(body.get("params") or {})
    metadata = params["job_metadata"]
    checked = {} if metadata is None else _metadata(metadata, around.metadata_size_limit)
    params["job_metadata"] = {**checked, "auth_method": around.user.method}
    if body.get("delete") is not None:
        message = "Deletion jobs are no longer supported by FTS"
        raise RefusedRequest(message, HTTPStatus.METHOD_NOT_ALLOWED)
    entries = body.get("files")
    if entries is None:
        raise RefusedRequest("No transfers operations specified")
    job = _job(params, entries, around.user)
    shared_id = _hashed_id() if job.job_type != JobType.REGULAR or _stages(job) else None
    shown = [_shown_tokens(entry, job, around) for entry in entries]
    files = [
        file
        for index, entry in enumerate(entries)
        for file in _files(entry, index, job, shared_id, around, tokens=shown[index])
    ]
    if not files:
        raise RefusedRequest("No valid pairs available")
    _complete(job, files, params, around)
    tokens = {token.token_id: token for pair in shown for side in pair for token in side if token}
    _hold_for_tokens(files, tokens)
    _respect_bans(files, around.banned)
    return Submission(job, tuple(files), tuple(tokens.values()))


def _job(params: Params, entries: Sequence[Mapping[str, Any]], user: Identity) -> Job:
    multihop = bool(params["multihop"])
    overwrite = parameters.overwrite_letter(params)
    parameters.refuse_impossible_overwrite(overwrite, entries, multihop=multihop)
    kind = JobType.REGULAR
    if multihop:
        kind = JobType.MULTI_HOP
    elif flag(params["reuse"]):
        kind = JobType.SESSION_REUSE
    staging = parameters.wants_staging(params)
    return Job(
        job_id=_job_id(params, user),
        job_state=JobState.STAGING if staging else JobState.SUBMITTED,
        job_type=kind,
        submit_time=time.time(),
        job_metadata=params["job_metadata"],
        source_se=None,
        dest_se=None,
        vo_name=user.vo,
        user_dn=user.user_dn,
        cred_id=user.delegation_id,
        submit_host=socket.gethostname(),
        priority=max(min(int(params["priority"]), _HIGHEST_PRIORITY), _LOWEST_PRIORITY),
        retry=int(params["retry"]),
        retry_delay=int(params["retry_delay"]),
        overwrite_flag=overwrite,
        bring_online=whole(params["bring_online"]),
        copy_pin_lifetime=whole(params["copy_pin_lifetime"]),
        archive_timeout=whole(params["archive_timeout"]),
        source_spacetoken=params["source_spacetoken"] or None,
        destination_spacetoken=params["destination_spacetoken"] or None,
        dst_file_report=flag(params["dst_file_report"]),
        max_time_in_queue=parameters.expires_at(params),
        internal_job_params=parameters.internal_job_params(params),
    )


def _job_id(params: Params, user: Identity) -> str:
    if params.get("id_generator", "standard") != "deterministic":
        return str(uuid.uuid1())
    if params.get("sid") is None:
        raise RefusedRequest("Need sid for deterministic job id generation")
    return str(uuid.uuid5(user.vo_id, str(params["sid"])))


def _stages(job: Job) -> bool:
    return job.job_state == JobState.STAGING


def _hashed_id() -> int:
    return random.randint(0, 2**16 - 1)  # noqa: S311 - spreads load, hides nothing


def _files(
    entry: Mapping[str, Any],
    index: int,
    job: Job,
    shared_id: int | None,
    around: Surroundings,
    *,
    tokens: ShownTokens,
) -> list[File]:
    sources = [_checked_url(url) for url in entry["sources"]]
    destinations = [_checked_url(url) for url in entry["destinations"]]
    state = FileState.STAGING if _stages(job) else FileState.SUBMITTED
    if len(sources) > 1 or job.job_type == JobType.MULTI_HOP:
        state = FileState.NOT_USED
        shared_id = shared_id or _hashed_id()
    limit = around.metadata_size_limit
    return [
        File(
            job_id=job.job_id,
            file_index=index,
            file_state=state,
            source_surl=source.geturl(),
            dest_surl=destination.geturl(),
            source_se=_storage_element(source),
            dest_se=_storage_element(destination),
            hashed_id=_hashed_id() if shared_id is None else shared_id,
            vo_name=job.vo_name,
            priority=job.priority,
            user_filesize=int(float(entry.get("filesize") or 0)),
            selection_strategy=entry.get("selection_strategy", "auto"),
            checksum=entry.get("checksum"),  # type: ignore[arg-type] # completed for the whole job
            file_metadata=_optional_metadata(entry.get("metadata"), limit),
            staging_metadata=_optional_metadata(entry.get("staging_metadata"), limit, "Staging"),
            archive_metadata=_optional_metadata(entry.get("archive_metadata"), limit, "Archive"),
            activity=entry.get("activity") or "default",
            scitag=_scitag(entry.get("scitag")),
            src_token_id=read_by.token_id if read_by else None,
            dst_token_id=written_by.token_id if written_by else None,
        )
        for source, read_by in zip(sources, tokens[0], strict=True)
        for destination, written_by in zip(destinations, tokens[1], strict=True)
    ]


def _shown_tokens(entry: Mapping[str, Any], job: Job, around: Surroundings) -> ShownTokens:
    """For each source and each destination, with what token it is asked; of users with tokens."""
    sides = ("sources", "destinations")
    urls = [entry[side] for side in sides]
    given: list[Any] = [entry.get(f"{side[:-1]}_tokens") for side in sides]
    if around.user.bearer is None:
        return [None] * len(urls[0]), [None] * len(urls[1])
    if job.archive_timeout > 0 or job.bring_online > 0:
        what = "archive to tape" if job.archive_timeout > 0 else "retrieve from tape"
        raise RefusedRequest(f"Requests to {what} using token authentication are not supported")
    if not any(given):
        given = [[around.user.bearer] * len(side) for side in urls]
    if not all(given):
        message = (
            "Both source_tokens and destination_tokens are required if one of them is present."
        )
        raise RefusedRequest(message)
    for side, some, tokens in zip(sides, urls, given, strict=True):
        if len(tokens) != len(some):
            message = f"Length of {side[:-1]}_tokens should be equal to the length of {side}."
            raise RefusedRequest(message)
    read_by, written_by = ([around.token(str(one)) for one in side] for side in given)
    return read_by, written_by


def _hold_for_tokens(files: list[File], tokens: Mapping[str, Token]) -> None:
    """What may begin begins with the exchange of its tokens."""
    for file in files:
        used = (tokens.get(one or "") for one in (file.src_token_id, file.dst_token_id))
        may_begin = file.file_state == FileState.SUBMITTED
        if may_begin and any(token.is_held for token in used if token):
            file.file_state_initial, file.file_state = file.file_state, FileState.TOKEN_PREP


def _checked_url(text: str) -> ParseResult:
    url = urlparse(text.strip())
    problem = ""
    if not url.scheme:
        problem = "Missing scheme"
    elif url.scheme == "file":
        problem = "Can not transfer local files"
    elif not url.path or (url.path == "/" and not url.query):
        problem = "Missing path"
    elif not url.hostname:
        problem = "Missing host"
    if problem:
        message = f"{problem} ({url.geturl()})"
        raise ValueError(message)
    return url


def _storage_element(url: ParseResult) -> str:
    return f"{url.scheme}://{url.hostname}"


def _metadata(data: object, size_limit: int, dict_only: str = "") -> dict[str, Any]:
    if size_limit and len(json.dumps(data)) > size_limit:
        message = f"Job Submission Refused, metadata exceeds size limit of {size_limit}"
        raise ValueError(message)
    if isinstance(data, dict):
        return data
    if not isinstance(data, str):
        raise ValueError("Metadata neither JSON nor String")  # noqa: TRY004 - as FTS answers it
    if dict_only:
        message = f"{dict_only} metadata not in JSON format"
        raise ValueError(message)
    return {"label": data}


def _optional_metadata(data: object, size_limit: int, dict_only: str = "") -> dict[str, Any] | None:
    return None if data is None else _metadata(data, size_limit, dict_only)


def _scitag(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int):
        message = f"Invalid SciTag value: {value}. Must be an integer in the [65, 65535] range!"
        raise ValueError(message)  # noqa: TRY004 - as FTS answers it
    if not _LOWEST_SCITAG <= value <= _HIGHEST_SCITAG:
        message = f"Invalid SciTag value: {value} (not in [65, 65535] range)"
        raise ValueError(message)
    return value


def _complete(job: Job, files: list[File], params: Params, around: Surroundings) -> None:
    """What only the files together tell."""
    letter = parameters.checksum_letter(
        params["verify_checksum"], [file.checksum for file in files]
    )
    job.verify_checksum = letter
    for file in files:
        file.checksum = "ADLER32" if file.checksum is None else file.checksum
    _set_storage_elements(job, files)
    _refuse_impossible_job_type(job, files)
    start = FileState.STAGING if _stages(job) else FileState.SUBMITTED
    if len({file.file_index for file in files}) < len(files):
        job.job_type = JobType.MULTI_REPLICA
        chosen = _choose_replica(files, around.waiting)
        chosen.file_state = start
    elif job.job_type == JobType.MULTI_HOP:
        files[0].file_state = start


def _set_storage_elements(job: Job, files: list[File]) -> None:
    if job.job_type == JobType.MULTI_HOP:
        job.source_se, job.dest_se = files[0].source_se, files[-1].dest_se
        return
    sources = {file.source_se for file in files}
    destinations = {file.dest_se for file in files}
    job.source_se = sources.pop() if len(sources) == 1 else None
    job.dest_se = destinations.pop() if len(destinations) == 1 else None


def _refuse_impossible_job_type(job: Job, files: list[File]) -> None:
    indexes = {file.file_index for file in files}
    if len(indexes) < len(files):
        if job.job_type != JobType.REGULAR:
            message = (
                "Can not request multiple replica job together with multihop "
                "or session reuse at the same time"
            )
            raise RefusedRequest(message)
        if len(indexes) > 1:
            raise RefusedRequest("Multiple replica jobs must only have one unique file")
    if job.job_type == JobType.SESSION_REUSE and not (job.source_se and job.dest_se):
        message = (
            "Reuse jobs must only contain transfers for the same source ad destination storage"
        )
        raise RefusedRequest(message)


def _choose_replica(files: list[File], waiting: Callable[[tuple[str, str]], int]) -> File:
    strategy = files[0].selection_strategy
    if strategy not in _STRATEGIES:
        raise RefusedRequest(f"{strategy} algorithm is not supported by Scheduler")
    return best_replica(files, waiting)


def best_replica(files: list[File], waiting: Callable[[tuple[str, str]], int]) -> File:
    """The first given, or with a strategy that looks at queues the one with the shortest."""
    if files[0].selection_strategy in {"auto", "queue"}:
        return min(files, key=lambda file: waiting(link_of(file)))
    return files[0]


def _respect_bans(files: list[File], banned: Mapping[str, str]) -> None:
    held = {
        FileState.SUBMITTED: FileState.ON_HOLD,
        FileState.STAGING: FileState.ON_HOLD_STAGING,
    }
    for file in files:
        for storage in (file.source_se, file.dest_se):
            status = banned.get(storage)
            if status and status != "WAIT_AS":
                raise RefusedRequest(f"{storage} is banned", HTTPStatus.FORBIDDEN)
            if status:
                file.file_state = held.get(FileState(file.file_state), FileState(file.file_state))
