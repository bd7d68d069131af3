"""No result of a step becomes a record with a secret in it."""

from datetime import timedelta

from dltest.engine.actions import Broken, Refused, Silent
from dltest.engine.redaction import without_secrets
from dltest.model import RUCIO, Trouble
from dltest.steps import Done, Waiting

TROUBLE = Trouble(code="x", message="password=c4n4ry-1", blame=RUCIO)


def test_troubles_evidence_and_tracebacks_are_looked_through() -> None:
    done = Done(evidence={"said": ["Bearer c4n4ry-2"], "rule": "abc"}, troubles=(TROUBLE,))
    results = (done, Refused(TROUBLE), Silent(TROUBLE), Broken(TROUBLE, "authz=c4n4ry-3"))
    told = [without_secrets(result) for result in results]
    assert "c4n4ry" not in repr(told)
    assert isinstance(told[0], Done)
    assert told[0].evidence["rule"] == "abc"


def test_what_a_step_remembers_is_left_as_it_is() -> None:
    waiting = Waiting({"job": "password=1"}, timedelta(seconds=1))
    assert without_secrets(waiting) == waiting
    assert without_secrets(None) is None
