"""Who can hold a token: clients, which are programs, and users, who sign in by a password."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from authlib.oauth2.rfc6749 import ClientMixin, list_to_scope, scope_to_list

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # RFC 8693
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"  # RFC 8628
GRANTS = ("authorization_code", "client_credentials", DEVICE, "refresh_token", EXCHANGE)
STORAGE = ("storage.read", "storage.create", "storage.modify", "storage.stage")
# Before the colon of each; what comes after it, a path or a group, the issuer leaves to others.
SCOPES = ("openid", "profile", "offline_access", "fts", "wlcg", "wlcg.groups", *STORAGE)


class Holder(Protocol):
    """Whom a token is about (`sub`), and the groups that it may claim."""

    @property
    def subject(self) -> str: ...
    @property
    def groups(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class User:
    """A person; signs in with a password, and allows clients to act for them."""

    name: str
    password: str
    groups: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        return self.name

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        return cls(**{**given, "groups": tuple(given.get("groups", ()))})

    def has_password(self, password: str) -> bool:
        return hmac.compare_digest(self.password.encode(), password.encode())


@dataclass(frozen=True, slots=True)
class Client(ClientMixin):
    """A confidential client, in the words of RFC 6749. By its own credentials it is the subject."""

    client_id: str
    secret: str
    grants: tuple[str, ...] = GRANTS
    groups: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        return self.client_id

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        lists = ("grants", "groups", "redirect_uris")
        return cls(**{**given, **{key: tuple(given[key]) for key in lists if key in given}})

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str | None:
        return self.redirect_uris[0] if self.redirect_uris else None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What may be had of what is asked for; nothing at all is no scope."""
        asked = scope_to_list(scope or "openid") or []
        allowed = [one for one in asked if one.partition(":")[0] in SCOPES]
        return str(list_to_scope(allowed)) if allowed else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return hmac.compare_digest(self.secret.encode(), client_secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.grants
