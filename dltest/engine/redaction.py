"""The last door before a record is kept for ever: no secret passes, whoever said it."""

from dataclasses import replace

from dltest.engine.actions import Broken, Refused, Result, Silent
from dltest.model import Trouble
from dltest.model.redaction import redacted, redacted_json
from dltest.steps import Done


def without_secrets(result: Result) -> Result:
    """The same result; what a step remembers only for itself is left as it is."""
    match result:
        case Done():
            evidence = {key: redacted_json(value) for key, value in result.evidence.items()}
            troubles = tuple(_without(one) for one in result.troubles)
            return replace(result, evidence=evidence, troubles=troubles)
        case Refused() | Silent():
            return replace(result, trouble=_without(result.trouble))
        case Broken():
            told = redacted(result.traceback)
            return replace(result, trouble=_without(result.trouble), traceback=told)
        case _:
            return result


def _without(trouble: Trouble) -> Trouble:
    return trouble.model_copy(update={"message": redacted(trouble.message)})
