"""A scenario document being read: typed reading of its parts, and the mistakes found so far."""

import json
from collections.abc import Collection
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dltest.errors import Problem
from dltest.scenario.document import Loc, Mapping, Node, Place, Scalar, as_json, find, locate
from dltest.scenario.explain import Schema, explain
from dltest.scenario.rse_expression import ExpressionError
from dltest.scenario.schema import schema_of

# Nobody reads on after so many, and finding what was meant takes time for each.
MAX_MISTAKES = 200

ModelT = TypeVar("ModelT", bound=BaseModel)


def _validated(model: type[ModelT], text: str) -> ModelT:
    """Strict, and by way of JSON: what the JSON Schema calls text must be text here too."""
    return model.model_validate_json(text, strict=True, by_alias=True, by_name=False)


def _inside(node: Scalar, position: int) -> Place:
    """The place of one character of a scalar, or of the whole when that cannot be told."""
    if node.offset is None:
        return node.place
    return Place(node.place.line, node.place.column + node.offset + position)


class Sheet:
    """The tree of one file and what is wrong with it."""

    def __init__(self, root: Mapping, path: str, problems: list[Problem]) -> None:
        self.root = root
        self.path = path
        self.problems = problems
        self._refused = {Place(problem.line, problem.column) for problem in problems}

    def find(self, loc: Loc) -> Node | None:
        return find(self.root, loc)

    def mistake(self, loc: Loc, message: str, *, key: bool = False) -> None:
        """Note a mistake at the value (or its key) that stands at `loc`."""
        self._note(locate(self.root, loc, key=key), message)

    def read(
        self,
        model: type[ModelT],
        loc: Loc,
        *,
        leave_out: Collection[str] = (),
        schema: Schema | None = None,
    ) -> ModelT | None:
        """The mapping at `loc` as the model, or None with the mistakes noted.

        `schema` is what mistakes are explained by, if not the model's own.
        """
        try:
            return _validated(model, self._json(loc, leave_out))
        except ValidationError as error:
            self._note_all(error.errors(include_url=False), loc, schema or schema_of(model))
            return None

    def read_what_is_right(self, model: type[ModelT], loc: Loc) -> ModelT | None:
        """The mapping at `loc` without its keys that are wrong, if that is a model; notes nothing.

        For checks that should not wait until other mistakes are mended.
        """
        try:
            return _validated(model, self._json(loc, ()))
        except ValidationError as error:
            wrong = {str(detail["loc"][0]) for detail in error.errors() if detail["loc"]}
        try:
            return _validated(model, self._json(loc, wrong))
        except ValidationError:
            return None

    def _json(self, loc: Loc, leave_out: Collection[str]) -> str:
        node = self.find(loc)
        value = as_json(node) if node else None
        if isinstance(value, dict):
            value = {key: inner for key, inner in value.items() if key not in leave_out}
        return json.dumps({} if value is None else value)

    def _note_all(self, details: list[ErrorDetails], loc: Loc, schema: Schema) -> None:
        for detail in details:
            place = self._place_of(detail, (*loc, *detail["loc"]))
            if len(self.problems) >= MAX_MISTAKES:
                self._note(place, "and there are more mistakes, which are not shown")
                return
            self._note(place, explain(detail, schema))

    def _place_of(self, detail: ErrorDetails, loc: Loc) -> Place:
        place = locate(self.root, loc, key=detail["type"] == "extra_forbidden")
        cause = detail.get("ctx", {}).get("error")
        node = self.find(loc)
        if isinstance(cause, ExpressionError) and isinstance(node, Scalar):
            return _inside(node, cause.position)
        return place

    def _note(self, place: Place, message: str) -> None:
        """What stands where YAML itself was refused is not judged further."""
        if place not in self._refused:
            self.problems.append(Problem(self.path, place.line, place.column, message))
