"""`dltest serve`: metrics, health and pages over HTTP."""

from typing import Annotated

import typer

from dltest.cli.installation import LabOption, LakeOption, open_installation


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

    installation = open_installation(lake, lab)
    broker = installation.settings.broker_url(installation.lake)
    web = create_app(installation.store, lambda: ping(broker))
    uvicorn.run(web, host=host, port=port, log_level="warning", access_log=False)


def register(app: typer.Typer) -> None:
    app.command()(serve)
