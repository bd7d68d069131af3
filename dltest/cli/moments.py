"""Moments and people as options give them."""

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer

from dltest.errors import SettingsError

ByOption = Annotated[
    str | None, typer.Option("--by", help="Who says so [default: your login name].")
]


def moment(text: str, option: str) -> datetime:
    """An ISO 8601 moment; without an offset it is UTC.

    Raises:
        SettingsError: it is none.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(
            f"{option}: '{text}' is not a moment; write 2026-11-24T08:00, which is in UTC,"
            " or 2026-11-24T08:00+01:00"
        ) from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def optional_moment(text: str | None, option: str) -> datetime | None:
    return None if text is None else moment(text, option)


def who(by: str | None) -> str:
    return by or getpass.getuser()


def shown(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else ""
