"""`dltest worker`: take the service's tasks."""

from typing import Annotated

import typer

from dltest.cli.installation import LabOption, LakeOption, open_installation
from dltest.settings import TRANSFER, LakeSettings

CONTROL = "control"


def worker(
    *,
    queues: Annotated[
        str,
        typer.Option(
            help="`control` decides, `transfer` moves bytes, `transfer.SITE` those of the RSEs that"
            " the lake file gives to a site's own workers; several with commas."
        ),
    ] = f"{CONTROL},{TRANSFER}",
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Threads [default: 8 to decide, 4 to move].")
    ] = None,
    lake: LakeOption = None,
    lab: LabOption = None,
) -> None:
    """Drive the service's runs until told to stop (SIGTERM).

    Needs the message broker that the lake file or DLTEST_BROKER names. Start as many as it takes,
    on any machines.
    """
    # Here, since the service is an extra: `dltest run` works without Celery.
    from dltest.worker.service import work  # noqa: PLC0415
    from dltest.worker.station import Station  # noqa: PLC0415

    installation = open_installation(lake, lab)
    chosen = _known(queues, installation.lake)
    station = Station(installation.settings, installation.lake, installation.store)
    raise typer.Exit(work(station, chosen, concurrency))


def _known(queues: str, lake: LakeSettings) -> list[str]:
    chosen = [name.strip() for name in queues.split(",") if name.strip()]
    known = (CONTROL, *lake.transfer_queues())
    unknown = [name for name in chosen if name not in known]
    if unknown or not chosen:
        raise typer.BadParameter(
            f"there is no queue '{', '.join(unknown)}'; lake {lake.name} has {', '.join(known)}"
            " (sites are the lake file's `movers`)",
            param_hint="--queues",
        )
    return chosen


def register(app: typer.Typer) -> None:
    app.command()(worker)
