"""`dltest sweep`: remove what earlier runs could not."""

import typer

from dltest.cli.board import Board
from dltest.cli.installation import LabOption, LakeOption, open_installation
from dltest.cli.screen import output
from dltest.cli.watching import drive_here
from dltest.engine import reopen_unclean
from dltest.lake.adapter import open_lake, open_movers


def register(app: typer.Typer) -> None:
    app.command()(sweep)


def sweep(*, lake: LakeOption = None, lab: LabOption = None) -> None:
    """Remove what earlier runs had to leave behind.

    While a lake is down, runs cannot remove what they made on it. This verifies that it is gone.
    Works from the ledger, so it touches nothing that dltest did not make. Exits 1 if something
    is still left.
    """
    installation = open_installation(lake, lab)
    with open_movers(installation.lake, installation.settings.spool()) as movers:
        house = installation.house(open_lake(installation.lake, storage=movers))
        ids = reopen_unclean(house)
        runs = [run for run_id in ids if (run := installation.store.run(run_id))]
        with Board(runs) as board:
            drive_here(installation, board, movers)
    left = sum(run.leftovers for run in board.runs)
    output.print(f"swept {len(runs)} runs; {left} leftovers remain")
    raise typer.Exit(1 if left else 0)
