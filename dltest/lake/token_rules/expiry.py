"""How long a storage goes on accepting a token that it has seen good, after the token's end.

Storages keep what they found out about a token for a while; each implementation says how long.
What a storage has never seen, it must refuse at once: that is the rule `expired`.
"""

import time
from typing import Any

from dltest.lake.storage.errors import DENIED
from dltest.lake.storage.order import FileOrder, Report
from dltest.lake.token_rules.catalogue import EXPIRIES, Expiry, documented_grace
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

POLL_SECONDS = 2.0


def outlive(keeper: str | None, file: FileOrder) -> Report:
    """Use the file's token before its end, and again and again after it, until it is refused."""
    expiry = EXPIRIES[str(file.rule)]
    try:
        told = not_tried(file.untried) if file.untried else _outlived(Storage(keeper), file, expiry)
    except NotPreparedError as error:
        return Report(file.url, DENIED.code, detail=str(error))
    except NoAnswerError as error:
        return Report(file.url, error.code, answered=False, detail=error.detail)
    return Report(file.url, evidence={"use": expiry.name, **told, "claims": file.claims})


def _outlived(storage: Storage, file: FileOrder, expiry: Expiry) -> dict[str, Any]:
    scene, end = Scene.of(file), float(file.claims["exp"])
    _, answer = _used(storage, scene, file, expiry)
    told = {
        "outcome": outcome(expiry.does, answer),
        "request": f"{METHODS[expiry.does]} {scene.file}",
        "before": answer.words(),
        "before_its_end_seconds": round(end - time.time(), 1),
        "server": answer.server,
        "documented_seconds": documented_grace(answer.server),
    }
    if answer.status in NOT_OFFERED:
        return not_tried(f"the storage offers no {METHODS[expiry.does]}: {answer.words()}")
    return told if told["outcome"] != ACCEPTED else told | _after(storage, scene, file, expiry)


def _after(storage: Storage, scene: Scene, file: FileOrder, expiry: Expiry) -> dict[str, Any]:
    """What happens from the token's end on: `grace_seconds` is None if it was never refused."""
    end = float(file.claims["exp"])
    give_up, uses, moment = end + file.patience_seconds, 0, end
    while moment < give_up:
        wait_until(moment)
        asked_at = time.time()
        unchanged, answer = _used(storage, scene, file, expiry)
        uses += 1
        if outcome(expiry.does, answer) != ACCEPTED:
            return {
                "after": answer.words(),
                "after_outcome": outcome(expiry.does, answer),
                "unchanged": unchanged,
                "grace_seconds": round(asked_at - end, 1) if uses > 1 else 0.0,
                "uses_after_its_end": uses - 1,
            }
        moment = time.time() + POLL_SECONDS
    return {
        "after": answer.words(),
        "after_outcome": ACCEPTED,
        "grace_seconds": None,
        "uses_after_its_end": uses,
    }


def _used(storage: Storage, scene: Scene, file: FileOrder, expiry: Expiry) -> tuple[bool, Answer]:
    """One use of the token, and whether it left everything as it was."""
    prepare(storage, scene, expiry.does)
    before = seen(storage, scene, expiry.does)
    answer = act(storage, expiry.does, scene.file, scene, file.bearer)
    return before == seen(storage, scene, expiry.does), answer
