"""A job's state follows from its files' as in FTS."""

import pytest

from dltest.lab.transfer_service.outcome import job_outcome
from dltest.lab.transfer_service.vocabulary import FileState, JobState, JobType


@pytest.mark.parametrize(
    ("job_type", "files", "outcome"),
    [
        ("N", "0:FINISHED 1:FINISHED", "FINISHED"),
        ("N", "0:FINISHED 1:ACTIVE", None),
        ("N", "0:FINISHED 1:FAILED", "FINISHEDDIRTY"),
        ("N", "0:FAILED 1:FAILED", "FAILED"),
        ("N", "0:CANCELED 1:CANCELED", "CANCELED"),
        ("N", "0:FINISHED 1:CANCELED", "CANCELED"),
        ("N", "0:FAILED 1:CANCELED", "FAILED"),
        ("N", "0:FINISHED 1:ARCHIVING", "ARCHIVING"),
        ("N", "0:ACTIVE 1:ARCHIVING", None),
        ("R", "0:FINISHED 0:NOT_USED", "FINISHED"),
        ("R", "0:FAILED 0:FINISHED", "FINISHED"),
        ("R", "0:FAILED 0:SUBMITTED", None),
        ("R", "0:FAILED 0:FAILED", "FAILED"),
        ("H", "0:FINISHED 1:SUBMITTED", None),
        ("H", "0:FAILED 1:NOT_USED", "FAILED"),
        ("H", "0:FINISHED 1:FAILED", "FAILED"),
        ("H", "0:CANCELED 1:NOT_USED", "CANCELED"),
        ("H", "0:FINISHED 1:FINISHED", "FINISHED"),
    ],
)
def test_outcome(job_type: str, files: str, outcome: str | None) -> None:
    pairs = [word.split(":") for word in files.split()]
    states = [(int(index), FileState(state)) for index, state in pairs]
    expected = None if outcome is None else JobState(outcome)
    assert job_outcome(JobType(job_type), states) == expected
