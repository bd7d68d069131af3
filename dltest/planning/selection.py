"""Which RSEs of a lake an RSE expression means, as Rucio's own server would answer.

The rules are those of `rucio.core.rse_expression_parser` and `rucio.core.rse.list_rses`: text is
compared case by case, except `true` and `false`; `<` and `>` compare numbers and pass over values
that are none; an RSE's name is an attribute of it with the value true.
"""

from collections.abc import Iterator
from difflib import get_close_matches

from dltest.errors import NoTargetError, PlanError
from dltest.model import RSE, Lake
from dltest.scenario import ExpressionError, parse_expression
from dltest.scenario.rse_expression import Chain, Comparison, Everything, Expression, comparisons

MANY = 8


def select(expression: str, lake: Lake, *, asked_by: str) -> list[str]:
    """Names of the RSEs meant, sorted; `asked_by` opens the message when there is none.

    Raises:
        PlanError: not an RSE expression.
        NoTargetError: it means no RSE of this lake; the message says which part fits nothing.
    """
    try:
        tree = parse_expression(expression)
    except ExpressionError as error:
        where = f"character {error.position + 1} of '{expression}'"
        raise PlanError(f"{asked_by}: {error} ({where})") from None
    if names := evaluate(tree, lake):
        return sorted(names)
    hint = " ".join(_hints(tree, lake)) or "Each part fits some RSE, but none fits all of it."
    raise NoTargetError(f"{asked_by}: no RSE of lake '{lake.name}' matches '{expression}'. {hint}")


def evaluate(expression: Expression, lake: Lake) -> set[str]:
    """Names of the RSEs that the expression means; may be empty."""
    match expression:
        case Everything():
            return {rse.name for rse in lake.rses}
        case Comparison():
            return {rse.name for rse in lake.rses if _holds(expression, rse)}
        case Chain():
            return _evaluate_chain(expression, lake)


def _evaluate_chain(chain: Chain, lake: Lake) -> set[str]:
    names = evaluate(chain.first, lake)
    for operator, term in chain.rest:
        others = evaluate(term, lake)
        if operator == "|":
            names |= others
        elif operator == "&":
            names &= others
        else:
            names -= others
    return names


def _holds(comparison: Comparison, rse: RSE) -> bool:
    key, operator, asked = comparison.key, comparison.operator, comparison.value
    if operator == "=" and key in _columns(rse):
        return _columns(rse)[key] == _BITS.get(asked, _comparable(asked))
    found = attributes_of(rse).get(key)
    if found is None:
        return False
    if operator == "=":
        return _comparable(found) == _comparable(asked)
    number, limit = _number(_BITS_AS_NUMBERS.get(found.lower(), found)), _number(asked)
    if number is None or limit is None:
        return False
    return number < limit if operator == "<" else number > limit


_BITS = {"1": "true", "0": "false"}
_BITS_AS_NUMBERS = {"true": "1", "false": "0"}


def _columns(rse: RSE) -> dict[str, str]:
    """What Rucio keeps beside the attributes and compares before them, as far as we know it."""
    return {
        "rse": _comparable(rse.name),
        "rse_type": _comparable(rse.type),
        "availability_read": _comparable(str(rse.readable)),
        "availability_write": _comparable(str(rse.writable)),
        "availability_delete": _comparable(str(rse.deletable)),
    }


def attributes_of(rse: RSE) -> dict[str, str]:
    """All attributes, with the one that Rucio gives every RSE at its birth: its own name."""
    return {rse.name: "True", **rse.attributes}


def _comparable(value: str) -> str:
    return value.lower() if value.lower() in {"true", "false"} else value


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _hints(tree: Expression, lake: Lake) -> Iterator[str]:
    """What there is instead, for each comparison that fits no RSE at all."""
    for comparison in comparisons(tree):
        if not evaluate(comparison, lake):
            yield _hint(comparison, lake)


def _hint(comparison: Comparison, lake: Lake) -> str:
    if comparison.is_name:
        names = [rse.name for rse in lake.rses]
        return f"There is no RSE '{comparison.key}'{_instead(comparison.key, names)}"
    values = {rse.attributes[comparison.key] for rse in lake.rses if _has(rse, comparison.key)}
    if values:
        return f"'{comparison}' fits none: {comparison.key} is {_some(sorted(values))}."
    keys = sorted({key for rse in lake.rses for key in rse.attributes})
    return f"No RSE has an attribute '{comparison.key}'{_instead(comparison.key, keys)}"


def _has(rse: RSE, key: str) -> bool:
    return key in rse.attributes


def _instead(word: str, known: list[str]) -> str:
    if near := get_close_matches(word.lower(), [name.lower() for name in known], n=1):
        exact = next(name for name in known if name.lower() == near[0])
        return f"; did you mean '{exact}'?"
    return f"; there is {_some(known)}." if known else "; there is none."


def _some(words: list[str]) -> str:
    more = f" and {len(words) - MANY} more" if len(words) > MANY else ""
    return ", ".join(words[:MANY]) + more
