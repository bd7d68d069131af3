"""`dltest beat`: the service's clock."""

import typer

from dltest.cli.installation import LabOption, LakeOption, open_installation


def beat(*, lake: LakeOption = None, lab: LabOption = None) -> None:
    """Wake the service's workers every few seconds (DLTEST_TICK_SECONDS), until told to stop."""
    from dltest.worker.service import beat as run_beat  # noqa: PLC0415 - an extra, see worker.py
    from dltest.worker.station import Station  # noqa: PLC0415

    installation = open_installation(lake, lab)
    run_beat(Station(installation.settings, installation.lake, installation.store))


def register(app: typer.Typer) -> None:
    app.command()(beat)
