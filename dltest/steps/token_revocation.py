"""`token-revocation`: a refresh token that was revoked must give no tokens any more (RFC 7009).

All in one look: a refresh token is a secret, and stands in no handle. What a crash leaves is a
refresh token that nobody holds, until its own end.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, SecretStr

from dltest.errors import CredentialError
from dltest.lake.ports import IssuedToken, TokenRequest, Tokens
from dltest.model import SCENARIO, Footprint, Payload, Trouble
from dltest.steps.step import Context, Done, Handle, Outcome, StepBody
from dltest.steps.token_issuer import NONE_NAMED


class TokenRevocationBody(StepBody):
    scopes: tuple[str, ...] = Field(
        ("storage.read:/",),
        min_length=1,
        description="What is asked for; nothing is done with it.",
        examples=[["storage.read:/"]],
    )
    audience: str = Field(
        "dltest.example", description="Whom it is for.", examples=["dltest.example"]
    )


class TokenRevocation:
    """Ask for a refresh token, use it, revoke it, and use it again."""

    name: ClassVar[str] = "token-revocation"
    title: ClassVar[str] = "Revoke a refresh token, and see that the issuer takes it no more"
    checks: ClassVar[bool] = True
    Body = TokenRevocationBody

    def footprint(self, body: TokenRevocationBody, payload: Payload) -> Mapping[str, Footprint]:  # noqa: ARG002
        return {}

    def begin(self, ctx: Context, body: TokenRevocationBody) -> Outcome:
        tokens = ctx.lake.tokens
        if tokens is None:
            return Done(troubles=(NONE_NAMED,), known=False)
        request = TokenRequest(scopes=body.scopes, audiences=(body.audience,), renewable=True)
        try:
            issued = tokens.issue(request)
        except CredentialError as error:
            if not error.answered:
                raise
            return _not_given(str(error))
        if issued.refresh is None:
            return _not_given(f"{tokens.issuer} gives our client no refresh tokens")
        return _revoked(tokens, issued, issued.refresh)

    def look(self, ctx: Context, body: TokenRevocationBody, handle: Handle) -> Outcome:  # noqa: ARG002
        return self.begin(ctx, body)

    def overdue(self, ctx: Context, body: TokenRevocationBody, handle: Handle) -> Done:  # noqa: ARG002
        return Done()


def _not_given(why: str) -> Done:
    """Most issuers give them to some clients alone."""
    trouble = Trouble(code="not-supported", message=why, blame=SCENARIO)
    return Done(troubles=(trouble,), known=False)


def _revoked(tokens: Tokens, issued: IssuedToken, refresh: SecretStr) -> Done:
    # An issuer may give another one with each use (RFC 6749, section 6).
    refresh = tokens.refresh(refresh).refresh or refresh
    tokens.revoke(refresh)
    evidence = {"issuer": tokens.issuer, "scope": issued.claims.get("scope")}
    try:
        tokens.refresh(refresh)
    except CredentialError as error:
        if not error.answered:
            raise
        return Done(evidence={**evidence, "revocation": "refused", "reason": str(error)})
    return Done(evidence={**evidence, "revocation": "accepted"})


TOKEN_REVOCATION = TokenRevocation()
