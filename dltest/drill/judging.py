"""What became of one fault: noticed or not, the right party blamed or not, and who cried wolf."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dltest.drill.trial import Trial
from dltest.lab.faults.fault import Notice
from dltest.model import Run, Verdict

RED = {Verdict.FAILED, Verdict.INCONCLUSIVE}


@dataclass(frozen=True, slots=True)
class Seen:
    """What one case said while the fault was there."""

    case: str
    verdict: str
    blame: str | None
    code: str | None
    message: str
    seconds: float | None

    @classmethod
    def of(cls, run: Run) -> "Seen":
        judgement = run.judgement
        finding = judgement.findings[0] if judgement and judgement.findings else None
        return cls(
            case=run.case.id,
            verdict=judgement.verdict.value if judgement else "none",
            blame=str(judgement.blame) if judgement and judgement.blame else None,
            code=finding.code if finding else None,
            message=finding.title if finding else "",
            seconds=_until_noticed(run),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """The drill's answer for one fault."""

    fault: str
    target: str | None
    detected: bool
    blame_right: bool
    healed: bool
    false_alarms: tuple[Seen, ...]
    seen: tuple[Seen, ...]
    wrong_while_broken: tuple[str, ...]
    wrong_once_healed: tuple[str, ...]
    seconds: float | None

    @property
    def wrong(self) -> tuple[str, ...]:
        return self.wrong_while_broken + self.wrong_once_healed

    @property
    def is_good(self) -> bool:
        return self.detected and self.blame_right and self.healed and not self.false_alarms

    def as_object(self) -> dict[str, Any]:
        return {
            "fault": self.fault,
            "target": self.target,
            "good": self.is_good,
            "detected": self.detected,
            "blame_right": self.blame_right,
            "healed": self.healed,
            "seconds": self.seconds,
            "seen": [asdict(one) for one in self.seen],
            "false_alarms": [asdict(one) for one in self.false_alarms],
            "wrong": list(self.wrong),
        }


def judged(
    trial: Trial,
    during: Mapping[str, Run],
    beside: Iterable[Run],
    after: Mapping[str, Run],
) -> Outcome:
    """`during`: the runs of its own cases by case; `beside`: those of bystanders; `after`: healed.

    A case that has no run counts as one that said nothing.
    """
    seen = {case.id: Seen.of(during[case.id]) for case in trial.cases if case.id in during}
    expected = [(case.id, notice) for case, notice in trial.expected]
    missed = [_missed(name, notice, seen.get(name), trial) for name, notice in expected]
    blamed = [
        _misblamed(case.id, trial.blame(case, notice), seen.get(case.id))
        for case, notice in trial.expected
    ]
    alarms = tuple(Seen.of(run) for run in beside if is_red(run))
    still = [_not_healed(name, after.get(name)) for name, _ in expected]
    times = [one.seconds for one in seen.values() if one.seconds is not None]
    return Outcome(
        fault=trial.fault.name,
        target=trial.target,
        detected=not any(missed),
        blame_right=not any(blamed),
        healed=not any(still),
        false_alarms=alarms,
        seen=tuple(seen.values()),
        wrong_while_broken=tuple(filter(None, [*missed, *blamed, *map(_alarmed, alarms)])),
        wrong_once_healed=tuple(filter(None, still)),
        seconds=round(max(times), 1) if times else None,
    )


def _missed(case: str, notice: Notice, seen: Seen | None, trial: Trial) -> str:
    if seen is None:
        return f"{case} did not run"
    if seen.verdict != notice.verdict.value:
        return f"{case} is {seen.verdict}, not {notice.verdict.value}: {seen.message}".rstrip(": ")
    if seen.code not in notice.codes:
        return f"{case} says {seen.code}, not {' or '.join(notice.codes)}: {seen.message}"
    if seen.seconds is not None and seen.seconds > trial.drill.seconds:
        return f"{case} took {seen.seconds:.0f} s to notice, more than {trial.drill.seconds:.0f}"
    return ""


def _misblamed(case: str, wanted: str, seen: Seen | None) -> str:
    if seen is None or seen.blame == wanted:
        return ""
    return f"{case} blames {seen.blame or 'nobody'}, not {wanted}"


def _alarmed(seen: Seen) -> str:
    return f"{seen.case} is {seen.verdict} for {seen.code}, and shares nothing with it"


def _not_healed(case: str, run: Run | None) -> str:
    if run is None:
        return f"{case} did not run once it was healed"
    return f"{case} is {Seen.of(run).verdict} once it is healed" if is_red(run) else ""


def is_red(run: Run) -> bool:
    """Also where dltest has no verdict, which is never right."""
    return run.judgement is None or run.judgement.verdict in RED


def _until_noticed(run: Run) -> float | None:
    """Seconds from the run's begin to the end of the step that decided."""
    findings = run.judgement.findings if run.judgement else ()
    deciding = {finding.step for finding in findings}
    ends = [one.ended_at for one in run.records if one.name in deciding and one.ended_at]
    if not ends or run.started_at is None:
        return None
    return round((max(ends) - run.started_at).total_seconds(), 1)
