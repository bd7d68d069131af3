"""FTS3's REST interface: each route, its status, and the quirks clients have come to rely on."""

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from dltest.lab.transfer_service.bans import Bans
from dltest.lab.transfer_service.door import Door
from dltest.lab.transfer_service.jobs import Jobs, Outcome
from dltest.lab.transfer_service.refusal import RefusedRequest
from dltest.lab.transfer_service.scheduler import Scheduler
from dltest.lab.transfer_service.versions import ROOT_ANSWER

_MESSAGES = {
    HTTPStatus.NOT_FOUND: (
        "The requested URL was not found on the server. If you entered the URL manually "
        "please check your spelling and try again."
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: "The method is not allowed for the requested URL.",
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "The server encountered an internal error and was unable to complete your request. "
        "Either the server is overloaded or there is an error in the application."
    ),
}
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_CONFIGURATION_PAGE = (
    '\n<!DOCTYPE HTML>\n<html lang="en">\n\n<head>\n'
    "    <title>FTS3 - Storage configuration</title>\n</head>\n<body></body>\n</html>\n"
)

# What a client may ask to find out whether it is known.
_FOR_ANYBODY = {"/", "/health", "/whoami"}

Handler = Callable[[Request], Awaitable[Response]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class Routes:
    def __init__(self, door: Door, jobs: Jobs, bans: Bans, scheduler: Scheduler) -> None:
        self._door = door
        self._jobs = jobs
        self._bans = bans
        self._scheduler = scheduler

    def application(self, lifespan: Lifespan) -> FastAPI:
        app = FastAPI(openapi_url=None, redirect_slashes=False, lifespan=lifespan)
        for methods, path, handler in (
            ("GET", "/", self.root),
            ("GET", "/health", self.health),
            ("GET", "/whoami", self.whoami),
            ("POST PUT", "/jobs", self.submit),
            ("GET", "/jobs", self.list_jobs),
            ("GET", "/jobs/", self.list_jobs),
            ("GET", "/jobs/{ids}", self.get_jobs),
            ("DELETE", "/jobs/{ids}", self.cancel_jobs),
            ("POST", "/jobs/{ids}", self.modify_jobs),
            ("GET", "/jobs/{job_id}/files", self.get_files),
            ("DELETE", "/jobs/{job_id}/files/{file_ids}", self.cancel_files),
            ("GET", "/jobs/{job_id}/files/{file_id}/retries", self.get_retries),
            ("GET", "/jobs/{job_id}/dm", self.get_data_management),
            ("GET", "/jobs/{job_id}/{field}", self.get_field),
            ("GET", "/ban/se", self.list_bans),
            ("POST", "/ban/se", self.ban),
            ("DELETE", "/ban/se", self.unban),
            ("GET", "/config/se", self.get_storages),
            ("POST", "/config/se", self.configure_storages),
            ("DELETE", "/config/se", self.forget_storage),
        ):
            known = handler if path in _FOR_ANYBODY else self._for_users(handler)
            app.add_route(path, known, methods=methods.split(), include_in_schema=False)
        app.add_exception_handler(RefusedRequest, _refused)
        for status, message in _MESSAGES.items():
            app.add_exception_handler(status, _says(status, message))
        return app

    # -- service -------------------------------------------------------------------------

    async def root(self, _request: Request) -> Response:
        return JSONResponse(ROOT_ANSWER)

    async def health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok", **self._scheduler.counts})

    async def whoami(self, request: Request) -> Response:
        return JSONResponse((await self._door.user(request)).answer())

    def _for_users(self, handler: Handler) -> Handler:
        """Nobody gets no further."""

        async def handle(request: Request) -> Response:
            request.state.user = await self._door.user(request)
            if request.state.user.is_nobody:
                raise RefusedRequest("Not enough permissions", HTTPStatus.FORBIDDEN)
            return await handler(request)

        return handle

    # -- jobs ----------------------------------------------------------------------------

    async def submit(self, request: Request) -> Response:
        body = await _input(request)
        await self._door.learn(body)
        return _answer(self._jobs.submit(body, request.state.user))

    async def list_jobs(self, request: Request) -> Response:
        return _answer(self._jobs.listed(request.query_params, request.state.user))

    async def get_jobs(self, request: Request) -> Response:
        fields = request.query_params.get("files")
        names = [] if fields is None else fields.split(",")
        return _answer(self._jobs.get(request.path_params["ids"], names))

    async def cancel_jobs(self, request: Request) -> Response:
        return _answer(self._jobs.cancel(request.path_params["ids"]))

    async def modify_jobs(self, request: Request) -> Response:
        body = await _input(request)
        return _answer(self._jobs.modify(request.path_params["ids"], lambda: _priority(body)))

    async def get_files(self, request: Request) -> Response:
        return _answer(self._jobs.files(request.path_params["job_id"]))

    async def cancel_files(self, request: Request) -> Response:
        params = request.path_params
        return _answer(self._jobs.cancel_files(params["job_id"], params["file_ids"]))

    async def get_retries(self, request: Request) -> Response:
        params = request.path_params
        return _answer(self._jobs.retries(params["job_id"], params["file_id"]))

    async def get_data_management(self, request: Request) -> Response:
        self._jobs.files(request.path_params["job_id"])
        return JSONResponse([])

    async def get_field(self, request: Request) -> Response:
        return _answer(
            self._jobs.field(request.path_params["job_id"], request.path_params["field"])
        )

    # -- storages ------------------------------------------------------------------------

    async def list_bans(self, _request: Request) -> Response:
        return JSONResponse(self._bans.listed())

    async def ban(self, request: Request) -> Response:
        return JSONResponse(self._bans.ban(await _ban_input(request)))

    async def unban(self, request: Request) -> Response:
        self._bans.unban(request.query_params.get("storage"))
        return _nothing()

    async def get_storages(self, request: Request) -> Response:
        """Without an Accept that prefers JSON this is a page in FTS 3.13, and here too."""
        if _prefers_page(request.headers.get("accept")):
            return HTMLResponse(_CONFIGURATION_PAGE)
        return JSONResponse(self._scheduler.storages.answer(request.query_params.get("se")))

    async def configure_storages(self, request: Request) -> Response:
        return JSONResponse(self._scheduler.storages.configure(await _input(request)))

    async def forget_storage(self, request: Request) -> Response:
        storage = request.query_params.get("se")
        if not storage:
            raise RefusedRequest("Missing storage (se)")
        self._scheduler.storages.forget(storage)
        return _nothing()


def _answer(outcome: Outcome) -> Response:
    return JSONResponse(outcome.body, outcome.status)


def _nothing() -> Response:
    return Response(status_code=HTTPStatus.NO_CONTENT, media_type=_JSON)


def _priority(body: Mapping[str, Any]) -> int | None:
    try:
        return int(body["params"]["priority"])
    except KeyError:
        return None
    except (ValueError, TypeError) as error:
        raise RefusedRequest("Invalid priority value") from error


async def _input(request: Request) -> dict[str, Any]:
    kind = request.headers.get("content-type", "")
    body = await request.body()
    if kind.startswith(_JSON) or request.method == "PUT":
        try:
            given = json.loads(body)
        except ValueError as error:
            raise RefusedRequest("Badly formatted JSON request") from error
    elif kind.startswith(_FORM):
        given = dict(parse_qsl(body.decode()))
    else:
        raise RefusedRequest(f"Expecting {_JSON} or {_FORM}")
    if not isinstance(given, dict):
        raise RefusedRequest("Expecting a dictionary")
    return given


async def _ban_input(request: Request) -> dict[str, Any]:
    body = await request.body()
    if request.headers.get("content-type") != _JSON:
        return {**request.query_params, **dict(parse_qsl(body.decode()))}
    try:
        given: dict[str, Any] = json.loads(body)
    except ValueError as error:
        raise RefusedRequest("Malformed input") from error
    return given


def _prefers_page(accept: str | None) -> bool:
    """FTS offers a page first, then JSON; a client without an Accept gets JSON."""
    if not accept:
        return False
    ranges = {part.partition(";")[0].strip() for part in accept.split(",")}
    if _JSON in ranges and "text/html" not in ranges:
        return False
    return bool(ranges & {"text/html", "text/*", "*/*"})


async def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RefusedRequest):
        raise error
    return _error(error.status, error.message)


def _says(status: HTTPStatus, message: str) -> Any:
    async def handler(_request: Request, _raised: Exception) -> Response:
        return _error(status, message)

    return handler


def _error(status: HTTPStatus, message: str) -> Response:
    body = {"status": f"{status.value} {status.phrase}", "message": message}
    return JSONResponse(body, status)
