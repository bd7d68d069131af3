"""What a waiting run waits for, said so that one look at the lake can serve all that wait."""

from enum import StrEnum

from dltest.model.value import Value


class WatchKind(StrEnum):
    """`rule` and `replica` are looked up in bulk; the end of a `job` is told by its mover."""

    RULE = "rule"
    REPLICA = "replica"
    JOB = "job"


class Watch(Value):
    """`key` is a rule's id, a file's name (at `rse`) or a job's id; `seen` how it stood last."""

    kind: WatchKind
    key: str
    rse: str = ""
    seen: str = ""
