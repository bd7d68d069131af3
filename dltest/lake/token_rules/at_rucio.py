"""Tokens shown to Rucio's server, by plain HTTP: its client would sign in anew, and hide a refusal.

The rules are those of storages, less what paths are for; who is refused must be told so by 401, as
clients sign in anew for that alone (RFC 9110, 15.5.2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dltest.lake.storage.order import FileOrder, Report
from dltest.lake.token_rules.catalogue import (
    FOREIGN_AUDIENCE,
    LATER_SECONDS,
    SHORT_SECONDS,
    SOON_SECONDS,
    Action,
    Bearer,
    Must,
)
from dltest.lake.token_rules.exchange import Answer, NoAnswerError, ask
from dltest.lake.token_rules.expiry import outlived
from dltest.lake.token_rules.forgery import Forgery
from dltest.lake.token_rules.scene import ACCEPTED, FAILED, REFUSED, outcome
from dltest.lake.token_rules.trial import PAST_ITS_END_SECONDS, not_tried, wait_until

HEADER = "X-Rucio-Auth-Token"
WHO_AM_I = "accounts/whoami"
UNAUTHORIZED = 401
EXPIRY = "sign-in"


@dataclass(frozen=True, slots=True)
class SignIn:
    """What Rucio must do with a token; its scopes are those that Rucio asks for."""

    name: str
    must: Must
    bearer: Bearer | None
    says: str
    mirror: str | None = None


def _no(name: str, bearer: Bearer | None, says: str, mirror: str = "sign-in") -> SignIn:
    return SignIn(name, Must.REFUSED, bearer, says, mirror)


OURS = Bearer(())
SIGN_INS = {
    rule.name: rule
    for rule in (
        SignIn("sign-in", Must.ACCEPTED, OURS, "a token for Rucio signs in"),
        SignIn(
            "sign-in-ends-soon",
            Must.ACCEPTED,
            Bearer((), lifetime=SOON_SECONDS),
            "a token signs in until its end (RFC 7519, 4.1.4)",
        ),
        _no("sign-in-without", None, "who shows nothing does not get in"),
        _no(
            "sign-in-alg-none",
            Bearer((), forgery=Forgery.ALG_NONE),
            "a token without a signature is refused (RFC 8725, 3.2)",
        ),
        _no(
            "sign-in-bad-signature",
            Bearer((), forgery=Forgery.BAD_SIGNATURE),
            "a signature that does not fit is refused (RFC 7515, 5.2)",
        ),
        _no(
            "sign-in-unknown-key",
            Bearer((), forgery=Forgery.UNKNOWN_KEY),
            "a key that the issuer does not publish signs nothing (RFC 8725, 3.8)",
        ),
        _no(
            "sign-in-borrowed-key-id",
            Bearer((), forgery=Forgery.BORROWED_KEY_ID),
            "a foreign key under the name of the issuer's signs nothing (RFC 8725, 3.8)",
        ),
        _no(
            "sign-in-wrong-issuer",
            Bearer((), forgery=Forgery.WRONG_ISSUER),
            "an issuer that nobody trusts is refused (RFC 7519, 4.1.1)",
        ),
        _no(
            "sign-in-wrong-audience",
            Bearer((), audience=FOREIGN_AUDIENCE),
            "a token made out to another service is refused (RFC 7519, 4.1.3)",
        ),
        _no(
            "sign-in-not-yet-valid",
            Bearer((), not_before=LATER_SECONDS),
            "a token does not serve before its begin (RFC 7519, 4.1.5)",
        ),
        _no(
            "sign-in-expired",
            Bearer((), lifetime=SHORT_SECONDS, outlived=True),
            "a token does not serve after its end (RFC 7519, 4.1.4)",
            "sign-in-ends-soon",
        ),
    )
}


def show(_keeper: str | None, file: FileOrder) -> Report:
    """What Rucio answers to the file's token; `beside` is the URL that is asked."""
    name = str(file.rule)
    try:
        if file.patience_seconds:
            told = not_tried(file.untried) if file.untried else _until_its_end(file)
            return Report(file.url, evidence={"use": EXPIRY, **told, "claims": file.claims})
        told = not_tried(file.untried) if file.untried else _once(file, SIGN_INS[name])
    except NoAnswerError as error:
        return Report(file.url, "rucio-unreachable", answered=False, detail=error.detail)
    rule = SIGN_INS[name]
    evidence = {"rule": rule.name, "must": rule.must.value, **told, "claims": file.claims}
    return Report(file.url, evidence=evidence)


def _once(file: FileOrder, rule: SignIn) -> Mapping[str, Any]:
    if rule.bearer and rule.bearer.outlived:
        wait_until(float(file.claims.get("exp", 0)) + PAST_ITS_END_SECONDS)
    answer = _asked(file)
    return {
        # Rucio says 400 to who shows nothing; clients sign in before they ask, and never see it.
        "outcome": _outcome(answer) if file.bearer else outcome(Action.LIST, answer),
        "request": f"GET {file.beside}",
        "status": answer.status,
        "reason": answer.words(),
        "unchanged": True,
        "seconds": round(answer.seconds, 3),
    }


def _until_its_end(file: FileOrder) -> Mapping[str, Any]:
    return outlived(file, f"GET {file.beside}", lambda: (True, _asked(file)), _outcome)


def _asked(file: FileOrder) -> Answer:
    shown = {HEADER: file.bearer} if file.bearer else {}
    return ask("GET", str(file.beside), None, headers=shown)


def _outcome(answer: Answer) -> str:
    if answer.is_success:
        return ACCEPTED
    return REFUSED if answer.status == UNAUTHORIZED else FAILED
