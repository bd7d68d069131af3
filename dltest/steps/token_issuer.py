"""`token-issuer`: ask the token issuer, and each of its nodes, for a token and for its keys.

One node a look, since each may take its time to say nothing.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from pydantic import Field, JsonValue

from dltest.errors import CredentialError
from dltest.lake.ports import NodeHealth, TokenRequest, Tokens
from dltest.model import SCENARIO, Footprint, Payload, Trouble
from dltest.steps.step import Context, Done, Handle, Outcome, StepBody, Waiting
from dltest.units import Duration

AT_ONCE = timedelta(milliseconds=1)
SHOWN = ("iss", "sub", "aud", "scope", "nbf", "exp", "wlcg.ver")
# `issuer_nodes` in a record's evidence, for the judge.
EVIDENCE = "issuer_nodes"
NONE_NAMED = Trouble(
    code="not-supported", message="the lake file names no token issuer", blame=SCENARIO
)


class TokenIssuerBody(StepBody):
    scopes: tuple[str, ...] = Field(
        ("openid",),
        min_length=1,
        description="What dltest needs tokens for; one that lacks it is a failure.",
        examples=[["storage.read:/", "storage.modify:/"]],
    )
    audience: str | None = Field(
        None, description="Whom the token shall be made out to.", examples=["se.example.org"]
    )
    token_time: Duration = Field(
        timedelta(seconds=2),
        description="A token that the issuer takes longer for is `degraded`.",
        examples=["2s"],
    )


class TokenIssuer:
    """The time that a token takes is measured at each node, and by the issuer's own name."""

    name: ClassVar[str] = "token-issuer"
    title: ClassVar[str] = "Ask all nodes of the token issuer for a token and for their keys"
    checks: ClassVar[bool] = True
    Body = TokenIssuerBody

    def footprint(self, body: TokenIssuerBody, payload: Payload) -> Mapping[str, Footprint]:  # noqa: ARG002
        return {}

    def begin(self, ctx: Context, body: TokenIssuerBody) -> Outcome:
        if ctx.lake.tokens is None:
            return Done(troubles=(NONE_NAMED,), known=False)
        return self.look(ctx, body, {"probed": []})

    def look(self, ctx: Context, body: TokenIssuerBody, handle: Handle) -> Outcome:
        tokens = ctx.lake.tokens
        if tokens is None:
            return Done(troubles=(NONE_NAMED,), known=False)
        told = handle.get("probed")
        probed = list(told) if isinstance(told, list) else []
        left = tokens.nodes()[len(probed) :]
        if left:
            return Waiting({"probed": [*probed, _told(tokens.probe(left[0]))]}, AT_ONCE)
        return _service(tokens, probed, body)

    def overdue(self, ctx: Context, body: TokenIssuerBody, handle: Handle) -> Done:  # noqa: ARG002
        return Done(evidence={EVIDENCE: handle.get("probed")})


def _told(health: NodeHealth) -> JsonValue:
    """Without what is not known; times to the millisecond."""
    facts = health.model_dump(mode="json", exclude_none=True, exclude={"trouble"})
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in facts.items()}
    if health.trouble is not None:
        rounded |= {"code": health.trouble.code, "trouble": health.trouble.message}
    return rounded


def _service(tokens: Tokens, probed: list[JsonValue], body: TokenIssuerBody) -> Done:
    """Whether it gives a token by its own name, whichever node does the work."""
    audiences = (body.audience,) if body.audience else ()
    request = TokenRequest(scopes=body.scopes, audiences=audiences)
    evidence: dict[str, JsonValue] = {
        "issuer": tokens.issuer,
        "allowed_seconds": body.token_time.total_seconds(),
        "asked": {"scope": " ".join(request.scopes), "aud": list(audiences)},
        EVIDENCE: probed,
    }
    try:
        issued = tokens.issue(request)
    except CredentialError as error:
        return Done(evidence=evidence, troubles=(error.as_trouble(),))
    evidence["claims"] = {name: issued.claims.get(name) for name in SHOWN if name in issued.claims}
    seconds = round(issued.seconds, 3)
    return Done(measured={"token_seconds": seconds, "nodes": len(probed)}, evidence=evidence)


TOKEN_ISSUER = TokenIssuer()
