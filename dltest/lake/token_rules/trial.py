"""Tries one rule on a storage, in a mover."""

import time
from collections.abc import Mapping
from typing import Any

from dltest.lake.storage.errors import DENIED
from dltest.lake.storage.order import FileOrder, Report
from dltest.lake.token_rules.catalogue import RULES, Must, Rule
from dltest.lake.token_rules.exchange import NoAnswerError
from dltest.lake.token_rules.scene import (
    METHODS,
    NOT_OFFERED,
    NOT_TRIED,
    NotPreparedError,
    Scene,
    Storage,
    act,
    outcome,
    prepare,
    seen,
)

PAST_ITS_END_SECONDS = 1.0


def try_rule(keeper: str | None, file: FileOrder) -> Report:
    """What came of the rule that the file stands for; `keeper` is our own token."""
    rule = RULES[str(file.rule)]
    if file.untried:
        return _report(file, rule, not_tried(file.untried))
    try:
        return _report(file, rule, _tried(Storage(keeper), file, rule))
    except NotPreparedError as error:
        return Report(file.url, DENIED.code, detail=str(error))
    except NoAnswerError as error:
        return Report(file.url, error.code, answered=False, detail=error.detail)


def not_tried(why: str) -> dict[str, Any]:
    return {"outcome": NOT_TRIED, "reason": why}


def _tried(storage: Storage, file: FileOrder, rule: Rule) -> dict[str, Any]:
    scene = Scene.of(file)
    prepare(storage, scene, rule.does)
    before = seen(storage, scene, rule.does)
    if rule.bearer and rule.bearer.outlived:
        wait_until(float(file.claims.get("exp", 0)) + PAST_ITS_END_SECONDS)
    asked_for = f"{scene.origin}{rule.path.format_map(scene.places)}"
    answer = act(storage, rule.does, asked_for, scene, file.bearer)
    if rule.must is Must.ACCEPTED and answer.status in NOT_OFFERED:
        return not_tried(f"the storage offers no {METHODS[rule.does]}: {answer.words()}")
    return {
        "outcome": outcome(rule.does, answer),
        "request": f"{METHODS[rule.does]} {asked_for}",
        "status": answer.status,
        "reason": answer.words(),
        "unchanged": before == seen(storage, scene, rule.does),
        "server": answer.server,
        "seconds": round(answer.seconds, 3),
    }


def _report(file: FileOrder, rule: Rule, told: Mapping[str, Any]) -> Report:
    evidence = {"rule": rule.name, "must": rule.must.value, **told, "claims": file.claims}
    return Report(file.url, evidence=evidence)


def wait_until(moment: float) -> None:
    """In a mover, which may be killed at any time: no step waits here."""
    time.sleep(max(0.0, moment - time.time()))
