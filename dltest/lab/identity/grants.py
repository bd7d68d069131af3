"""The grants of the token endpoint: Authlib's, and what is remembered for each."""

import time
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from authlib.common.security import generate_token
from authlib.oauth2.rfc6749 import (
    AuthorizationCodeMixin,
    InvalidRequestError,
    InvalidScopeError,
    TokenEndpointMixin,
    UnauthorizedClientError,
    grants,
)
from authlib.oauth2.rfc8628 import DeviceCodeGrant, DeviceCredentialDict
from authlib.oidc.core import OpenIDCode

from dltest.lab.identity.book import Kind
from dltest.lab.identity.given import Given, find_access_token, find_refresh_token
from dltest.lab.identity.holders import EXCHANGE, Client, Holder
from dltest.lab.identity.profile import Mint, Wishes, is_covered

BY_SECRET = ["client_secret_basic", "client_secret_post"]
CODE_SECONDS = 300.0
REFRESH_SECONDS = 30 * 86400.0
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - RFC 8693, section 3


class Minted:
    """A grant whose tokens are of the WLCG profile."""

    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = BY_SECRET
    request: Any
    server: Any

    def former_audiences(self) -> tuple[str, ...]:
        """Those of the token or code that a new token is asked for with."""
        return ()

    def generate_token(
        self,
        user: Holder | None = None,
        scope: str | None = None,
        include_refresh_token: bool = True,  # noqa: FBT001, FBT002 - Authlib's signature
        **_: Any,
    ) -> dict[str, Any]:
        """The answer of the token endpoint (RFC 6749, section 5.1)."""
        client: Client = self.request.client
        holder = user or client
        wishes = self._wishes()
        granted = client.get_allowed_scope(scope)
        if granted is None:
            raise InvalidScopeError
        token = {
            "access_token": self.server.mint.access_token(client, holder, granted, wishes),
            "token_type": "Bearer",
            "expires_in": int(wishes.lifetime),
            "scope": self.server.mint.granted(granted),
        }
        if include_refresh_token and "offline_access" in granted.split():
            token["refresh_token"] = self._refresh_token(holder, granted, wishes)
        return token

    def _wishes(self) -> Wishes:
        form = self.request.form
        try:
            wishes = Wishes.of(form, form.getlist("resource"))
        except ValueError as error:
            raise InvalidRequestError("'lifetime' and 'not_before' are seconds.") from error
        return wishes.or_for(self.former_audiences())

    def _refresh_token(self, holder: Holder, scope: str, wishes: Wishes) -> str:
        token: str = generate_token(48)
        facts = {
            "client_id": self.request.client.client_id,
            "subject": holder.subject,
            "scope": scope,
            "audiences": wishes.audiences,
        }
        self.server.book.put(Kind.REFRESH, token, facts, REFRESH_SECONDS)
        return token


class ByCredentials(Minted, grants.ClientCredentialsGrant):
    """RFC 6749, section 4.4: the client is the holder."""


class ByRefresh(Minted, grants.RefreshTokenGrant):
    """RFC 6749, section 6. The refresh token stays good, as those of IAM do."""

    def former_audiences(self) -> tuple[str, ...]:
        former: Given = self.request.refresh_token
        return former.audiences

    def authenticate_refresh_token(self, refresh_token: str) -> Given | None:
        return find_refresh_token(self.server, refresh_token)

    def authenticate_user(self, refresh_token: Given) -> Holder | None:
        holder: Holder | None = self.server.holder(refresh_token.subject)
        return holder

    def issue_token(self, user: Holder, refresh_token: Given) -> dict[str, Any]:
        return {**super().issue_token(user, refresh_token), "refresh_token": refresh_token.name}

    def revoke_old_credential(self, refresh_token: Given) -> None:
        pass


@dataclass(frozen=True, slots=True)
class AuthorizationCode(AuthorizationCodeMixin):
    """What a user has allowed, until the client asks for its token."""

    client_id: str
    subject: str
    scope: str
    auth_time: int
    audience: str = ""
    redirect_uri: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    code_challenge_method: str | None = None

    def get_redirect_uri(self) -> str | None:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


class ByCode(Minted, grants.AuthorizationCodeGrant):
    """RFC 6749, section 4.1."""

    def former_audiences(self) -> tuple[str, ...]:
        code: AuthorizationCode = self.request.authorization_code
        return tuple(code.audience.split())

    def save_authorization_code(self, code: str, request: Any) -> None:
        asked = request.payload.data
        facts = AuthorizationCode(
            client_id=request.client.client_id,
            subject=request.user.subject,
            scope=request.scope,
            auth_time=int(time.time()),
            audience=asked.get("audience", ""),
            redirect_uri=request.payload.redirect_uri,
            nonce=asked.get("nonce"),
            code_challenge=asked.get("code_challenge"),
            code_challenge_method=asked.get("code_challenge_method"),
        )
        self.server.book.put(Kind.CODE, code, asdict(facts), CODE_SECONDS)

    def query_authorization_code(self, code: str, client: Client) -> AuthorizationCode | None:
        facts = self.server.book.get(Kind.CODE, code)
        if facts is None or facts["client_id"] != client.client_id:
            return None
        return AuthorizationCode(**facts)

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:  # noqa: ARG002
        self.server.book.forget(Kind.CODE, self.request.form["code"])

    def authenticate_user(self, authorization_code: AuthorizationCode) -> Holder | None:
        holder: Holder | None = self.server.holder(authorization_code.subject)
        return holder


class IdToken(OpenIDCode):
    """The ID token that goes with a code (OpenID Connect Core, section 3.1.3.3)."""

    def __init__(self, issuer: str, mint: Mint) -> None:
        super().__init__()
        self._issuer = issuer
        self._mint = mint

    def exists_nonce(self, nonce: str, request: Any) -> bool:  # noqa: ARG002
        return False

    def encode_id_token(self, token: dict[str, Any], request: Any) -> str:  # noqa: ARG002
        code: AuthorizationCode = request.authorization_code
        now = int(self._mint.now())
        claims = {
            "iss": self._issuer,
            "sub": code.subject,
            "aud": code.client_id,
            "iat": now,
            "exp": now + int(CODE_SECONDS),
            "auth_time": code.auth_time,
        }
        return self._mint.sign(claims | ({"nonce": code.nonce} if code.nonce else {}))


class ByDevice(Minted, DeviceCodeGrant):
    """RFC 8628: a program without a browser waits while its user allows it elsewhere."""

    def former_audiences(self) -> tuple[str, ...]:
        return tuple(self.request.credential["audience"].split())

    def query_device_credential(self, device_code: str) -> DeviceCredentialDict | None:
        facts = self.server.book.get(Kind.DEVICE, device_code)
        return None if facts is None else DeviceCredentialDict(facts)

    def query_user_grant(self, user_code: str) -> tuple[Holder, bool] | None:
        said = self.server.book.get(Kind.USER_CODE, user_code)
        if said is None or "subject" not in said:
            return None
        return self.server.holder(said["subject"]), said["allowed"]

    def should_slow_down(self, credential: DeviceCredentialDict) -> bool:  # noqa: ARG002
        return False


class ByExchange(Minted, grants.BaseGrant, TokenEndpointMixin):
    """RFC 8693: for an access token another one, of the same holder and with no more rights.

    A transfer service gets a refresh token by it, for the tokens that were handed to it.
    """

    GRANT_TYPE = EXCHANGE
    _subject: Given

    def former_audiences(self) -> tuple[str, ...]:
        return self._subject.audiences

    def validate_token_request(self) -> None:
        client: Client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError
        form = self.request.form
        if form.get("subject_token_type") != ACCESS_TOKEN:
            raise InvalidRequestError("'subject_token_type' must be that of an access token.")
        subject = find_access_token(self.server, form.get("subject_token", ""))
        if subject is None:
            raise InvalidRequestError("'subject_token' is not a good token of this issuer.")
        self.request.client, self._subject = client, subject

    def create_token_response(self) -> tuple[int, dict[str, Any], Any]:
        held = self._subject.scope
        scope = self.request.payload.scope or held
        if not all(one == "offline_access" or is_covered(one, held) for one in scope.split()):
            raise InvalidScopeError
        token = self.generate_token(self.server.holder(self._subject.subject), scope)
        return 200, {**token, "issued_token_type": ACCESS_TOKEN}, self.TOKEN_RESPONSE_HEADER
