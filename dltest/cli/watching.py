"""Seeing runs to their end: driven in this process, or watched while the service drives them."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

from dltest.cli.board import Board
from dltest.cli.installation import Installation
from dltest.cli.screen import errors
from dltest.engine import LocalDriver, reopen
from dltest.lake.adapter import open_lake
from dltest.lake.storage import MoverPool
from dltest.model import Verdict
from dltest.worker.dispatch import wake

EXIT_INTERRUPTED = 130
POLL_SECONDS = 0.5


def drive_here(installation: Installation, board: Board, movers: MoverPool) -> bool:
    """Take all steps in this process; True when a person interrupted, and all was cleaned up.

    Passed runs that were not clean in time have their time over again once all have ended.
    """
    house = installation.house(open_lake(installation.lake, storage=movers))

    def saw(run_id: str) -> None:
        if (seen := installation.store.run(run_id)) is not None:
            board.saw(seen)

    driver = LocalDriver(house, saw, per_rse=installation.settings.parallel_per_rse)
    ids = [run.id for run in board.runs]

    def cancel() -> None:
        _cancel(installation, ids)
        driver.wake(ids)

    def drive() -> None:
        driver.drive(ids)
        late = _late(board)
        reopen(late, house)
        driver.drive(late)

    with ThreadPoolExecutor(1) as pool:
        return _seen_through(pool.submit(drive), cancel)


def _late(board: Board) -> list[str]:
    """What passed and is not clean: on a lake with many runs at once, deletion lags behind."""
    return [
        run.id
        for run in board.runs
        if run.leftovers and run.judgement and run.judgement.verdict is Verdict.PASSED
    ]


def watch_service(installation: Installation, board: Board) -> bool:
    """Watch until the service has ended all runs; True when a person interrupted."""
    ids = [run.id for run in board.runs]
    # Those that are new begin when they are admitted, which a single message sees to.
    begun = [run.id for run in board.runs if run.admitted_at is not None]
    wake(installation.settings.broker_url(installation.lake), begun)
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(_poll, installation, board, ids)
        return _seen_through(watching, lambda: _cancel(installation, ids))


def see_to_end(installation: Installation, board: Board) -> None:
    """Watch until somebody has ended all runs, whoever drives them."""
    _poll(installation, board, [run.id for run in board.runs])


def _seen_through(work: "Future[None]", cancel: Callable[[], None]) -> bool:
    """Wait for the work. The first Ctrl-C cancels the runs, which clean up; the second leaves."""
    try:
        work.result()
    except KeyboardInterrupt:
        errors.print("cancelling: the runs clean up (Ctrl-C again leaves at once)")
        cancel()
    else:
        return False
    try:
        work.result()
    except KeyboardInterrupt:
        errors.print("left; `dltest sweep` removes what the runs made")
        os._exit(EXIT_INTERRUPTED)
    return True


def _cancel(installation: Installation, ids: Iterable[str]) -> None:
    for run_id in ids:
        installation.store.cancel(run_id)


def _poll(installation: Installation, board: Board, ids: list[str]) -> None:
    pause = Event()
    while True:
        seen = [installation.store.run(run_id) for run_id in ids]
        for run in filter(None, seen):
            board.saw(run)
        if all(run is None or run.is_ended for run in seen):
            return
        pause.wait(POLL_SECONDS)
