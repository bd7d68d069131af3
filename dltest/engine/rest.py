"""How long a waiting run rests, and what wakes it before (docs/adr/0005)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dltest.model import Run, WatchKind
from dltest.steps import Waiting

# A run that is woken when something happens looks by itself only for its progress, and for when
# nobody wakes it: after a share of the time it has waited.
SHARE_OF_WAIT = 4
LONGEST_REST = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Rules:
    """The installation's limits that the machine keeps."""

    patience: timedelta
    cleanup_limit: timedelta
    poll_every: timedelta | None = None
    """How often somebody looks for all runs at once; None: each run looks for itself."""


def rests(run: Run, waiting: Waiting, since: datetime, now: datetime, rules: Rules) -> Run:
    """The run until it looks again or is woken: at first it looks sooner than anybody would."""
    if not _is_watched(waiting, rules):
        wake_at = now + waiting.look_again_in
        return run.model_copy(update={"handle": waiting.handle, "wake_at": wake_at})
    rest = min(max((now - since) / SHARE_OF_WAIT, waiting.look_again_in), LONGEST_REST)
    wake_at = min(now + rest, run.deadline or now + rest)
    return run.model_copy(
        update={"handle": waiting.handle, "wake_at": wake_at, "watch": waiting.watch}
    )


def _is_watched(waiting: Waiting, rules: Rules) -> bool:
    if waiting.watch is None or rules.poll_every is None:
        return False
    # The end of a job is told at once, whatever the poll does.
    return waiting.watch.kind is WatchKind.JOB or waiting.look_again_in >= rules.poll_every
