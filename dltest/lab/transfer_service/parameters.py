"""The `params` of a submission: defaults, flags, times, and what of them FTS refuses."""

import time
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from dltest.lab.transfer_service.refusal import RefusedRequest

Params = dict[str, Any]

_DEFAULTS: Params = {
    "bring_online": -1,
    "archive_timeout": -1,
    "verify_checksum": False,
    "copy_pin_lifetime": -1,
    "job_metadata": None,
    "overwrite": False,
    "overwrite_on_retry": False,
    "overwrite_when_only_on_disk": False,
    "overwrite_hop": False,
    "dst_file_report": False,
    "reuse": None,
    "multihop": False,
    "source_spacetoken": "",
    "destination_spacetoken": "",
    "retry": 0,
    "retry_delay": 0,
    "priority": 3,
    "max_time_in_queue": 0,
    "s3alternate": False,
}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def with_defaults(given: Mapping[str, Any]) -> Params:
    """A null is as good as nothing given; unknown keys are carried along and ignored."""
    params = {**_DEFAULTS, **given}
    return {k: _DEFAULTS[k] if v is None and k in _DEFAULTS else v for k, v in params.items()}


def flag(value: object) -> bool:
    """FTS takes true, 1 and "Y" alike."""
    if isinstance(value, str):
        return value[:1].upper() == "Y"
    return bool(value)


def whole(value: object, default: int = -1) -> int:
    """An integer, or the default for what is none."""
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError):
        return default


def wants_staging(params: Params) -> bool:
    return whole(params["copy_pin_lifetime"]) > 0 or whole(params["bring_online"]) > 0


def expires_at(params: Params) -> int | None:
    """When the job leaves the queue unserved, as seconds since the epoch."""
    seconds = _queue_seconds(params["max_time_in_queue"])
    return None if seconds is None else int(time.time() + seconds)


def _queue_seconds(value: object) -> int | None:
    """A number means hours; "90s", "10m", "2h", "1d" say their unit."""
    if isinstance(value, int) and value != 0:
        return value * 3600
    if not isinstance(value, str) or value[-1:].lower() not in _SECONDS:
        return None
    try:
        return int(value[:-1]) * _SECONDS[value[-1].lower()]
    except ValueError:
        return None


def checksum_letter(verify: object, checksums: Sequence[str | None]) -> str:
    """b, t, s or n. A boolean leaves it to whether the user gave a checksum, the last counting."""
    if not isinstance(verify, bool):
        return str(verify)[0]
    if verify:
        return "b"
    given = [checksum for checksum in checksums if checksum is not None]
    return "t" if given and given[-1] else "n"


def internal_job_params(params: Params) -> str | None:
    words = [
        f"{word}:{int(params[name])}"
        for name, word in (
            ("nostreams", "nostreams"),
            ("timeout", "timeout"),
            ("buffer_size", "buffersize"),
        )
        if params.get(name)
    ]
    words += ["strict"] if params.get("strict_copy") else []
    words += ["disable-cleanup"] if params.get("disable_cleanup") else []
    words += ["ipv4"] if params.get("ipv4") else ["ipv6"] if params.get("ipv6") else []
    words += ["s3alternate"] if params.get("s3alternate") else []
    return ",".join(words) or None


def overwrite_letter(params: Params) -> str | None:
    """Y always, R on retries, M on hops, D when only on disk, Q the last two, None never."""
    hop, disk = params["overwrite_hop"], params["overwrite_when_only_on_disk"]
    plain, on_retry = params["overwrite"], params["overwrite_on_retry"]
    count = sum(map(flag, (plain, on_retry, disk, hop)))
    if count > 1 and not (count == 2 and hop and disk):
        raise RefusedRequest("Incompatible overwrite flags used at the same time")
    if disk and whole(params["archive_timeout"]) <= 0:
        message = "'overwrite-when-only-on-disk' requires 'archive-timeout' to be set"
        raise RefusedRequest(message)
    for letter, wanted in (
        ("Y", plain),
        ("R", on_retry),
        ("Q", hop and disk),
        ("M", hop),
        ("D", disk),
    ):
        if wanted:
            return letter
    return None


def refuse_impossible_overwrite(
    letter: str | None, files: Sequence[Mapping[str, Any]], *, multihop: bool
) -> None:
    if letter in {"M", "Q"} and not multihop:
        raise RefusedRequest("'overwrite-hop' requires multihop job submission")
    if letter not in {"D", "Q"}:
        return
    looked_at = files[-1:] if multihop else files
    destinations = chain.from_iterable(file["destinations"] for file in looked_at)
    if not all(url.startswith(("https://", "davs://")) for url in destinations):
        message = (
            "'overwrite-when-only-on-disk' requires destination "
            "to be HTTPs endpoint (Tape REST API required)"
        )
        raise RefusedRequest(message)
