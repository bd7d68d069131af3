"""What the states of its files make of a job. Pure; the rules are FTS's own."""

from collections import defaultdict
from collections.abc import Iterable

from dltest.lab.transfer_service.vocabulary import FileState, JobState, JobType

_DEAD = {FileState.FAILED, FileState.CANCELED}


def job_outcome(job_type: JobType, files: Iterable[tuple[int, FileState]]) -> JobState | None:
    """The job's final state, or ARCHIVING when only that is left; None while it goes on.

    `files` are (file index, state). Replicas of one file share an index: one that finished is
    enough, and only if all are dead is the file. A broken hop ends a multihop job at once.
    """
    by_index: dict[int, set[FileState]] = defaultdict(set)
    for index, state in files:
        by_index[index].add(state)
    states = list(by_index.values())
    canceled = sum(group == {FileState.CANCELED} for group in states)
    finished = sum(FileState.FINISHED in group for group in states)
    failed = sum(group <= _DEAD for group in states) - canceled
    archiving = sum(FileState.ARCHIVING in group for group in states)
    broken_chain = job_type is JobType.MULTI_HOP and failed + canceled > 0
    if canceled + finished + failed == len(states) or broken_chain:
        return _final(job_type, len(states), finished, failed)
    if archiving and canceled + finished + failed + archiving == len(states):
        return JobState.ARCHIVING
    return None


def _final(job_type: JobType, total: int, finished: int, failed: int) -> JobState:
    if finished and failed:
        return JobState.FAILED if job_type is JobType.MULTI_HOP else JobState.FINISHEDDIRTY
    if finished == total:
        return JobState.FINISHED
    return JobState.FAILED if failed else JobState.CANCELED
