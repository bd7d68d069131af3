"""Steps that concern some files of the run at one RSE, or all of them."""

from pydantic import Field, NonNegativeInt

from dltest.errors import PlanError
from dltest.lake.ports import FileRef
from dltest.model import Payload
from dltest.steps.step import Context, PlaceBody


class SomeFilesBody(PlaceBody):
    files: tuple[NonNegativeInt, ...] | None = Field(
        None,
        min_length=1,
        description="Numbers of the files that are meant, from 0; all of them without it.",
        examples=[[0], [0, 1]],
    )


def numbers(body: SomeFilesBody, payload: Payload) -> list[int]:
    """The files' numbers.

    Raises:
        PlanError: the run makes no file of such a number.
    """
    wanted = list(range(payload.files)) if body.files is None else sorted(set(body.files))
    if beyond := [number for number in wanted if number >= payload.files]:
        raise PlanError(
            f"a step names file {beyond[0]}, and the scenario makes {payload.files}, counted"
            " from 0; give its payload more files, or the step other numbers"
        )
    return wanted


def names(ctx: Context, body: SomeFilesBody) -> list[str]:
    """The files' names in the catalogue."""
    every = ctx.file_names()
    return [every[number] for number in numbers(body, ctx.payload)]


def refs(ctx: Context, body: SomeFilesBody) -> tuple[FileRef, ...]:
    """The files as they lie at the step's RSE."""
    every = ctx.refs(ctx.targets[body.at], body.protocol)
    return tuple(every[number] for number in numbers(body, ctx.payload))
