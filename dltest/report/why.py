"""Why a rule is stuck, for people: one sentence, then the facts as a short table."""

from collections.abc import Iterator, Mapping

from dltest.model import Run

WHY = "why"


def found_out(run: Run) -> Mapping[str, object] | None:
    """What the latest step of the run that found something out has kept of it."""
    told = [record.evidence[WHY] for record in run.records if WHY in record.evidence]
    return told[-1] if told and isinstance(told[-1], dict) else None


def lines(why: Mapping[str, object]) -> Iterator[str]:
    """The sentence, then a fact a line, indented, in columns."""
    yield str(why.get("sentence", ""))
    facts = why.get("facts")
    if not isinstance(facts, Mapping):
        return
    width = max(map(len, facts), default=0)
    for name, told in facts.items():
        yield f"  {name:<{width}}  {told}"
