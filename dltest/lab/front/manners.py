"""What a front does to the traffic, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from http import HTTPStatus
from typing import Any, Literal, Self


@dataclass(frozen=True, slots=True)
class Answer:
    """Given in place of the server's own; `methods` and `path` (its beginning) select requests."""

    status: int
    methods: tuple[str, ...] = ()
    path: str = ""
    body: str = ""
    kind: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)

    def fits(self, method: str, path: str) -> bool:
        return (not self.methods or method in self.methods) and path.startswith(self.path)

    @property
    def reason(self) -> str:
        return HTTPStatus(self.status).phrase


Spoiling = Literal["flip", "truncate", "swallow"]
Unchecked = Literal["audience", "path", "prefix", "expiry", "algorithm"]


@dataclass(frozen=True, slots=True)
class Manners:
    """All that a front can be told to do.

    `delay_seconds` goes by before each answer, `bytes_per_second` limits bodies, and a connection
    is reset once a body is longer than `reset_after_bytes`. An uploaded body can be spoiled on
    its way to the server, a downloaded one on its way back, and the checksum that the server
    says can be another. Of bearer tokens, one thing can be `unchecked`; and one that was shown
    with a request of a method that `ends_tokens` has run out after it.
    """

    delay_seconds: float = 0.0
    bytes_per_second: int = 0
    reset_after_bytes: int | None = None
    answers: tuple[Answer, ...] = ()
    uploads: Spoiling | None = None
    downloads: Literal["flip"] | None = None
    lies_about_checksums: bool = False
    unchecked: Unchecked | None = None
    ends_tokens: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Raises `ValueError` for a key that no front knows."""
        if unknown := given.keys() - {one.name for one in fields(cls)}:
            raise ValueError(f"no front knows {', '.join(sorted(unknown))}")
        answers = tuple(
            Answer(**{**one, "methods": tuple(one.get("methods", ()))})
            for one in given.get("answers", ())
        )
        return cls(**{**given, "answers": answers})

    def answer_to(self, method: str, path: str) -> Answer | None:
        return next((one for one in self.answers if one.fits(method, path)), None)
