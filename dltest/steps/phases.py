"""Where the time of a transfer went, from Rucio's and FTS's own timestamps.

Rucio's REST interface gives whole seconds, so every difference is off by up to one second each
side; `resolution_seconds` says so beside the figures. Phases of one request:

    created      --queue-->         submitted    (Rucio hands it to FTS)
    submitted    --wait-->          started      (FTS lets bytes flow)
    started      --transfer-->      transferred  (FTS is done)
    transferred  --registration-->  registered   (Rucio knows)
"""

from datetime import datetime
from statistics import median

from dltest.lake.ports import Rule, TransferRequest
from dltest.model import Payload

RESOLUTION_SECONDS = 1.0


def phases_of(rule: Rule, requests: list[TransferRequest], payload: Payload) -> dict[str, float]:
    """Medians over the requests for each phase, and the rate over the whole span of bytes flowing.

    `requests` may be an evenly spaced sample of the files; those of failed attempts are left out.
    A phase of which no request has both ends is left out rather than guessed.
    """
    requests = [request for request in requests if request.state == "DONE"]
    spans = {
        "queue_seconds": [(r.created_at, r.submitted_at) for r in requests],
        "wait_seconds": [(r.submitted_at, r.started_at) for r in requests],
        "transfer_seconds": [(r.started_at, r.transferred_at) for r in requests],
        "registration_seconds": [
            (r.transferred_at, r.registered_at or rule.updated_at) for r in requests
        ],
        "rule_seconds": [(rule.created_at, rule.updated_at)],
    }
    lengths = {name: _lengths(ends) for name, ends in spans.items()}
    measured = {name: median(values) for name, values in lengths.items() if values}
    attempts = max((request.attempt for request in requests), default=1)
    return (
        measured
        | _rate(requests, payload)
        | {
            "transfer_attempts": attempts,
            "resolution_seconds": RESOLUTION_SECONDS,
        }
    )


def _lengths(ends: list[tuple[datetime | None, datetime | None]]) -> list[float]:
    return [
        max((end - begin).total_seconds(), 0.0)
        for begin, end in ends
        if begin is not None and end is not None
    ]


def _rate(requests: list[TransferRequest], payload: Payload) -> dict[str, float]:
    starts = [r.started_at for r in requests if r.started_at]
    ends = [r.transferred_at for r in requests if r.transferred_at]
    if not starts or len(starts) != len(ends):
        return {}
    seconds = (max(ends) - min(starts)).total_seconds()
    # Below the resolution of the clocks a rate would be noise with a unit.
    if seconds <= RESOLUTION_SECONDS:
        return {}
    return {"rate_bytes_per_second": round(payload.total_bytes / seconds, 1)}
