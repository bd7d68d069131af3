"""What the end of a storage job says, and of whom."""

import pytest

from dltest.lake.ports import JobState, JobStatus
from dltest.steps.bytes import cut_short


@pytest.mark.parametrize(
    ("status", "code", "blame", "known"),
    [
        (JobStatus(state=JobState.LOST, timed_out=True), "storage-timeout", "site XRD1", True),
        (JobStatus(state=JobState.RUNNING), "storage-timeout", "site XRD1", True),
        (JobStatus(state=JobState.QUEUED), "mover-lost", "dltest", False),
        (JobStatus(state=JobState.LOST, detail="it died"), "mover-lost", "dltest", False),
    ],
)
def test_only_a_storage_that_let_us_wait_is_blamed(status, code, blame, known):
    done = cut_short("XRD1", status)
    (trouble,) = done.troubles
    assert (trouble.code, str(trouble.blame), done.known) == (code, blame, known)
