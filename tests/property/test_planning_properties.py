"""Plans made by chance: their order, their sums, and RSE expressions against plain sets."""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from dltest.errors import NoTargetError
from dltest.model import RSE, Footprint, Lake, Plan
from dltest.planning import plan
from dltest.planning.selection import evaluate
from dltest.scenario import Scenario, parse, parse_expression

NAMES = ["XRD1", "XRD2", "CERN-PROD_DISK", "T1", "T2", "A"]
ATTRIBUTES = ["type", "tier", "dltest", "a.b"]
VALUES = ["disk", "tape", "True", "false", "1", "2.5", "x_y"]

lakes = st.lists(
    st.builds(
        RSE,
        name=st.sampled_from(NAMES),
        attributes=st.dictionaries(st.sampled_from(ATTRIBUTES), st.sampled_from(VALUES)),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda rse: rse.name,
).map(lambda rses: Lake(name="l", rses=tuple(rses), seen_at=datetime(2026, 1, 1, tzinfo=UTC)))

Means = Callable[[Lake], set[str]]


def all_of(lake: Lake) -> set[str]:
    return {rse.name for rse in lake.rses}


def equals(key: str, value: str) -> Means:
    def means(lake: Lake) -> set[str]:
        same = {"true": {"True", "true"}, "false": {"False", "false"}}.get(value.lower(), {value})
        return {rse.name for rse in lake.rses if rse.attributes.get(key) in same}

    return means


def below(key: str, limit: float) -> Means:
    as_number = {"True": 1.0, "false": 0.0, "1": 1.0, "2.5": 2.5}

    def means(lake: Lake) -> set[str]:
        values = {rse.name: as_number.get(rse.attributes.get(key, "")) for rse in lake.rses}
        return {name for name, value in values.items() if value is not None and value < limit}

    return means


terms = st.one_of(
    st.sampled_from(NAMES).map(lambda name: (name, lambda lake: {name} & all_of(lake))),
    st.just(("*", all_of)),
    st.builds(
        lambda key, value: (f"{key}={value}", equals(key, value)),
        st.sampled_from(ATTRIBUTES),
        st.sampled_from(["disk", "tape", "TRUE", "False", "1", "x_y"]),
    ),
    st.builds(
        lambda key, limit: (f"{key}<{limit}", below(key, limit)),
        st.sampled_from(ATTRIBUTES),
        st.integers(0, 3),
    ),
)


OPERATORS: dict[str, Callable[[set[str], set[str]], set[str]]] = {
    "|": set.union,
    "&": set.intersection,
    "\\": set.difference,
}


def joined(left: tuple[str, Means], operator: str, right: tuple[str, Means]) -> tuple[str, Means]:
    """With parentheses around both, so that the order of reading is not in question."""
    combine = OPERATORS[operator]
    text = f"({left[0]}){operator}({right[0]})"
    return text, lambda lake: combine(left[1](lake), right[1](lake))


expressions = st.recursive(
    terms, lambda inner: st.builds(joined, inner, st.sampled_from(list(OPERATORS)), inner)
)


@given(expressions, lakes)
def test_an_expression_means_what_sets_say(expression: tuple[str, Means], lake: Lake) -> None:
    text, means = expression
    assert evaluate(parse_expression(text), lake) == means(lake)


@given(expressions, lakes)
def test_printing_an_expression_does_not_change_what_it_means(
    expression: tuple[str, Means], lake: Lake
) -> None:
    tree = parse_expression(expression[0])
    assert evaluate(parse_expression(str(tree)), lake) == evaluate(tree, lake)


@given(st.lists(st.tuples(st.sampled_from(list(OPERATORS)), terms), max_size=5), terms, lakes)
def test_without_parentheses_it_is_read_from_left_to_right(
    rest: list[tuple[str, tuple[str, Means]]], first: tuple[str, Means], lake: Lake
) -> None:
    text, names = first[0], first[1](lake)
    for operator, (term, means) in rest:
        text += operator + term
        names = OPERATORS[operator](names, means(lake))
    assert evaluate(parse_expression(text), lake) == names


SCENARIO = """\
dltest: 1
name: it
title: t
owner: o
payload: {{files: {files}, size: {size} B}}
targets:
  a: {{rses: "*"}}
  b: {{rses: "*", other-than: [a]}}
  c: {{rses: "{third}", other-than: [{differs}]}}
steps:
  - upload: {{to: a}}
  - replicate: {{to: b, from: a}}
  - verify: {{at: c}}
"""

scenarios = st.builds(
    lambda files, size, third, differs: parse(
        SCENARIO.format(files=files, size=size, third=third, differs=differs), "f.yaml"
    ),
    st.integers(1, 9),
    st.integers(1, 10**6),
    st.sampled_from(["XRD1|XRD2", "T1|A|T2", "*\\\\A"]),
    st.sampled_from(["", "a", "a, b"]),
)


def with_leave(lake: Lake) -> Lake:
    """The lake without the attribute by which operators forbid tests."""
    rses = (
        rse.model_copy(update={"attributes": {**rse.attributes, "dltest": "True"}})
        for rse in lake.rses
    )
    return lake.model_copy(update={"rses": tuple(rses)})


def planned(scenario: Scenario, lake: Lake, only: str | None = None) -> Plan | None:
    try:
        return plan([scenario], with_leave(lake), only=only)
    except NoTargetError:
        return None


@given(scenarios, lakes)
def test_roles_that_must_differ_do_and_no_choice_is_missed(scenario: Scenario, lake: Lake) -> None:
    third = evaluate(parse_expression(scenario.targets["c"].rses), lake)
    c_differs = scenario.targets["c"].other_than
    naive = {
        (a, b, c)
        for a in all_of(lake)
        for b in all_of(lake) - {a}
        for c in third - ({a} if "a" in c_differs else set()) - ({b} if "b" in c_differs else set())
    }
    found = planned(scenario, lake)
    cases = [tuple(case.targets.values()) for case in found.cases] if found else []
    assert cases == sorted(naive)


@given(scenarios, lakes, st.randoms())
def test_a_plan_does_not_depend_on_the_order_of_the_lake(
    scenario: Scenario, lake: Lake, random: Random
) -> None:
    shuffled = list(lake.rses)
    random.shuffle(shuffled)
    other = lake.model_copy(update={"rses": tuple(shuffled)})
    assert planned(scenario, lake) == planned(scenario, other)


@given(scenarios, lakes)
def test_footprints_add_up_to_what_the_cases_write(scenario: Scenario, lake: Lake) -> None:
    found = planned(scenario, lake)
    if found is None:
        return
    total = sum(found.footprints.values(), Footprint())
    payload = scenario.payload.payloads()[""]
    cases = len(found.cases)
    # upload and replicate write a copy each; replicate and verify read one each
    assert total.files_written == total.files_deleted == 2 * cases * payload.files
    assert total.bytes_written == total.bytes_read == 2 * cases * payload.total_bytes
    assert list(found.footprints) == sorted(found.footprints)


@given(scenarios, lakes, st.sampled_from(NAMES))
def test_aiming_keeps_exactly_the_cases_that_touch(
    scenario: Scenario, lake: Lake, rse: str
) -> None:
    everything = planned(scenario, lake)
    aimed = planned(scenario, lake, only=rse)
    touching = tuple(
        case for case in (everything.cases if everything else ()) if rse in case.targets.values()
    )
    assert (aimed.cases if aimed else ()) == touching
