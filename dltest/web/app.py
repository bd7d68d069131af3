"""The web service as a FastAPI application: metrics, health, and pages to look at.

Everything is read only and read from the store. Each page has a JSON twin, at the same path
with `.json`.
"""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from dltest import __version__
from dltest.errors import StoreError
from dltest.metrics import CONTENT_TYPE, StoreCollector, exposition
from dltest.store import Store
from dltest.web import pages
from dltest.web.health import Readiness
from dltest.web.templates import render

# Pages need nothing but themselves; whatever a server's message smuggles in cannot run.
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


def create_app(store: Store, broker_answers: Callable[[], object]) -> FastAPI:
    """The application over an open store; `broker_answers` raises `StoreError` if it does not."""
    app = FastAPI(title="dltest", version=__version__, docs_url=None, redoc_url=None)
    readiness = Readiness(store, broker_answers)
    collector = StoreCollector(store)
    app.middleware("http")(_with_security_headers)
    app.exception_handler(StoreError)(_store_is_away)
    app.include_router(pages.router(store))

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        """The metrics, with `dltest_exporter_up 0` alone while the store is away."""
        return Response(exposition(collector), media_type=CONTENT_TYPE)

    @app.get("/health")
    def health() -> dict[str, str]:
        """The process lives; nothing else is asked."""
        return {"status": "alive", "version": __version__}

    @app.get("/ready")
    def ready() -> Response:
        """What each component says; 503 unless all are well."""
        report = readiness.report()
        return JSONResponse(report.as_json(), 200 if report.is_ready else 503)

    return app


async def _with_security_headers(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    response.headers.update(SECURITY_HEADERS)
    return response


async def _store_is_away(request: Request, error: Exception) -> Response:
    if request.url.path.endswith(".json"):
        return JSONResponse({"error": str(error)}, 503)
    page = render("away.html", title="The store is out of reach", message=str(error))
    return Response(page, 503, media_type="text/html")
