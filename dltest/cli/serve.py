"""`dltest serve`: metrics, health and pages over HTTP."""

from typing import Annotated

import typer

from dltest.cli.installation import LabOption, LakeOption, lake_file
from dltest.cli.screen import errors
from dltest.errors import StoreError
from dltest.settings import LakeSettings, Settings
from dltest.store import Store

# Prometheus gives up on a scrape after 10 s.
STATEMENT_SECONDS = 5


def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8080,
    lake: LakeOption = None,
    lab: LabOption = None,
) -> None:
    """Serve /metrics for Prometheus, /health, /ready, and the latest matrix at /.

    Read only, without sign-in: whoever reaches the port may read.
    """
    # Here, since the service is an extra: `dltest run` works without it.
    import uvicorn  # noqa: PLC0415

    from dltest.web.app import create_app  # noqa: PLC0415
    from dltest.worker.dispatch import ping  # noqa: PLC0415

    settings = Settings.load()
    lake_settings = LakeSettings.load(lake_file(settings, lake, lab))
    broker = settings.broker_url(lake_settings)
    with Store.open(
        settings.database_url(lake_settings),
        statement_seconds=STATEMENT_SECONDS,
        steadiness=settings.steadiness,
    ) as store:
        _migrate(store)
        web = create_app(store, lambda: ping(broker))
        uvicorn.run(web, host=host, port=port, log_level="warning", access_log=False)


def _migrate(store: Store) -> None:
    """Without the store there is still something to say: that it is away."""
    try:
        store.migrate()
    except StoreError as error:
        errors.print(f"dltest: {error}; serving, and trying again with every request", markup=False)


def register(app: typer.Typer) -> None:
    app.command()(serve)
