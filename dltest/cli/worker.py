"""`dltest worker`: take the service's tasks."""

from enum import StrEnum
from typing import Annotated

import typer

from dltest.cli.installation import LabOption, LakeOption, open_installation


class QueueChoice(StrEnum):
    CONTROL = "control"
    TRANSFER = "transfer"
    ALL = "all"


def worker(
    *,
    queue: Annotated[
        QueueChoice,
        typer.Option(help="`control` decides, `transfer` moves bytes; `all` for a small lake."),
    ] = QueueChoice.ALL,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Threads [default: 8 to decide, 4 to move].")
    ] = None,
    lake: LakeOption = None,
    lab: LabOption = None,
) -> None:
    """Drive the service's runs until told to stop (SIGTERM).

    Needs the message broker that the lake file or DLTEST_BROKER names.
    """
    # Here, since the service is an extra: `dltest run` works without Celery.
    from dltest.worker.service import work  # noqa: PLC0415
    from dltest.worker.station import Station  # noqa: PLC0415

    installation = open_installation(lake, lab)
    station = Station(installation.settings, installation.lake, installation.store)
    both = (QueueChoice.CONTROL, QueueChoice.TRANSFER)
    queues = both if queue is QueueChoice.ALL else (queue,)
    raise typer.Exit(work(station, [chosen.value for chosen in queues], concurrency))


def register(app: typer.Typer) -> None:
    app.command()(worker)
