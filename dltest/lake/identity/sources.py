"""Where dltest's own tokens come from."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from dltest.errors import CredentialError
from dltest.lake.ports import TokenRequest, Tokens
from dltest.model import DLTEST

AGENT_SECONDS = 15.0
OPERATION = "get dltest's own token"


class Source(Protocol):
    """Gives tokens that are good for a while."""

    def __call__(self, request: TokenRequest) -> SecretStr:
        """A token for that, or the one that there is. Raises `CredentialError`."""


class ByCredentials:
    """As a client of the issuer."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def __call__(self, request: TokenRequest) -> SecretStr:
        token = self._tokens.issue(request)
        if lacking := request.lacking(token.claims):
            # With it, a storage would be accused of refusing what it must refuse.
            raise CredentialError(
                f"the issuer gave a token without {', '.join(lacking)}",
                code="token-lacks-rights",
                operation=OPERATION,
                answered=False,
            )
        return token.value


class ByAgent:
    """From oidc-agent, by its program `oidc-token`: a person has signed in, the agent renews."""

    def __init__(self, account: str) -> None:
        self._account = account

    def __call__(self, request: TokenRequest) -> SecretStr:
        command = ["oidc-token", "--time=60", f"--scope={' '.join(request.scopes)}"]
        if request.audiences:
            command.append(f"--aud={' '.join(request.audiences)}")
        try:
            told = subprocess.run(
                [*command, self._account],
                capture_output=True,
                text=True,
                timeout=AGENT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise unavailable(f"oidc-agent cannot be asked ({type(error).__name__})") from None
        if told.returncode != 0:
            raise unavailable(f"oidc-agent has no token for {self._account}; is it loaded?")
        return SecretStr(told.stdout.strip())


class Discovered:
    """Where the WLCG bearer token discovery looks, in its order, and before it in a file of ours.

    https://github.com/WLCG-AuthZ-WG/bearer-token-discovery: a place that is named must be good;
    the next one is not tried then.
    """

    def __init__(
        self, file: Path | None = None, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._file = file
        self._environment = environment

    def __call__(self, request: TokenRequest) -> SecretStr:  # noqa: ARG002 - it is what it is
        if self._file is None and (value := self._environment.get("BEARER_TOKEN", "").strip()):
            return SecretStr(value)
        for place, is_named in self._places():
            if is_named or place.exists():
                return _read(place)
        raise unavailable("no bearer token is found where the WLCG bearer token discovery looks")

    def _places(self) -> list[tuple[Path, bool]]:
        if self._file is not None:
            return [(self._file, True)]
        if named := self._environment.get("BEARER_TOKEN_FILE"):
            return [(Path(named), True)]
        own = f"bt_u{os.geteuid()}"
        runtime = self._environment.get("XDG_RUNTIME_DIR")
        folders = [Path(runtime)] if runtime else []
        return [(folder / own, False) for folder in (*folders, Path("/tmp"))]  # noqa: S108


def unavailable(message: str, code: str = "token-unavailable") -> CredentialError:
    """We have none to show, which says nothing of the lake."""
    return CredentialError(
        message, code=code, operation=OPERATION, blame=DLTEST, retryable=True, answered=False
    )


def _read(file: Path) -> SecretStr:
    try:
        value = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise unavailable(f"cannot read the token in {file} ({type(error).__name__})") from None
    if not value:
        raise unavailable(f"there is no token in {file}")
    return SecretStr(value)
