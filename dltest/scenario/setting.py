"""A scenario with values that a person set for one run.

There is no language in it: a parameter names one place of the file, whose value is replaced;
then the whole file is read and checked again.
"""

from collections.abc import Mapping
from typing import Any

from dltest.errors import ParameterError, ScenarioError
from dltest.scenario.document import Loc, value_of
from dltest.scenario.dump import as_document, as_text
from dltest.scenario.explain import shorter, suggestion
from dltest.scenario.parameters import Bodies, kinds_at, loc_of, measure_of
from dltest.scenario.parse import Registry, parse
from dltest.scenario.scenario import Parameter, Scenario
from dltest.steps import registry


def with_values(
    scenario: Scenario, values: Mapping[str, str], steps: Registry | None = None
) -> Scenario:
    """The scenario with its parameters set, checked as a file is.

    Raises:
        ParameterError: unknown, more than the scenario allows, or not what the file may hold.
    """
    known = registry() if steps is None else steps
    bodies = [(call.type, known[call.type].Body) for call in scenario.steps]
    document = as_document(scenario)
    for name, value in values.items():
        parameter = _known(scenario, name)
        loc = loc_of(parameter.sets)
        _check_most(scenario, name, value, parameter, bodies)
        _set(document, loc, value_of(value))
    if not values:
        return scenario
    try:
        return parse(as_text(document), scenario.name, known)
    except ScenarioError as error:
        asked = ", ".join(f"{name}={shorter(value)}" for name, value in values.items())
        why = "; ".join(dict.fromkeys(problem.message for problem in error.problems))
        raise ParameterError(f"scenario '{scenario.name}' with {asked}: {why}") from None


def _known(scenario: Scenario, name: str) -> Parameter:
    if name not in scenario.parameters:
        has = suggestion(name, scenario.parameters) or "; it has none"
        raise ParameterError(f"scenario '{scenario.name}' has no parameter '{shorter(name)}'{has}")
    return scenario.parameters[name]


def _check_most(
    scenario: Scenario, name: str, value: str, parameter: Parameter, bodies: Bodies
) -> None:
    measure = measure_of(kinds_at(loc_of(parameter.sets), bodies))
    if measure is None or parameter.at_most is None:
        return
    try:
        is_more = measure(value) > measure(parameter.at_most)
    except ValueError as error:
        raise ParameterError(f"scenario '{scenario.name}', parameter {name}: {error}") from None
    if is_more:
        raise ParameterError(
            f"scenario '{scenario.name}' allows {name} to be {parameter.at_most} at most,"
            f" not {value}"
        )


def _set(document: Any, loc: Loc, value: object) -> None:
    *way, last = loc
    for key in way:
        document = document[key] if isinstance(key, int) else document.setdefault(key, {})
    document[last] = value
