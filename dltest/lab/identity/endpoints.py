"""The endpoints beside the token endpoint: introspection, revocation, devices."""

import time
from typing import Any, ClassVar

from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint
from flask import request

from dltest.lab.identity.book import Kind
from dltest.lab.identity.given import Given, find_access_token, find_refresh_token
from dltest.lab.identity.grants import BY_SECRET
from dltest.lab.identity.holders import Client


class Introspection(IntrospectionEndpoint):
    """RFC 7662: what a token is good for; every client may ask."""

    CLIENT_AUTH_METHODS: ClassVar = BY_SECRET

    def query_token(self, token_string: str, token_type_hint: str | None) -> Given | None:  # noqa: ARG002
        return find_access_token(self.server, token_string) or find_refresh_token(
            self.server, token_string
        )

    def check_permission(self, token: Given, client: Client, request: Any) -> bool:  # noqa: ARG002
        return True

    def introspect_token(self, token: Given) -> dict[str, Any]:
        known = {
            "active": True,
            "client_id": token.client_id,
            "sub": token.subject,
            "scope": token.scope,
            "aud": list(token.audiences),
            "iss": self.server.issuer,
        }
        return known if token.is_refresh else {**known, "exp": token.expires}


class Revocation(RevocationEndpoint):
    """RFC 7009. Who verifies an access token by its signature alone does not hear of it."""

    CLIENT_AUTH_METHODS: ClassVar = BY_SECRET

    def query_token(self, token_string: str, token_type_hint: str | None) -> Given | None:  # noqa: ARG002
        return find_access_token(self.server, token_string) or find_refresh_token(
            self.server, token_string
        )

    def revoke_token(self, token: Given, request: Any) -> None:  # noqa: ARG002
        if token.expires is None:
            self.server.book.forget(Kind.REFRESH, token.name)
        else:
            self.server.book.put(Kind.REVOKED, token.name, {}, token.expires - time.time())


class Devices(DeviceAuthorizationEndpoint):
    """RFC 8628, section 3.1."""

    CLIENT_AUTH_METHODS: ClassVar = BY_SECRET
    INTERVAL = 1

    def get_verification_uri(self) -> str:
        return f"{self.server.issuer}device"

    def save_device_credential(self, client_id: str, scope: str, data: dict[str, Any]) -> None:
        facts = {
            "client_id": client_id,
            "scope": scope,
            "user_code": data["user_code"],
            "audience": request.form.get("audience", ""),
        }
        book, seconds = self.server.book, float(data["expires_in"])
        book.put(Kind.DEVICE, data["device_code"], facts, seconds)
        book.put(Kind.USER_CODE, data["user_code"], {}, seconds)
