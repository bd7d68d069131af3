r"""The syntax of Rucio's RSE expressions, as `rucio.core.rse_expression_parser` reads them.

`A|B` either, `A&B` both, `A\B` the first without the second; read from left to right, none binds
tighter than another, parentheses group. A term is `*`, an RSE's name, or an attribute compared:
`type=disk`, `tier<3`. There are no spaces. What a term means is told where lakes are known, in
`dltest.planning.selection`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_NESTING = 50

_COMPARISON = re.compile(r"([A-Za-z0-9._-]+)([=<>])([A-Za-z0-9_-]+)")
_NAME = re.compile(r"[A-Za-z0-9]+([_-][A-Za-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Everything:
    def __str__(self) -> str:
        return "*"


@dataclass(frozen=True, slots=True)
class Comparison:
    """An attribute compared. `is_name`: written as a bare word, which Rucio reads as word=True."""

    key: str
    operator: str
    value: str
    is_name: bool = False

    def __str__(self) -> str:
        return self.key if self.is_name else f"{self.key}{self.operator}{self.value}"


@dataclass(frozen=True, slots=True)
class Chain:
    """A first term and what is then done with others, in order; never empty."""

    first: "Expression"
    rest: tuple[tuple[str, "Expression"], ...]

    def __str__(self) -> str:
        return _inner(self.first) + "".join(
            f"{operator}{_inner(term)}" for operator, term in self.rest
        )


Expression = Everything | Comparison | Chain


class ExpressionError(ValueError):
    """Not an RSE expression; `position` counts characters from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def parse_expression(text: str) -> Expression:
    """The expression as a tree.

    Raises:
        ExpressionError: Rucio would not read it either.
    """
    parser = _Parser(text)
    expression = parser.chain(depth=0)
    if parser.position < len(text):
        raise parser.error()
    return expression


def comparisons(expression: Expression) -> Iterator[Comparison]:
    """All attribute comparisons in it, from left to right."""
    if isinstance(expression, Comparison):
        yield expression
    elif isinstance(expression, Chain):
        yield from comparisons(expression.first)
        for _, term in expression.rest:
            yield from comparisons(term)


def _inner(term: Expression) -> str:
    return f"({term})" if isinstance(term, Chain) else str(term)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def chain(self, depth: int) -> Expression:
        """Terms joined by operators, up to the end or a closing parenthesis."""
        first = self._term(depth)
        rest = []
        while (operator := self._peek()) and operator in "&|\\":
            self.position += 1
            rest.append((operator, self._term(depth)))
        return Chain(first, tuple(rest)) if rest else first

    def _term(self, depth: int) -> Expression:
        if self._peek() == "(":
            return self._group(depth + 1)
        if self._peek() == "*":
            self.position += 1
            return Everything()
        if match := _COMPARISON.match(self.text, self.position):
            self.position = match.end()
            key, operator, value = match.groups()
            return Comparison(key, operator, value)
        if match := _NAME.match(self.text, self.position):
            self.position = match.end()
            return Comparison(match.group(), "=", "True", is_name=True)
        raise self.error()

    def _group(self, depth: int) -> Expression:
        if depth > MAX_NESTING:
            raise ExpressionError("more parentheses than anybody needs", self.position)
        opened = self.position
        self.position += 1
        inside = self.chain(depth)
        if not self._peek():
            raise ExpressionError("this parenthesis is never closed", opened)
        if self._peek() != ")":
            raise self.error()
        self.position += 1
        return inside

    def _peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def error(self) -> ExpressionError:
        """What is wrong at the current position."""
        found = self._peek()
        if not self.text:
            message = "an RSE expression cannot be empty; `*` is all RSEs"
        elif not found:
            message = "the RSE expression ends too early"
        elif found.isspace():
            message = "Rucio's RSE expressions hold no spaces"
        elif found == ")":
            message = "a parenthesis is closed that was never opened"
        else:
            message = f"'{found}' cannot stand here in an RSE expression"
        return ExpressionError(message, self.position)
