"""What changed between two sights of a run, a line each, for logs and CI."""

from collections.abc import Iterator

from dltest.model import Run, StepRecord, Verdict
from dltest.units import human_seconds, human_size


def events(before: Run | None, now: Run) -> Iterator[str]:
    """Lines without a time stamp, in the order in which things happened."""
    if now.held and now.held != (before.held if before else None):
        yield f"{now.case.id} waits to begin: {now.held}"
    known = {(i, r.state) for i, r in enumerate(before.records)} if before else set()
    for index, record in enumerate(now.records):
        if (index, record.state) not in known and record.state.is_final:
            yield f"{now.case.id} {step_line(record)}"
    if now.judgement and not (before and before.judgement):
        yield f"{now.case.id} {sentence(now)}"


def step_line(record: StepRecord) -> str:
    """`verify done in 0.4 s, 1 MB at 12 MB/s`."""
    line = f"{record.name} {record.state}"
    if record.began_at and record.ended_at:
        line += f" in {human_seconds((record.ended_at - record.began_at).total_seconds())}"
    if size := record.measured.get("bytes"):
        line += f", {human_size(size)}"
    if rate := record.measured.get("rate_bytes_per_second"):
        line += f" at {human_size(rate)}/s"
    return line


def sentence(run: Run) -> str:
    """The run in one sentence: the verdict, who must act, and why."""
    judgement = run.judgement
    if judgement is None:
        return run.held or "not finished"
    if not judgement.findings:
        return judgement.verdict.value
    first = judgement.findings[0]
    more = len(judgement.findings) - 1
    tail = f" (and {more} more)" if more else ""
    told = f"{first.code}: {first.title}{tail}"
    if judgement.verdict is Verdict.SKIPPED:
        # Nothing was tried, so nothing is wrong with anybody.
        return f"{judgement.verdict}: {told}"
    return f"{judgement.verdict}, {first.blame} must act: {told}"
