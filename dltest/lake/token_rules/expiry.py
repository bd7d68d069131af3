"""How long a storage goes on accepting a token that it has seen good, after the token's end.

Storages keep what they found out about a token for a while; each implementation says how long.
What a storage has never seen, it must refuse at once: that is the rule `expired`.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from dltest.lake.storage.errors import DENIED
from dltest.lake.storage.order import FileOrder, Report
from dltest.lake.token_rules.catalogue import Action
from dltest.lake.token_rules.crossing import crossed
from dltest.lake.token_rules.exchange import Answer, NoAnswerError
from dltest.lake.token_rules.scene import (
    ACCEPTED,
    METHODS,
    NOT_OFFERED,
    NotPreparedError,
    Scene,
    Storage,
    act,
    outcome,
    prepare,
    seen,
)
from dltest.lake.token_rules.trial import not_tried, wait_until
from dltest.lake.token_rules.uses import EXPIRIES, documented_grace

POLL_SECONDS = 3.0
CROSSING = frozenset({Action.UPLOAD, Action.DOWNLOAD})

Use = Callable[[], tuple[bool, Answer]]


def outlive(keeper: str | None, file: FileOrder) -> Report:
    """Use the file's token before its end, and again and again after it, until it is refused."""
    expiry, storage, scene = EXPIRIES[str(file.rule)], Storage(keeper), Scene.of(file)

    def use() -> tuple[bool, Answer]:
        prepare(storage, scene, expiry.does)
        before = seen(storage, scene, expiry.does)
        answer = act(storage, expiry.does, scene.file, scene, file.bearer)
        return before == seen(storage, scene, expiry.does), answer

    try:
        if file.untried:
            told = not_tried(file.untried)
        elif expiry.does in CROSSING:
            told = crossed(storage, scene, file, expiry.does)
        else:
            request = f"{METHODS[expiry.does]} {scene.file}"
            told = outlived(file, request, use, partial(outcome, expiry.does))
    except NotPreparedError as error:
        return Report(file.url, DENIED.code, detail=str(error))
    except NoAnswerError as error:
        return Report(file.url, error.code, answered=False, detail=error.detail)
    return Report(file.url, evidence={"use": expiry.name, **told, "claims": file.claims})


def outlived(
    file: FileOrder, request: str, use: Use, outcome_of: Callable[[Answer], str]
) -> dict[str, Any]:
    """What came of a token's use before its end and after it.

    `use` is one use of it, and says whether it left everything as it was.
    """
    _, answer = use()
    left = round(float(file.claims["exp"]) - time.time(), 1)
    if left <= 0:
        return not_tried(f"the token's end came {-left:g} s before its first use was answered")
    if answer.status in NOT_OFFERED:
        return not_tried(f"the server knows no such request as {request}: {answer.words()}")
    told = {
        "outcome": outcome_of(answer),
        "request": request,
        "before": answer.words(),
        "before_its_end_seconds": left,
        "server": answer.server,
        "documented_seconds": documented_grace(answer.server),
    }
    return told if told["outcome"] != ACCEPTED else told | _after(file, use, outcome_of)


def _after(file: FileOrder, use: Use, outcome_of: Callable[[Answer], str]) -> dict[str, Any]:
    """What happens from the token's end on: `grace_seconds` is None if it was never refused."""
    end = float(file.claims["exp"])
    moment, uses = end, 0
    while True:
        wait_until(moment)
        asked_at = time.time()
        unchanged, answer = use()
        told = {
            "after": answer.words(),
            "after_outcome": outcome_of(answer),
            "unchanged": unchanged,
            "uses_after_its_end": uses,
        }
        if told["after_outcome"] != ACCEPTED:
            return told | {"grace_seconds": round(asked_at - end, 1) if uses else 0.0}
        moment, uses = time.time() + POLL_SECONDS, uses + 1
        if moment > end + file.patience_seconds:
            return told | {"grace_seconds": None}
