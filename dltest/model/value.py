"""The base of every value object: frozen, strict about names, the same in JSON and in memory."""

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """Immutable and equal by content; an unknown field is an error, so a typo cannot be ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")
