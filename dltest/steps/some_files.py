"""Steps that concern some files of the run at one RSE, or all of them."""

from pydantic import Field, NonNegativeInt

from dltest.errors import PlanError
from dltest.model import Payload
from dltest.steps.step import Context, StorageStepBody


class SomeFilesBody(StorageStepBody):
    at: str = Field(description="Target role of the RSE whose copies are meant.", examples=["bad"])
    files: tuple[NonNegativeInt, ...] | None = Field(
        None,
        min_length=1,
        description="Numbers of the files that are meant, from 0; all of them without it.",
        examples=[[0], [0, 1]],
    )

    def roles(self) -> tuple[str, ...]:
        return (self.at,)


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
