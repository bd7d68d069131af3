"""Finds each rule its token: asks the issuer for it, and tampers with it as the rule says.

Done where the lake's settings are, so that a mover never sees what dltest signs in with.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from posixpath import commonpath, dirname
from typing import Any
from urllib.parse import urlsplit

from pydantic import JsonValue, SecretStr

from dltest.lake.ports.storage import JobKind, StorageJob, TokenTrial
from dltest.lake.ports.tokens import IssuedToken, TokenRequest, Tokens
from dltest.lake.storage.order import FileOrder, Order
from dltest.lake.token_rules.at_rucio import SIGN_INS, WHO_AM_I
from dltest.lake.token_rules.catalogue import GROUP, RULES, Bearer
from dltest.lake.token_rules.forgery import forged, parts
from dltest.lake.token_rules.places import in_tokens, path_of, token_path
from dltest.lake.token_rules.uses import EXPIRIES

KEEPER_RIGHTS = ("storage.read", "storage.create", "storage.modify")
SLACK_SECONDS = 5
STORAGE = "storage."
SHOWN_CLAIMS = ("iss", "sub", "aud", "scope", "nbf", "iat", "exp", "wlcg.ver", "wlcg.groups")


@dataclass(frozen=True, slots=True)
class Given:
    """The token of one file's rule and what it says, or why the rule is not tried."""

    bearer: SecretStr | None = None
    claims: Mapping[str, JsonValue] = field(default_factory=dict)
    untried: str | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """Where tokens come from; the URL of Rucio's server, and what tokens for it say."""

    tokens: Tokens
    rucio: str
    audience: str
    scopes: tuple[str, ...]


def equipped(order: Order, job: StorageJob, desk: Desk) -> Order:
    """The job's order with every file's token, and for storages with our own.

    Raises:
        LakeError: the issuer gives none.
    """
    if job.kind is JobKind.SIGN_IN:
        return _for_rucio(order, job, desk)
    return _for_storage(order, job, desk.tokens)


def _for_storage(order: Order, job: StorageJob, tokens: Tokens) -> Order:
    trials = [(file.url, file.trial) for file in job.files if file.trial]
    own = keeper(trials, tokens).get_secret_value()
    files = tuple(
        _with(one, trial, given(url, trial, tokens))
        for one, (url, trial) in zip(order.files, trials, strict=True)
    )
    # All at once, where each waits for the end of its own token.
    at_once = len(files) if job.kind is JobKind.TOKEN_EXPIRY else order.parallel_files
    return replace(order, bearer=own, files=files, parallel_files=at_once)


def _for_rucio(order: Order, job: StorageJob, desk: Desk) -> Order:
    url = f"{desk.rucio.rstrip('/')}/{WHO_AM_I}"
    trials = [file.trial.model_copy(update={"beside": url}) for file in job.files if file.trial]
    files = tuple(
        _with(one, trial, _sign_in(trial, desk))
        for one, trial in zip(order.files, trials, strict=True)
    )
    return replace(order, files=files, parallel_files=len(files))


def _sign_in(trial: TokenTrial, desk: Desk) -> Given:
    bearer = SIGN_INS[trial.rule].bearer
    if bearer is None:
        return Given()
    if trial.lifetime is not None:
        bearer = replace(bearer, lifetime=int(trial.lifetime.total_seconds()))
    return _given(bearer, _request(bearer, desk.scopes, desk.audience), desk.tokens)


def _with(file: FileOrder, trial: TokenTrial, token: Given) -> FileOrder:
    return replace(
        file,
        rule=trial.rule,
        beside=trial.beside,
        bearer=token.bearer.get_secret_value() if token.bearer else None,
        claims=dict(token.claims),
        untried=token.untried,
        patience_seconds=trial.patience.total_seconds(),
    )


def keeper(trials: Sequence[tuple[str, TokenTrial]], tokens: Tokens) -> SecretStr:
    """Our own token for a job: all rights on the folders of its files, and no others."""
    base = trials[0][1].base
    urls = [one for url, trial in trials for one in (url, trial.beside)]
    area = commonpath([dirname(token_path(path_of(url), base)) for url in urls])
    scopes = tuple(f"{right}:{area}" for right in KEEPER_RIGHTS)
    return tokens.issue(TokenRequest(scopes=scopes, audiences=(audience(urls[0]),))).value


def audience(url: str) -> str:
    """Whom tokens for the storage are made out to: its host's name, as Rucio has them made out."""
    return str(urlsplit(url).hostname)


def given(url: str, trial: TokenTrial, tokens: Tokens) -> Given:
    """The token of the rule that is tried at the URL."""
    bearer = _bearer(trial)
    if bearer is None:
        return Given()
    places = in_tokens(url, trial.beside, trial.base)
    scopes = tuple(scope.format_map(places) for scope in bearer.scopes)
    request = _request(bearer, scopes, audience(url))
    return _given(bearer, request, tokens, f"storage.read:{places['file']}")


def _given(bearer: Bearer, request: TokenRequest, tokens: Tokens, altered: str = "") -> Given:
    issued = tokens.issue(request)
    if lacking := _lacking(request, issued):
        claims = _shown(issued.claims)
        return Given(claims=claims, untried=f"the issuer does not give such tokens: {lacking}")
    if bearer.forgery is None:
        return Given(issued.value, _shown(issued.claims))
    token = forged(issued.value.get_secret_value(), bearer.forgery, altered)
    return Given(SecretStr(token), _claims_of(token))


def _bearer(trial: TokenTrial) -> Bearer | None:
    if trial.lifetime is None:
        return RULES[trial.rule].bearer
    return Bearer(EXPIRIES[trial.rule].scopes, lifetime=int(trial.lifetime.total_seconds()))


def _request(bearer: Bearer, scopes: tuple[str, ...], own: str) -> TokenRequest:
    return TokenRequest(
        scopes=scopes,
        audiences=(bearer.audience or own,),
        lifetime=_seconds(bearer.lifetime),
        not_before=_seconds(bearer.not_before),
    )


def _seconds(number: int | None) -> timedelta | None:
    return None if number is None else timedelta(seconds=number)


def _lacking(request: TokenRequest, issued: IssuedToken) -> str | None:
    """In what the token is not what was asked for: a rule tried with it would prove nothing."""
    claims, now = issued.claims, time.time()
    told = claims.get("aud")
    if (told if isinstance(told, list) else [told]) != list(request.audiences):
        return f"its audience is {told}, not {', '.join(request.audiences)}"
    rights = {one for one in request.scopes if one.startswith(STORAGE)}
    granted = {one for one in str(claims.get("scope", "")).split() if one.startswith(STORAGE)}
    if granted != rights:
        return f"its scope is '{' '.join(sorted(granted))}', not '{' '.join(sorted(rights))}'"
    if GROUP in request.scopes and not claims.get(GROUP):
        return "it names no group"
    if request.lifetime is not None and _number(claims, "exp") - now > _most(request.lifetime):
        return f"it lives longer than {request.lifetime.total_seconds():g} s"
    if request.not_before and _number(claims, "nbf") - now < _least(request.not_before):
        return "it has begun already"
    return None


def _number(claims: Mapping[str, JsonValue], name: str) -> float:
    value = claims.get(name)
    return float(value) if isinstance(value, (int, float)) else 0.0


def _most(wanted: timedelta) -> float:
    return wanted.total_seconds() + SLACK_SECONDS


def _least(wanted: timedelta) -> float:
    return wanted.total_seconds() - SLACK_SECONDS


def _shown(claims: Mapping[str, Any]) -> dict[str, JsonValue]:
    return {name: claims[name] for name in SHOWN_CLAIMS if name in claims}


def _claims_of(token: str) -> dict[str, JsonValue]:
    """What a forged token says, with the header's part of the forgery."""
    if token.count(".") != 2:
        return {}
    header, claims, _ = parts(token)
    return {**_shown(claims), "alg": header.get("alg"), "kid": header.get("kid")}
