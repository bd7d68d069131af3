"""`dltest`: all commands, and the one place where errors become exit codes.

Exit codes: 0 passed, 1 failed, 2 the file or command line is wrong, 3 could not find out,
4 the store is out of reach, 130 interrupted.
"""

import sys
from typing import Annotated

import typer

from dltest import __version__
from dltest.cli.commands import Commands
from dltest.cli.screen import errors
from dltest.errors import DltestError, LakeError, StoreError

EXIT_USAGE, EXIT_INCONCLUSIVE, EXIT_STORE, EXIT_INTERRUPTED = 2, 3, 4, 130

EPILOG = (
    "Exit codes: 0 passed, 1 failed, 2 wrong file or command line, 3 could not find out,"
    " 4 store out of reach, 130 interrupted."
)

app = typer.Typer(
    name="dltest",
    cls=Commands,
    help="Continuous functional testing of scientific data lakes run with Rucio.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(*, wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"dltest {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=lambda wanted: _version(wanted=wanted), is_eager=True),
    ] = False,
) -> None:
    """Continuous functional testing of scientific data lakes run with Rucio."""


def main() -> None:
    """The entry point: every foreseen error is one message and one exit code."""
    try:
        app()
    except StoreError as error:
        _leave(error, EXIT_STORE)
    except LakeError as error:
        _leave(error, EXIT_INCONCLUSIVE)
    except DltestError as error:
        _leave(error, EXIT_USAGE)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read us has seen enough, as `dltest list | head` does.
        sys.stderr.close()
        sys.exit(0)


def _leave(error: DltestError, code: int) -> None:
    errors.print(f"dltest: {error}", markup=False, highlight=False, soft_wrap=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
