"""The live picture of runs: a row a case on a terminal, a line an event elsewhere."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType

from rich.live import Live
from rich.table import Table
from rich.text import Text

from dltest.cli.screen import errors, output
from dltest.model import Run, RunPhase, StepRecord, StepState, Verdict
from dltest.report.events import events, sentence
from dltest.report.matrix import Matrix, matrices
from dltest.report.token_matrix import token_matrix
from dltest.units import human_size

# More rows than a screen holds would hide the ones that matter.
ROWS = 40


class Board:
    """Shows runs while they go. `saw(run)` may be called from any thread."""

    def __init__(self, runs: Sequence[Run], *, quiet: bool = False) -> None:
        self._runs = {run.id: run for run in runs}
        self._lock = threading.Lock()
        self._quiet = quiet
        self._live = (
            Live(get_renderable=self._table, console=errors, refresh_per_second=4, transient=True)
            if errors.is_terminal and not quiet
            else None
        )

    def __enter__(self) -> "Board":
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    @property
    def runs(self) -> list[Run]:
        return list(self._runs.values())

    def saw(self, run: Run) -> None:
        with self._lock:
            before, self._runs[run.id] = self._runs.get(run.id), run
            if self._live is None and not self._quiet:
                for line in events(before, run):
                    stamp = datetime.now(UTC).strftime("%H:%M:%SZ")
                    errors.print(f"{stamp} {line}", markup=False, soft_wrap=True)

    def _table(self) -> Table:
        runs = self.runs
        ended = sum(run.is_ended for run in runs)
        table = Table(box=None, title=f"{ended} of {len(runs)} runs ended", title_justify="left")
        for name in ("", "case", "step", "bytes", "rate", "seconds"):
            table.add_column(name, justify="right" if name in {"bytes", "seconds"} else "left")
        for run in sorted(runs, key=_urgency)[:ROWS]:
            table.add_row(*_row(run))
        if len(runs) > ROWS:
            table.add_row("", f"and {len(runs) - ROWS} more")
        return table


def _urgency(run: Run) -> tuple[int, str]:
    order = {RunPhase.EXERCISING: 0, RunPhase.CLEANING: 1, RunPhase.PLANNED: 2, RunPhase.ENDED: 3}
    return order[run.phase], run.case.id


def _row(run: Run) -> tuple[Text | str, ...]:
    step = _current(run)
    done = step.progress.bytes_done if step and step.progress else 0
    rate = step.progress.rate_bytes_per_second if step and step.progress else None
    return (
        verdict_text(run.judgement.verdict) if run.judgement else "·",
        run.case.id,
        _step_text(run, step),
        human_size(done) if done else "",
        f"{human_size(rate)}/s" if rate else "",
        f"{_age(run):.0f}",
    )


def _current(run: Run) -> StepRecord | None:
    if run.phase is RunPhase.CLEANING:
        return run.cleanup
    return next((r for r in run.records if r.state is StepState.WAITING), None)


def _step_text(run: Run, step: StepRecord | None) -> str:
    if run.is_ended or step is None:
        return run.held or run.phase.value
    note = step.progress.note if step.progress else ""
    return f"{step.name} {note}".strip()


def _age(run: Run) -> float:
    if run.started_at is None:
        return 0.0
    return ((run.finished_at or datetime.now(UTC)) - run.started_at).total_seconds()


def verdict_text(verdict: Verdict, text: str | None = None) -> Text:
    """A verdict's letter, or another text, in its colour."""
    return Text(text or verdict.face.letter, style=f"bold {verdict.face.colour}")


def print_matrices(runs: Sequence[Run]) -> None:
    tokens = token_matrix(runs)
    for matrix in (*matrices(runs), *([tokens] if tokens else [])):
        output.print(_matrix_table(matrix))
        output.print()


def _matrix_table(matrix: Matrix) -> Table:
    table = Table(title=matrix.title, title_justify="left", box=None, padding=(0, 2))
    table.add_column(matrix.corner, style="bold")
    for column in matrix.columns:
        table.add_column(column, justify="center")
    for row in matrix.rows:
        cells = (matrix.cells.get((row, column)) for column in matrix.columns)
        table.add_row(row, *(verdict_text(cell) if cell else Text("·") for cell in cells))
    return table


def print_summary(runs: Sequence[Run]) -> None:
    """Counts by verdict, then every run that did not pass, with where to look."""
    counts = dict.fromkeys(Verdict, 0)
    for run in runs:
        counts[run.judgement.verdict if run.judgement else Verdict.INCONCLUSIVE] += 1
    line = Text(f"{len(runs)} runs: ")
    told = [verdict_text(v, f"{n} {v.value}") for v, n in counts.items() if n]
    output.print(line + Text(", ").join(told))
    for run in runs:
        if run.judgement and run.judgement.verdict is not Verdict.PASSED:
            output.print(verdict_text(run.judgement.verdict), run.case.id, end=" ")
            output.print(Text(sentence(run)))
            output.print(Text(f"  {_command(run)}", style="dim"))
    leftovers = sum(run.leftovers for run in runs)
    if leftovers:
        output.print(f"{leftovers} leftovers; `dltest sweep` removes them once the lake lets it")


def print_where_to_look(runs: Sequence[Run], pages: str | None) -> None:
    """The next command, and the service's pages where there are any."""
    if not runs:
        return
    output.print()
    output.print(Text(f"one run whole:  {_command(runs[-1])}"))
    output.print(Text("all runs:       dltest list"))
    if pages:
        output.print(Text(f"the matrix:     {pages}/"))
        output.print(Text(f"for Prometheus: {pages}/metrics"))


def _command(run: Run) -> str:
    return f"dltest show {run.id}"
