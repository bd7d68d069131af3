"""What a node is told at its start: one JSON file, read once."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from dltest.errors import SettingsError
from dltest.lab.identity.holders import Client, User

# Which key signs: the first one, the one that is published to follow it, or one of nobody's.
Signing = Literal["first", "next", "unpublished"]


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """`folder` holds what the nodes share; `clock_seconds` is how far its clock is ahead.

    Whatever is asked for, no token has a `withheld` scope, and where they are set it is for this
    `audience` and lives for so many `lifetime_seconds`.
    """

    issuer: str
    port: int
    folder: Path
    certificate: Path
    key: Path
    clients: tuple[Client, ...]
    users: tuple[User, ...]
    signing: Signing = "first"
    clock_seconds: float = 0.0
    withheld: tuple[str, ...] = ()
    audience: str | None = None
    lifetime_seconds: float | None = None

    @classmethod
    def load(cls, file: Path) -> Self:
        """Raises `SettingsError` for a file that cannot be read or has a wrong key."""
        try:
            given: dict[str, Any] = json.loads(file.read_text())
            given |= {name: Path(given[name]) for name in ("folder", "certificate", "key")}
            given["clients"] = tuple(Client.of(one) for one in given["clients"])
            given["users"] = tuple(User.of(one) for one in given["users"])
            given["withheld"] = tuple(given.get("withheld", ()))
            return cls(**given)
        except (OSError, ValueError, TypeError, KeyError) as error:
            message = f"the token issuer cannot use its configuration {file}: {error}"
            raise SettingsError(message) from error
