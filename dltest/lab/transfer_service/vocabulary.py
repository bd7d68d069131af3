"""FTS3's words: states of files and jobs, scopes of errors, kinds of jobs."""

from enum import StrEnum


class FileState(StrEnum):
    SUBMITTED = "SUBMITTED"
    READY = "READY"
    ACTIVE = "ACTIVE"
    STAGING = "STAGING"
    STARTED = "STARTED"
    ARCHIVING = "ARCHIVING"
    NOT_USED = "NOT_USED"
    TOKEN_PREP = "TOKEN_PREP"  # noqa: S105 - FTS's word for waiting for refresh tokens
    ON_HOLD = "ON_HOLD"
    ON_HOLD_STAGING = "ON_HOLD_STAGING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


class JobState(StrEnum):
    SUBMITTED = "SUBMITTED"
    STAGING = "STAGING"
    READY = "READY"
    ACTIVE = "ACTIVE"
    ARCHIVING = "ARCHIVING"
    FINISHED = "FINISHED"
    FINISHEDDIRTY = "FINISHEDDIRTY"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


class JobType(StrEnum):
    REGULAR = "N"
    MULTI_REPLICA = "R"
    MULTI_HOP = "H"
    SESSION_REUSE = "Y"


class Scope(StrEnum):
    """Where a transfer went wrong; the first word of a file's reason."""

    SOURCE = "SOURCE"
    DESTINATION = "DESTINATION"
    TRANSFER = "TRANSFER"
    STAGING = "STAGING"
    ARCHIVING = "ARCHIVING"
    AGENT = "GENERAL_FAILURE"


# What a cancelled job takes down with it; NOT_USED and held files keep their state, as in FTS.
CANCELLABLE_FILES = frozenset(
    {
        FileState.SUBMITTED,
        FileState.READY,
        FileState.ACTIVE,
        FileState.STAGING,
        FileState.STARTED,
        FileState.ARCHIVING,
    }
)
RUNNING_FILES = frozenset({FileState.READY, FileState.ACTIVE})
TERMINAL_FILES = frozenset({FileState.FINISHED, FileState.FAILED, FileState.CANCELED})
TERMINAL_JOBS = frozenset(
    {JobState.FINISHED, JobState.FINISHEDDIRTY, JobState.FAILED, JobState.CANCELED}
)

SOME_FILES_FAILED = (
    "One or more files failed. Please have a look at the details for more information"
)
CANCELED_BY_USER = "Job canceled by the user"
STORAGE_BANNED = "Storage banned"
QUEUE_EXPIRED = (
    "Job has been canceled because it stayed in the queue for too long (max-time-in-queue timeout)"
)
DESTINATION_EXISTS = "Destination file exists and overwrite is not enabled"
