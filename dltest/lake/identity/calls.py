"""Requests to the issuer, and what their failures mean.

No message repeats what was sent or answered beyond the words of RFC 6749: both may hold secrets.
"""

import weakref
from collections.abc import Mapping
from typing import Any, NoReturn

import httpx2

from dltest.errors import CredentialError
from dltest.lake.trust import tls_context
from dltest.settings import IdentitySettings

Form = Mapping[str, str]
# Words with which the token endpoint says that it is about us (RFC 6749, section 5.2).
ABOUT_CLIENT = {"invalid_client", "unauthorized_client"}
LONGEST = 200


class IssuerCalls:
    """HTTP as one confidential client. Safe to share between threads."""

    def __init__(self, settings: IdentitySettings) -> None:
        self._settings = settings
        trusted = tls_context(settings.ca_file)
        self._client = httpx2.Client(timeout=settings.timeout_seconds, verify=trusted)
        weakref.finalize(self, self._client.close)

    def get(self, url: str, operation: str) -> dict[str, Any]:
        try:
            answer = self._client.get(url, headers={"Accept": "application/json"})
        except httpx2.HTTPError as error:
            raise unreachable(f"{url} does not answer ({_name(error)})", operation) from None
        if answer.status_code != httpx2.codes.OK:
            raise unreachable(f"{url} answers {answer.status_code}", operation)
        return _document(answer, operation)

    def post(self, url: str, form: Form, operation: str) -> dict[str, Any]:
        """What a form is answered with, sent with our client's credentials."""
        auth = (self._settings.client_id or "", self._settings.secret() or "")
        try:
            answer = self._client.post(url, data=dict(form), auth=auth)
        except httpx2.HTTPError as error:
            raise unreachable(f"{url} does not answer ({_name(error)})", operation) from None
        if answer.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR:
            raise unreachable(f"{url} answers {answer.status_code}", operation)
        if answer.status_code >= httpx2.codes.BAD_REQUEST:
            _refuse(answer, operation)
        return _document(answer, operation)


def unreachable(message: str, operation: str) -> CredentialError:
    return CredentialError(
        message, code="issuer-unreachable", operation=operation, retryable=True, answered=False
    )


def refused(message: str, operation: str, code: str = "token-refused") -> CredentialError:
    return CredentialError(message, code=code, operation=operation)


def untrustworthy(message: str) -> CredentialError:
    return CredentialError(message, code="token-untrustworthy", operation="get a token")


def _refuse(answer: httpx2.Response, operation: str) -> NoReturn:
    try:
        told = answer.json()
    except ValueError:
        told = {}
    words = told if isinstance(told, dict) else {}
    error = str(words.get("error", "no reason"))[:LONGEST]
    code = "client-refused" if error in ABOUT_CLIENT else "token-refused"
    message = f"{answer.url} answers {answer.status_code} to {operation}: {error}"
    raise refused(message, operation, code)


def _document(answer: httpx2.Response, operation: str) -> dict[str, Any]:
    try:
        told = answer.json() if answer.content else {}
    except ValueError:
        raise unreachable(f"{answer.url} does not answer in JSON", operation) from None
    return told if isinstance(told, dict) else {}


def _name(error: Exception) -> str:
    return type(error).__name__
