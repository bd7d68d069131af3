"""`dltest lab`: a whole real data lake on this machine."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from dltest.errors import LabError
from dltest.lab import control
from dltest.lab.description import State
from dltest.lab.faults import FAULTS, UnknownFaultError
from dltest.lab.status import status as lab_status

app = typer.Typer(
    name="lab",
    no_args_is_help=True,
    help="A whole real data lake on this machine: Rucio, six XRootD storage elements, a "
    "transfer service, PostgreSQL and Redis. Nothing of it runs as root, and all of it lives "
    "below one folder.",
)


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="lab")


Dir = Annotated[Path, typer.Option("--dir", help="Where the lab lives.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the lab's status as JSON.")]
FaultName = Annotated[str, typer.Argument(metavar="FAULT", help="What to break; see below.")]
Target = Annotated[str | None, typer.Argument(metavar="[TARGET]", help="An RSE or a daemon.")]
By = Annotated[
    str | None,
    typer.Option("--by", help="Whose fault it is; each undoes only its own.", hidden=True),
]
Wait = Annotated[
    float | None,
    typer.Option("--wait", help="Seconds after which to leave with 75 if not there.", hidden=True),
]
HOME = Path(".lab")
# EX_TEMPFAIL of sysexits.h: ask again.
EXIT_NOT_YET = 75
COLOURS = {"ready": "green", "done": "green", "down": "red", "failed": "red", "hung": "red"}

_out = Console()
_err = Console(stderr=True)


@app.command()
def up(
    *,
    directory: Dir = HOME,
    rucio: Annotated[
        str | None, typer.Option("--rucio", help="Release of the Rucio server, such as 41.5.1.")
    ] = None,
    service: Annotated[
        bool, typer.Option("--service", help="Also run dltest's own workers, beat and web.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the lab up and wait until it carries out rules.

    Can be repeated: it repairs what a crash or a reboot left, keeps the data and the ports,
    and adds what was not there (`--service`).
    """
    console = _err if as_json else _out
    with _said_in_one_sentence():
        if control.is_up(directory, service=service) and rucio is None:
            console.print(f"the lab in {directory} is already up", soft_wrap=True)
        else:
            show = _progress(console)
            with show:
                control.up(
                    directory, release=rucio, service=service, tell=show.tell, watch=show.watch
                )
            console.print(f"the lab in {directory} is up", soft_wrap=True)
    if as_json:
        _print_json(lab_status(directory))


@app.command()
def status(*, directory: Dir = HOME, as_json: AsJson = False) -> None:
    """Show every part of the lab; exit 0 if all are ready, else 1."""
    with _said_in_one_sentence():
        seen = lab_status(directory)
    if seen is None:
        _fail(f"there is no lab in {directory}; make one with `dltest lab up --dir {directory}`")
    if as_json:
        _print_json(seen)
    else:
        _print_status(seen)
    raise typer.Exit(0 if seen["ready"] else 1)


@app.command()
def down(
    *,
    directory: Dir = HOME,
    purge: Annotated[bool, typer.Option("--purge", help="Also remove all of its files.")] = False,
) -> None:
    """End every process of the lab; its data stays for the next `up` unless purged."""
    with _said_in_one_sentence():
        control.down(directory, purge=purge, tell=_out.print)
    _out.print(f"the lab in {directory} is {'gone' if purge else 'down'}", soft_wrap=True)


def _list_faults() -> str:
    lines = [f"- {one.name} {one.kind or ''}: {one.title}." for one in FAULTS]
    return "The faults:\n\n" + "\n\n".join(lines)


@app.command(name="break", epilog=_list_faults())
def break_(
    fault: FaultName,
    target: Target = None,
    *,
    directory: Dir = HOME,
    by: By = None,
    wait: Wait = None,
) -> None:
    """Break one thing on purpose, and return when it is broken."""
    seconds = control.CHANGE_SECONDS if wait is None else wait
    with _said_in_one_sentence(may_ask_again=wait is not None):
        thing = control.break_(directory, fault, target, by=by or "", seconds=seconds)
    _out.print(f"broken: {thing.fault} {thing.target or ''}".rstrip())


@app.command()
def heal(
    fault: Annotated[str | None, typer.Argument(metavar="[FAULT]")] = None,
    target: Target = None,
    *,
    directory: Dir = HOME,
    by: By = None,
    wait: Wait = None,
) -> None:
    """Undo one fault, or all of them, and return when the parts are healthy again."""
    seconds = control.CHANGE_SECONDS if wait is None else wait
    with _said_in_one_sentence(may_ask_again=wait is not None):
        healed = control.heal(directory, fault, target, by=by, seconds=seconds)
    for thing in healed:
        _out.print(f"healed: {thing.fault} {thing.target or ''}".rstrip())
    if not healed:
        _out.print("nothing was broken")


class _said_in_one_sentence:  # noqa: N801 - reads as a function
    """Turns what the lab foresaw into one sentence and an exit code."""

    def __init__(self, *, may_ask_again: bool = False) -> None:
        self._may_ask_again = may_ask_again

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: Any, trace: object) -> None:
        if isinstance(error, UnknownFaultError):
            _fail(str(error), code=2)
        if isinstance(error, control.NotYetError) and self._may_ask_again:
            _fail(str(error), code=EXIT_NOT_YET)
        if isinstance(error, LabError):
            _fail(str(error))


def _fail(message: str, code: int = 1) -> NoReturn:
    _err.print(f"[red]error:[/] {message}", highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def _print_json(document: object) -> None:
    typer.echo(json.dumps(document, indent=2))


class _Lines:
    """Progress as one line an event, for logs."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._last: dict[str, str] = {}

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    def tell(self, sentence: str) -> None:
        self._say(sentence)

    def watch(self, state: State) -> None:
        for part in state.parts:
            if self._last.get(part.name) != part.state and part.state != "waiting":
                words = f" ({part.message})" if part.message else ""
                self._say(f"{part.name}: {part.state}{words}")
            self._last[part.name] = part.state


class _Board(_Lines):
    """Progress as a live table, for terminals."""

    def __init__(self, console: Console) -> None:
        super().__init__(console.print)
        self._live = Live(console=console, transient=True)

    def __enter__(self) -> None:
        self._live.start()

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def watch(self, state: State) -> None:
        parts = [part.model_dump() for part in state.parts]
        self._live.update(_parts_table(parts, ("name", "state", "port")))


def _progress(console: Console) -> _Lines:
    if console.is_terminal:
        return _Board(console)
    return _Lines(lambda sentence: console.print(sentence, highlight=False, soft_wrap=True))


def _parts_table(parts: list[dict[str, Any]], columns: tuple[str, ...]) -> Group:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), no_wrap=True)
    for part in parts:
        cells = ["" if part[column] is None else str(part[column]) for column in columns]
        colour = COLOURS.get(part["state"], "yellow")
        table.add_row(cells[0], f"[{colour}]{cells[1]}[/]", *cells[2:])
    words = [Text(f"{part['name']}: {part['message']}") for part in parts if part["message"]]
    return Group(table, *words)


def _print_status(seen: dict[str, Any]) -> None:
    whole = "ready" if seen["ready"] else "not ready" if seen["supervised"] else "not up"
    _out.print(f"lab {seen['dir']}: [bold]{whole}[/], Rucio {seen['rucio_version']}")
    columns = ("name", "state", "pid", "port", "restarts", "pss_mib")
    _out.print(_parts_table(seen["parts"], columns))
    memory = sum(part["pss_mib"] or 0 for part in seen["parts"])
    _out.print(f"memory {memory:.0f} MiB, files below {seen['root']}")
    for name, url in seen["endpoints"].items():
        if url:
            _out.print(f"{name:>15} {url}", highlight=False)
    for thing in seen["broken"]:
        where = f" {thing['target']}" if thing["target"] else ""
        _out.print(f"[red]broken:[/] {thing['fault']}{where} since {thing['since']}")
    if seen["left_over_processes"]:
        _out.print("processes of an interrupted run are left; `dltest lab up` or `down` ends them")


if __name__ == "__main__":
    app()
