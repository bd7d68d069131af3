"""A run's records against its scenario's expectations.

The truth table, per step:

    state      expected done               expected refused (overdue likewise)
    done       ok                          failed: not-refused
    refused    failed, blame as recorded   ok if the reason fits, else failed: wrong-reason
    overdue    failed, blame as recorded   failed, blame as recorded
    unknown    inconclusive                inconclusive
    skipped    nothing: an earlier step decided

A step that is ok fails nevertheless if its rule did not pass the states that it should, and is
degraded if it was slower or later than expected, or had to be tried again. What a storage did
with tokens is held against the rules by themselves (`token_rules`).

An exception means "we could not find out"; only an answer of the lake can fail a run.
"""

from collections.abc import Iterator

from dltest.judge import rucio_access, token_expiry, token_issuer, token_rules
from dltest.model import (
    RUCIO,
    SCENARIO,
    Blame,
    Case,
    Finding,
    Judgement,
    StepCall,
    StepRecord,
    StepState,
    Trouble,
    Verdict,
    worst_of,
)
from dltest.steps import Expect
from dltest.units import format_duration, human_seconds, human_size

UNHAPPY = {StepState.REFUSED: "refused", StepState.OVERDUE: "overdue"}
# A step that cannot be done with what dltest has here: nothing is wrong, and nothing was learnt.
NOT_SUPPORTED = "not-supported"


def judge(case: Case, records: tuple[StepRecord, ...], *, cancelled: bool = False) -> Judgement:
    """The verdict with its findings, the worst first.

    A run that a person cancelled before anything was wrong is `skipped`.
    """
    findings = tuple(
        finding
        for index, (call, record) in enumerate(zip(case.steps, records, strict=False))
        for finding in _findings(case, call, record, damage=_damage(records[:index]))
    )
    verdict = worst_of(finding.verdict for finding in findings)
    if not findings and not cancelled:
        verdict = Verdict.PASSED
    ordered = sorted(findings, key=lambda finding: -finding.verdict.face.code)
    return Judgement(verdict=verdict, findings=tuple(ordered))


def holds(case: Case, call: StepCall, record: StepRecord) -> bool:
    """Whether the step came to what it was expected to come to, speed aside."""
    expect = _expect(call)
    if record.state in UNHAPPY:
        return expect.outcome == UNHAPPY[record.state] and _is_expected(case, expect, record)
    return record.state is StepState.DONE and expect.outcome == "done"


def _expect(call: StepCall) -> Expect:
    return Expect.model_validate(call.body.get("expect", {}))


def _is_expected(case: Case, expect: Expect, record: StepRecord) -> bool:
    """Any refusal will do when nothing is said of it; else one trouble must fit all that is."""
    is_said = expect.reason or expect.phase or expect.blame
    return not is_said or any(_fits(case, expect, trouble) for trouble in record.troubles)


def _fits(case: Case, expect: Expect, trouble: Trouble) -> bool:
    return (
        (expect.reason is None or expect.reason in trouble.code)
        and expect.phase in {None, trouble.phase}
        and (expect.blame is None or _is_blamed(case, expect.blame, trouble.blame))
    )


def _is_blamed(case: Case, expected: str, blame: Blame) -> bool:
    if rse := case.targets.get(expected):
        return blame == Blame.site(rse)
    return blame.party.value == expected


def _words(expect: Expect) -> str:
    """What a refusal was expected to be, for people."""
    wanted = [f"'{expect.reason}'"] if expect.reason else []
    wanted += [f"in the {expect.phase} phase"] if expect.phase else []
    wanted += [f"with the blame on {expect.blame}"] if expect.blame else []
    return " ".join(wanted)


def _damage(earlier: tuple[StepRecord, ...]) -> str | None:
    """What the run had broken before, on purpose."""
    done = [r.evidence["damage"] for r in earlier if "damage" in r.evidence]
    return str(done[-1]) if done else None


def _findings(
    case: Case, call: StepCall, record: StepRecord, damage: str | None
) -> Iterator[Finding]:
    if holds(case, call, record):
        yield from _slow(case, call, record)
        yield from _late(case, call, record)
        yield from _retried(case, record)
        yield from _otherwise(call, record)
        yield from token_rules.findings(record)
        yield from token_expiry.findings(record)
        yield from token_issuer.findings(record)
        yield from rucio_access.findings(record)
        return
    match record.state:
        case StepState.UNKNOWN:
            yield from _told(record, Verdict.INCONCLUSIVE, "could-not-find-out")
        case StepState.OVERDUE | StepState.REFUSED:
            yield from _no_end(call, record)
        case StepState.DONE:
            yield _not_refused(case, record, damage)
        case _:
            return


def _told(record: StepRecord, verdict: Verdict, otherwise: str) -> Iterator[Finding]:
    """One finding for each different trouble; without any, the state itself is the finding."""
    if not record.troubles:
        title = f"{record.name} is {record.state}, and nothing says why"
        yield Finding(
            code=otherwise, title=title, blame=SCENARIO, verdict=verdict, step=record.name
        )
    for trouble in dict.fromkeys(record.troubles):
        yield _finding(record, trouble, verdict)


def _finding(record: StepRecord, trouble: Trouble, verdict: Verdict) -> Finding:
    return Finding(
        code=trouble.code,
        title=trouble.message,
        blame=trouble.blame,
        verdict=Verdict.SKIPPED if trouble.code == NOT_SUPPORTED else verdict,
        step=record.name,
    )


def _no_end(call: StepCall, record: StepRecord) -> Iterator[Finding]:
    """Refused or overdue, and not as expected."""
    expect, state = _expect(call), UNHAPPY[record.state]
    if expect.outcome == state:
        said = "; ".join(trouble.message for trouble in record.troubles)
        yield Finding(
            code="wrong-reason",
            title=f"{record.name} was {state}, but not for {_words(expect)}: {said}",
            blame=record.troubles[0].blame if record.troubles else SCENARIO,
            verdict=Verdict.FAILED,
            step=record.name,
        )
        return
    yield from _told(record, Verdict.FAILED, state)


def _not_refused(case: Case, record: StepRecord, damage: str | None) -> Finding:
    """Worse than any breakdown: what was broken on purpose passes for good."""
    title = f"{record.name} went through, and the lake should have refused it"
    return Finding(
        code="corruption-undetected" if damage else "not-refused",
        title=f"{title}: {damage} was not noticed" if damage else title,
        blame=_place(case, record),
        verdict=Verdict.FAILED,
        step=record.name,
    )


def _slow(case: Case, call: StepCall, record: StepRecord) -> Iterator[Finding]:
    wanted = _expect(call).rate
    measured = record.measured.get("rate_bytes_per_second")
    if wanted is None or measured is None or measured >= wanted:
        return
    yield Finding(
        code="slow",
        title=(
            f"{record.name} moved {human_size(measured)}/s,"
            f" less than the {human_size(wanted)}/s expected"
        ),
        blame=_place(case, record),
        verdict=Verdict.DEGRADED,
        step=record.name,
    )


def _late(case: Case, call: StepCall, record: StepRecord) -> Iterator[Finding]:
    wanted = _expect(call).time
    if wanted is None or record.began_at is None or record.ended_at is None:
        return
    taken = record.ended_at - record.began_at
    if taken <= wanted:
        return
    yield Finding(
        code="late",
        title=(
            f"{record.name} took {human_seconds(taken.total_seconds())},"
            f" longer than the {format_duration(wanted)} expected"
        ),
        blame=_place(case, record),
        verdict=Verdict.DEGRADED,
        step=record.name,
    )


def _retried(case: Case, record: StepRecord) -> Iterator[Finding]:
    """Who must act is told by what stood in the way of the last attempt that came to nothing."""
    if not record.attempts:
        return
    in_the_way = record.attempts[-1].troubles
    said = f": {in_the_way[0].message}" if in_the_way else ""
    yield Finding(
        code="retried",
        title=f"{record.name} went well at attempt {len(record.attempts) + 1} only{said}",
        blame=in_the_way[0].blame if in_the_way else _place(case, record),
        verdict=Verdict.DEGRADED,
        step=record.name,
    )


def _otherwise(call: StepCall, record: StepRecord) -> Iterator[Finding]:
    """The end is right, and the way there was not: states must be seen in their order."""
    wanted = list(_expect(call).states)
    told = record.evidence.get("states")
    seen = iter(told if isinstance(told, list) else [])
    if all(state in seen for state in wanted):
        return
    passed = ", ".join(map(str, told)) if isinstance(told, list) else "none"
    yield Finding(
        code="unexpected-states",
        title=f"{record.name} was to pass {', '.join(wanted)}, and passed {passed}",
        blame=record.troubles[0].blame if record.troubles else RUCIO,
        verdict=Verdict.FAILED,
        step=record.name,
    )


def _place(case: Case, record: StepRecord) -> Blame:
    """The link, for a replication over one; else the site that the step worked at."""
    names = list(case.targets.values())
    if record.name == "replicate" and len(names) == 2:
        return Blame.link(*names)
    rse = record.evidence.get("rse")
    return Blame.site(str(rse)) if rse else SCENARIO
