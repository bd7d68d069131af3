"""`dltest doctor`: is this installation able to test this lake, and if not, what to mend."""

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import typer
from rich.text import Text

from dltest.cli.board import verdict_text
from dltest.cli.installation import LabOption, LakeOption, lake_file, open_store
from dltest.cli.screen import output
from dltest.errors import DltestError
from dltest.lake.adapter import open_lake, open_movers
from dltest.model import Verdict
from dltest.settings import LakeSettings, Settings
from dltest.units import human_size
from dltest.worker.dispatch import ping

ENOUGH_SPOOL_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what it is, and what to do when it is not well."""

    name: str
    look: Callable[[], str]
    remedy: str


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(*, lake: LakeOption = None, lab: LabOption = None) -> None:
    """Check everything that runs need, and say how to mend what is missing.

    Exits 0 when all is well, else 1.
    """
    settings = Settings.load()
    path = lake_file(settings, lake, lab)
    lake_settings = LakeSettings.load(path)
    output.print(Text(f"lake {lake_settings.name} ({path})"))
    well = [_told(check) for check in _checks(settings, lake_settings)]
    raise typer.Exit(0 if all(well) else 1)


def _checks(settings: Settings, lake: LakeSettings) -> Iterator[Check]:
    yield Check("gfal2", _gfal2, "on Debian: apt install python3-gfal2, then `make setup`")
    yield Check(
        "store",
        lambda: open_store(settings, lake).where,
        "start the database, or set DLTEST_DATABASE",
    )
    yield Check(
        "broker",
        lambda: ping(settings.broker_url(lake)),
        "start Redis, or set DLTEST_BROKER; needed only by the service",
    )
    yield Check(
        "Rucio", lambda: _rucio(settings, lake), "check url, account and password in the lake file"
    )
    yield Check("spool", lambda: _spool(settings), "free space, or set DLTEST_SPOOL_DIR")


def _told(check: Check) -> bool:
    try:
        said = check.look()
    except DltestError as error:
        output.print(verdict_text(Verdict.FAILED, "not well"), Text(f"{check.name}: {error}"))
        output.print(Text(f"  -> {check.remedy}"))
        return False
    output.print(verdict_text(Verdict.PASSED, "well"), Text(f"{check.name}: {said}"))
    return True


def _gfal2() -> str:
    if importlib.util.find_spec("gfal2") is None:
        raise DltestError("the Python binding cannot be imported")
    import gfal2  # noqa: PLC0415 - its absence is what is checked

    return str(gfal2.get_version())


def _rucio(settings: Settings, lake: LakeSettings) -> str:
    with open_movers(lake, settings.spool()) as movers:
        ports = open_lake(lake, storage=movers)
        version = ports.catalogue.ping()
        rses = len(ports.catalogue.inventory().rses)
    return f"{version} at {lake.rucio.url}, {rses} RSEs, account {lake.rucio.account}"


def _spool(settings: Settings) -> str:
    spool = settings.spool()
    spool.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(spool).free
    if free < ENOUGH_SPOOL_BYTES:
        raise DltestError(f"only {human_size(free)} free in {spool}")
    return f"{human_size(free)} free in {spool}"
