"""Calls of the ports as JSON lines, so that a lake in one process serves many others.

The shapes are those of the Protocols in `ports`: their annotations say how each argument and
answer is written and checked. A `LakeError` arrives as the error that was raised.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from inspect import signature
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from dltest.errors import (
    CatalogueError,
    CredentialError,
    FaultError,
    LakeError,
    StorageError,
    TransferError,
)
from dltest.lake.ports import Catalogue, Faults, Transfers
from dltest.model import Blame

DOORS: dict[str, type] = {"catalogue": Catalogue, "transfers": Transfers, "faults": Faults}
MOVE = "move"

KINDS: dict[str, type[LakeError]] = {
    kind.__name__: kind
    for kind in (
        LakeError,
        CatalogueError,
        StorageError,
        TransferError,
        CredentialError,
        FaultError,
    )
}
FACTS = ("code", "operation", "rse", "retryable", "answered")


@dataclass(frozen=True, slots=True)
class Shape:
    """How one call's arguments and answer are written."""

    arguments: Mapping[str, TypeAdapter[Any]]
    answer: TypeAdapter[Any]


@cache
def shape(door: str, call: str) -> Shape:
    """The shape of a call of a door.

    Raises:
        AttributeError: the port has no such call.
    """
    hints = get_type_hints(_function(door, call))
    answer = TypeAdapter(hints.pop("return"))
    return Shape({name: TypeAdapter(hint) for name, hint in hints.items()}, answer)


def request(door: str, call: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    """One line that asks for the call."""
    given = signature(_function(door, call)).bind(None, *args, **kwargs).arguments
    adapters = shape(door, call).arguments
    arguments = {
        name: adapters[name].dump_python(value, mode="json")
        for name, value in given.items()
        if name in adapters
    }
    return line({"door": door, "call": call, "arguments": arguments})


def arguments(door: str, call: str, written: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a request, as the port takes them."""
    adapters = shape(door, call).arguments
    return {name: adapters[name].validate_python(value) for name, value in written.items()}


def answer(door: str, call: str, value: Any) -> bytes:
    return line({"answer": shape(door, call).answer.dump_python(value, mode="json")})


def refusal(error: LakeError) -> bytes:
    facts = {name: getattr(error, name) for name in FACTS}
    told = {"kind": type(error).__name__, "message": str(error), "blame": str(error.blame)}
    return line({"error": {**told, "facts": facts}})


def read_answer(door: str, call: str, written: Mapping[str, Any]) -> Any:
    """What the call gave.

    Raises:
        LakeError: what it raised.
    """
    if told := written.get("error"):
        raise _error(told)
    return shape(door, call).answer.validate_python(written["answer"])


def line(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode() + b"\n"


def _function(door: str, call: str) -> Any:
    if call.startswith("_"):
        raise AttributeError(call)
    return getattr(DOORS[door], call)


def _error(told: Mapping[str, Any]) -> LakeError:
    kind = KINDS[told["kind"]]
    error = kind.__new__(kind)
    # Not its own constructor: each kind has another, and all end in this one.
    LakeError.__init__(error, told["message"], blame=Blame.parse(told["blame"]), **told["facts"])
    return error
