"""The service put together: its parts, its HTTP server, its end."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn
from fastapi import FastAPI

from dltest.errors import LabError
from dltest.lab.transfer_service.bans import Bans
from dltest.lab.transfer_service.configuration import ServiceConfig
from dltest.lab.transfer_service.database import Database
from dltest.lab.transfer_service.door import Door
from dltest.lab.transfer_service.identity import Identity
from dltest.lab.transfer_service.jobs import Jobs
from dltest.lab.transfer_service.nursery import Nursery
from dltest.lab.transfer_service.scheduler import Scheduler
from dltest.lab.transfer_service.tokens import Issuer
from dltest.lab.transfer_service.web import Routes

_LOG = logging.getLogger(__name__)


def serve(config: ServiceConfig, nursery: Nursery) -> None:
    """Answer requests until told to stop (SIGTERM, SIGINT).

    Raises:
        LabError: the port is taken.
    """
    listener = _listen(config.host, config.port)
    secure = _listen(config.host, config.tls_port) if config.tls_port else None
    config.state_dir.mkdir(parents=True, exist_ok=True)
    config.log_file.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=config.log_file,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
    )
    database = Database(config.state_dir / "transfers.sqlite")
    try:
        app = build_application(config, database, nursery)
        asyncio.run(_serve(config, app, listener, secure))
    finally:
        listener.close()
        nursery.close()
        database.close()


async def _serve(
    config: ServiceConfig, app: FastAPI, listener: socket.socket, secure: socket.socket | None
) -> None:
    """The application at its door, and at the one with TLS if there is one."""
    doors = [_server(app).serve(sockets=[listener])]
    if secure is not None:
        # The application begins and ends with the first door.
        tls = {"ssl_certfile": str(config.certificate), "ssl_keyfile": str(config.key)}
        doors.append(_server(app, lifespan="off", **tls).serve(sockets=[secure]))
    await asyncio.gather(*doors)


def _server(app: FastAPI, **options: Any) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=2,
            ws="none",
            **options,
        )
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=128)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        message = f"the transfer service cannot listen on {host}:{port}: {why}"
        raise LabError(message) from error


def build_application(config: ServiceConfig, database: Database, nursery: Nursery) -> FastAPI:
    issuer = Issuer(config)
    scheduler = Scheduler(config, database, nursery, issuer)
    routes = Routes(
        Door(config, issuer),
        Jobs(config, issuer, database, scheduler),
        Bans(Identity(config.user_dn, config.vo), database, scheduler),
        scheduler,
    )
    return routes.application(lambda _app: _scheduling(scheduler))


@asynccontextmanager
async def _scheduling(scheduler: Scheduler) -> AsyncIterator[None]:
    """The scheduler runs as long as requests are answered; if it falls, the service falls."""
    task = asyncio.create_task(scheduler.run())
    task.add_done_callback(_fall_with)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _fall_with(task: asyncio.Task[None]) -> None:
    if task.cancelled() or task.exception() is None:
        return
    _LOG.critical("the scheduler fell", exc_info=task.exception())
    os.kill(os.getpid(), signal.SIGTERM)
