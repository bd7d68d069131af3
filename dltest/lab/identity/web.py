"""The issuer's pages: discovery, keys, tokens, and the two forms in which users sign in."""

from functools import partial
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask, render_template_string, request
from flask.typing import ResponseReturnValue

from dltest.lab.identity.book import Book, Kind
from dltest.lab.identity.configuration import NodeConfig
from dltest.lab.identity.endpoints import Devices, Introspection, Revocation
from dltest.lab.identity.grants import (
    BY_SECRET,
    ByCode,
    ByCredentials,
    ByDevice,
    ByExchange,
    ByRefresh,
    IdToken,
)
from dltest.lab.identity.holders import GRANTS, SCOPES, Holder, User
from dltest.lab.identity.keys import ALGORITHM, public_keys
from dltest.lab.identity.profile import Mint

FORM = """\
<!doctype html><title>dltest lab: sign in</title>
<form method="post">
<p>{{ question }} <input name="user_code" value="{{ user_code }}" {{ "" if device else "hidden" }}>
<p>User <input name="username"> Password <input name="password" type="password">
<button name="answer" value="allow">Allow</button> <button name="answer" value="deny">Deny</button>
</form>
"""


class TokenIssuer(AuthorizationServer):
    """Authlib's server with the clients, grants and endpoints of one node."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__()
        self.issuer = config.issuer
        self.book = Book(config.folder)
        self.mint = Mint(config)
        self._clients = {client.client_id: client for client in config.clients}
        self._users = {user.name: user for user in config.users}
        # What must be kept of a token is kept when it is made.
        self.init_app(Flask(__name__), self._clients.get, lambda _token, _request: None)
        for grant in (ByCredentials, ByRefresh, ByDevice, ByExchange):
            self.register_grant(grant)
        self.register_grant(ByCode, [CodeChallenge(), IdToken(self.issuer, self.mint)])
        for endpoint in (Introspection, Revocation, Devices):
            self.register_endpoint(endpoint)

    def holder(self, subject: str) -> Holder | None:
        return self._users.get(subject) or self._clients.get(subject)

    def signed_in(self) -> User | None:
        """The user whose form this is, if the password is theirs."""
        user = self._users.get(request.form.get("username", ""))
        if user is None or not user.has_password(request.form.get("password", "")):
            return None
        return user


def application(config: NodeConfig) -> Flask:
    """The web application of one node."""
    app = Flask("dltest.lab.identity")
    server = TokenIssuer(config)
    _for_programs(app, server, config)
    _for_people(app, server)
    return app


def _for_programs(app: Flask, server: TokenIssuer, config: NodeConfig) -> None:
    @app.get("/.well-known/openid-configuration")
    @app.get("/.well-known/oauth-authorization-server")
    def discovery() -> ResponseReturnValue:
        return metadata(config.issuer)

    @app.get("/jwk")
    def keys() -> ResponseReturnValue:
        return public_keys(config.folder)

    @app.post("/token")
    def token() -> ResponseReturnValue:
        return _typed(server.create_token_response())

    for name, path in (
        (Introspection.ENDPOINT_NAME, "/introspect"),
        (Revocation.ENDPOINT_NAME, "/revoke"),
        (Devices.ENDPOINT_NAME, "/devicecode"),
    ):
        serve = partial(server.create_endpoint_response, name)
        app.add_url_rule(path, name, serve, methods=["POST"])


def _for_people(app: Flask, server: TokenIssuer) -> None:
    @app.route("/authorize", methods=["GET", "POST"])
    def authorize() -> ResponseReturnValue:
        user = server.signed_in()
        try:
            grant = server.get_consent_grant(end_user=user)
        except OAuth2Error as error:
            return _typed(server.handle_error_response(request, error))
        if user is None:
            return _form(f"Allow {grant.client.client_id}: {grant.request.scope}?")
        allowed = user if request.form.get("answer") == "allow" else None
        return _typed(server.create_authorization_response(grant_user=allowed, grant=grant))

    @app.route("/device", methods=["GET", "POST"])
    def device() -> ResponseReturnValue:
        user, code = server.signed_in(), request.values.get("user_code", "")
        if user is None or server.book.get(Kind.USER_CODE, code) is None:
            return _form("Allow the device with the code", code, device=True)
        said = {"subject": user.subject, "allowed": request.form.get("answer") == "allow"}
        server.book.put(Kind.USER_CODE, code, said, Devices.EXPIRES_IN)
        return "Go back to your device."


def metadata(issuer: str) -> dict[str, Any]:
    """What clients discover (OpenID Connect Discovery, section 3; RFC 8414, section 2)."""
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}jwk",
        "token_endpoint": f"{issuer}token",
        "authorization_endpoint": f"{issuer}authorize",
        "device_authorization_endpoint": f"{issuer}devicecode",
        "introspection_endpoint": f"{issuer}introspect",
        "revocation_endpoint": f"{issuer}revoke",
        "grant_types_supported": list(GRANTS),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "scopes_supported": list(SCOPES),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": BY_SECRET,
        "id_token_signing_alg_values_supported": [ALGORITHM],
    }


def _form(question: str, user_code: str = "", *, device: bool = False) -> str:
    return render_template_string(FORM, question=question, user_code=user_code, device=device)


def _typed(response: Any) -> ResponseReturnValue:
    """Authlib's answer, which it does not type."""
    told: ResponseReturnValue = response
    return told
