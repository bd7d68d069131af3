"""Signed-in Rucio clients, one a thread, sharing one token file.

rucio-clients names token files by account alone, so two lakes of one account would share one
(and one lake's token would be offered to the other), and leaves them behind. Ours lies in a
private folder that ends with the session.
"""

import logging
import shutil
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr
from requests import codes
from rucio.client import Client
from rucio.common.exception import ServiceUnavailable

from dltest.errors import CredentialError
from dltest.lake.rucio.errors import translated
from dltest.settings import RucioSettings

T = TypeVar("T")
Bearer = Callable[[], SecretStr]

# The client logs to a handler of its own on stderr otherwise; what it says reaches us as errors.
_quiet = logging.getLogger("dltest.rucio-client")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


def _failed(answer: Any) -> bool:
    """Whether the server did not answer, but failed; nothing at all is for the client to tell."""
    status = getattr(answer, "status_code", None)
    return status is not None and status >= codes.internal_server_error


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


class RucioSession:
    """Calls Rucio, from any thread."""

    def __init__(
        self, settings: RucioSettings, *, bearer: Bearer | None = None, proxy: Path | None = None
    ) -> None:
        """`bearer` gives the token to show where the lake file says `oidc`."""
        self._settings = settings
        self._bearer = bearer
        self._proxy = proxy
        self._local = threading.local()
        self._tokens = tempfile.mkdtemp(prefix="dltest-tokens-")
        weakref.finalize(self, shutil.rmtree, self._tokens, ignore_errors=True)

    def call(self, operation: str, ask: Callable[[Any], T], *, rse: str | None = None) -> T:
        """What `ask(client)` answers.

        Iterators must be read inside `ask`, or their errors would pass the door untranslated.

        Raises:
            LakeError: `operation` failed; told in the message.
        """
        with translated(operation, rse):
            return ask(self._client())

    def _client(self) -> Any:
        if not hasattr(self._local, "client"):
            self._local.client = self._signed_in()
        return self._local.client

    def _signed_in(self) -> Any:
        client = self._new_client()
        account = client.whoami()["account"]
        if account != self._settings.account:
            raise CredentialError(
                f"Rucio takes us for {account}, not {self._settings.account}",
                code="wrong-identity",
                operation="sign in",
                answered=False,
            )
        return client

    def _new_client(self) -> Any:
        settings = self._settings
        tokens = self._tokens
        bearer = self._bearer

        class LakeClient(Client):  # type: ignore[misc]
            TOKEN_PATH_PREFIX = f"{tokens}/"

            def _BaseClient__authenticate(self) -> None:  # noqa: N802 - the name that it has there
                """With a token there is no sign-in; the client's own asks a person for one."""
                if bearer is None:
                    super()._BaseClient__authenticate()

            def _send_request(self, url: str, *args: Any, **options: Any) -> Any:
                """The client takes a server that fails at the sign-in for one that says no."""
                if bearer is not None:
                    self.auth_token = bearer().get_secret_value()
                    options["get_token"] = True  # do not sign in anew when it is refused
                answer = super()._send_request(url, *args, **options)
                if bearer is None and options.get("get_token") and _failed(answer):
                    raise ServiceUnavailable(f"sign in: HTTP {answer.status_code}")
                return answer

        # The client shortens sys.argv[0] for its user agent; ours must stay as it is.
        argv0 = sys.argv[0]
        try:
            return LakeClient(
                rucio_host=settings.url,
                auth_host=settings.auth_url or settings.url,
                account=settings.account,
                ca_cert=str(settings.ca_file) if settings.ca_file else None,
                auth_type=settings.auth_type,
                creds=self._credentials(),
                timeout=settings.timeout_seconds,
                user_agent="dltest",
                logger=_quiet,
            )
        finally:
            sys.argv[0] = argv0

    def _credentials(self) -> dict[str, str | None]:
        """In rucio-clients' own words."""
        settings = self._settings
        match settings.auth_type:
            case "userpass":
                return {"username": settings.username, "password": settings.secret()}
            case "x509":
                return {
                    "client_cert": _text(settings.client_cert),
                    "client_key": _text(settings.client_key),
                }
            case "x509_proxy":
                return {"client_proxy": _text(self._proxy)}
            case "oidc":
                return {}
