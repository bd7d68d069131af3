"""A case's status for people: steadier than its verdicts, so that nobody is woken by a flicker."""

from dltest.model.value import Value
from dltest.model.verdict import Verdict

COUNTED = frozenset({Verdict.PASSED, Verdict.DEGRADED, Verdict.FAILED})


class Steadiness(Value):
    """The status changes after `after` of the last `of` runs that found something out."""

    after: int = 2
    of: int = 3


class Status(Value):
    """Where a case stands.

    `verdict` is None until a run found something out. `recent` is what was counted since the
    status changed last, the newest at the end.
    """

    verdict: Verdict | None = None
    recent: tuple[Verdict, ...] = ()

    def after(self, verdict: Verdict, steadiness: Steadiness) -> "Status":
        """The status once one more run ended.

        It worsens to what `after` of the last `of` runs reach or exceed, and betters when the
        last `after` runs in a row were better; so a case that fails every other time stays
        failed. A run that found nothing out (skipped, inconclusive) changes nothing.
        """
        if verdict not in COUNTED:
            return self
        if self.verdict is None:
            return Status(verdict=verdict)
        recent = (*self.recent, verdict)[-steadiness.of :]
        changed = _worse(self.verdict, recent, steadiness) or _better(
            self.verdict, recent, steadiness
        )
        return Status(verdict=changed) if changed else Status(verdict=self.verdict, recent=recent)


def _worse(verdict: Verdict, recent: tuple[Verdict, ...], steadiness: Steadiness) -> Verdict | None:
    if len(recent) < steadiness.after:
        return None
    reached = sorted(recent, key=_rank, reverse=True)[steadiness.after - 1]
    return reached if _rank(reached) > _rank(verdict) else None


def _better(
    verdict: Verdict, recent: tuple[Verdict, ...], steadiness: Steadiness
) -> Verdict | None:
    newest = recent[-steadiness.after :]
    if len(newest) < steadiness.after:
        return None
    reached = max(newest, key=_rank)
    return reached if _rank(reached) < _rank(verdict) else None


def _rank(verdict: Verdict) -> int:
    return verdict.face.code
