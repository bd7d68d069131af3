"""What the token issuer gives to those who transfer, when a transfer does not come to its end.

Rucio has a token made out to each storage, and a transfer that is refused for a bad one looks like
a fault of the storage, or of the transfer service. So the issuer is asked for the same.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import JsonValue

from dltest.errors import CredentialError
from dltest.lake.ports import TokenRequest, Tokens
from dltest.model import IDENTITY, Trouble
from dltest.steps.step import Context
from dltest.steps.stuck.reasons import Route

READING = ("storage.read:/",)
WRITING = ("storage.modify:/", "storage.read:/")
# What is told by these may be for want of a token.
CODES = {"permission-denied", "submission-failed", "not-submitted"}
# The WLCG profile has tokens live five minutes at least; these do not even last for a request.
LEAST_SECONDS = 30.0


def trouble_with_tokens(ctx: Context, route: Route) -> Trouble | None:
    """Why no transfer on this way can have good tokens; None where it can, or needs none.

    Raises:
        LakeError: Rucio does not say what the storages want.
    """
    sides = ((route.source, READING), (route.destination, WRITING))
    for rse, scopes in sides:
        if ctx.lake.tokens is None or rse is None or not ctx.lake.catalogue.wants_token(rse):
            continue
        (url,) = ctx.lake.catalogue.urls(rse, ctx.file_names()[:1])
        request = TokenRequest(scopes=scopes, audiences=(str(urlsplit(url).hostname),))
        if trouble := _trouble(ctx.lake.tokens, request, rse):
            return trouble
    return None


def _trouble(tokens: Tokens, request: TokenRequest, rse: str) -> Trouble | None:
    try:
        claims = tokens.issue(request).claims
    except CredentialError as error:
        return error.as_trouble()
    if lacking := request.lacking(claims):
        message = f"the issuer gives a token for {rse} without {', '.join(lacking)}"
        return Trouble(code="token-lacks-rights", message=message, blame=IDENTITY)
    lives = _seconds(claims, "exp") - _seconds(claims, "nbf")
    if 0 < lives < LEAST_SECONDS:
        message = f"the issuer gives a token for {rse} that lives {lives:.0f} s"
        return Trouble(code="token-short-lived", message=message, blame=IDENTITY)
    return None


def _seconds(claims: Mapping[str, JsonValue], name: str) -> float:
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
