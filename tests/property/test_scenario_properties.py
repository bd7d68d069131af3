"""Scenario files made by chance: any bytes give a scenario or located mistakes, and soon."""

import time
from io import StringIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from dltest.errors import Problem, ScenarioError
from dltest.scenario import Scenario, dump, json_schema, parse
from dltest.scenario.document import MAX_BYTES, lines_of
from dltest.steps import registry

ROLES = ["source", "destination", "third-1"]

words = st.from_regex(r"[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,5}){0,2}", fullmatch=True)
# what YAML and JSON can both hold, with the traps of the first: quotes, colons, breaks, numbers
sentences = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
    | st.sampled_from(" \t\n'\":#-?&*!"),
    min_size=1,
    max_size=30,
).filter(lambda text: text.strip()) | st.sampled_from(["no", "1e3", "12:30", "null", "~", "0x1"])
sizes = st.integers(1, 2**50).map(lambda size: f"{size} B") | st.sampled_from(["1 MiB", "1.5 GB"])
within = st.sampled_from(["30s", "1m30s", "10m"])
rse_expressions = st.sampled_from(["*", "dltest=True", "XRD1|XRD2", r"type=disk&(tier<3\XRD3)"])
speeds = {"rate": st.just("5 MB/s"), "time": within}
refusals = {
    "reason": words,
    "phase": st.sampled_from(["SOURCE", "DESTINATION"]),
    "blame": st.sampled_from(["link", "fts"]),
}
expectations = st.one_of(
    st.fixed_dictionaries({}, optional={"outcome": st.just("done"), **speeds}),
    st.fixed_dictionaries({"outcome": st.just("refused")}, optional={**refusals, **speeds}),
)
schedules = st.one_of(
    st.sampled_from([{"every": "6h"}, {"every": "1m", "jitter": "59s"}]),
    st.fixed_dictionaries(
        {"cron": st.sampled_from(["30 2 * * *", "*/5 * * * 1-5"])},
        optional={"time-zone": st.sampled_from(["UTC", "Europe/Zurich"]), "jitter": st.just("4m")},
    ),
)
payloads = st.one_of(
    st.fixed_dictionaries({"files": st.integers(1, 100), "size": sizes}),
    st.fixed_dictionaries({"sizes": st.sets(sizes, min_size=1, max_size=3).map(sorted)}),
    st.just({"volume": "50 GB", "files": [1000, 100, 10]}),
)
limits = st.fixed_dictionaries(
    {},
    optional={
        "bytes": sizes,
        "bandwidth": st.just("100 MB/s"),
        "parallel": st.fixed_dictionaries(
            {}, optional={"per-rse": st.integers(1, 9), "per-link": st.integers(1, 9)}
        ),
    },
)
links = st.sampled_from(
    [
        {},
        {"shape": "all-pairs"},
        {"shape": "ring"},
        {"shape": "star", "reference": "XRD1"},
        {"shape": "sample", "pairs": 7},
    ]
)
parameters = st.dictionaries(
    words,
    st.sampled_from(
        [
            {"sets": "payload.size", "at-most": "1 GiB"},
            {"sets": "limits.duration", "at-most": "2h", "description": "how long"},
            {"sets": "targets.source.rses"},
            {"sets": "limits.files", "at-most": 3},
        ]
    ),
    max_size=3,
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A right scenario as YAML's own types."""
    roles = ROLES[: draw(st.integers(1, 3))]
    targets: dict[str, Any] = {}
    for index, role in enumerate(roles):
        targets[role] = {"rses": draw(rse_expressions), "other-than": roles[:index]}
    common = {"within": within, "expect": expectations, "retries": st.integers(0, 3)}
    on_storage = {**common, "protocol": st.sampled_from(["root", "davs", "dav"])}
    steps: list[dict[str, Any]] = [
        {"verify": {"at": role, **draw(st.fixed_dictionaries({}, optional=on_storage))}}
        for role in roles
    ]
    if draw(st.booleans()):
        steps.insert(0, {"upload": {"to": roles[0]}})
    if draw(st.booleans()):
        steps.append({"delete": draw(st.fixed_dictionaries({}, optional=common))})
    linked = {}
    if len(roles) > 1 and draw(st.booleans()):
        linked = {"links": {"from": roles[0], "to": roles[1], **draw(links)}}
    return {
        "dltest": 1,
        "name": draw(words),
        "title": draw(sentences),
        "owner": draw(sentences),
        **draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "description": sentences | st.none(),
                    "severity": st.sampled_from(["info", "warning", "critical"]),
                    "tags": st.lists(words, max_size=3),
                    "payload": payloads,
                    "limits": limits,
                    "schedule": schedules,
                    "control": st.just(False),
                    "parameters": parameters,
                },
            )
        ),
        "targets": targets,
        **linked,
        "steps": steps,
    }


@given(documents())
def test_what_is_written_is_read_and_written_again(document: dict[str, Any]) -> None:
    scenario = read(document)
    assert parse(dump(scenario), "again") == scenario
    assert scenario.title == document["title"]
    assert Scenario.model_validate_json(scenario.model_dump_json()) == scenario


SCHEMA = Draft7Validator(json_schema(registry()))


@given(documents())
def test_editors_take_what_the_parser_takes(document: dict[str, Any]) -> None:
    read(document)
    assert list(SCHEMA.iter_errors(YAML(typ="safe", pure=True).load(as_yaml(document)))) == []


@given(documents(), st.data())
def test_a_wrong_key_anywhere_is_found_where_it_stands(
    document: dict[str, Any], data: st.DataObject
) -> None:
    text = as_yaml(document)
    lines = text.splitlines()
    keyed = [number for number, line in enumerate(lines) if line.lstrip("- ").startswith("within")]
    number = data.draw(st.sampled_from([0, *keyed]))
    key = "dltest" if number == 0 else "within"
    lines[number] = lines[number].replace(key, f"{key}x", 1)
    with pytest.raises(ScenarioError) as caught:
        parse("\n".join(lines), "f.yaml")
    message = f"unknown key '{key}x'"
    at = [(p.line, p.column) for p in caught.value.problems if message in p.message]
    assert at == [(number + 1, lines[number].index(key) + 1)]


anything = (
    st.binary(max_size=400)
    | st.text(max_size=200)
    | st.text(alphabet=" \n\t-:{}[],&*!|>'\"%@`#?<=\\a1", max_size=200)
)


@given(anything)
def test_any_bytes_are_a_scenario_or_located_mistakes(text: str | bytes) -> None:
    check_is_scenario_or_mistakes(text)


@given(documents(), st.data())
def test_a_right_file_with_a_wrong_patch_too(document: dict[str, Any], data: st.DataObject) -> None:
    text = as_yaml(document)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    patch = data.draw(st.text(alphabet=" \n-:{}[],&*!|'\"#a1\\", max_size=8))
    check_is_scenario_or_mistakes(text[:start] + patch + text[end:])


@given(
    st.text(alphabet=" \n\t-:{}[],&*!|>'\"%#?\\a1é", min_size=1, max_size=12), st.integers(0, 30)
)
@settings(max_examples=30)
def test_no_file_keeps_the_reader_busy(unit: str, indent: int) -> None:
    """Two seconds are the promise; much of the time goes to a machine that may be busy."""
    repeated = unit * (MAX_BYTES // len(unit.encode()))
    head = "dltest: 1\n" + " " * indent
    began = time.process_time()
    check_is_scenario_or_mistakes(head + repeated[: -len(head) - len(unit)])
    assert time.process_time() - began < 2


def check_is_scenario_or_mistakes(text: str | bytes) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        parse(text, "f.yaml")
    except ScenarioError as error:
        problems = error.problems
    lines = lines_of(text if isinstance(text, str) else text.decode(errors="replace"))
    for problem in problems:
        assert 1 <= problem.line <= len(lines)
        assert problem.column >= 1
        assert problem.message
        assert problem.message.isprintable()


def read(document: dict[str, Any]) -> Scenario:
    return parse(as_yaml(document), "f.yaml")


def as_yaml(document: dict[str, Any]) -> str:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.representer.ignore_aliases = lambda *_: True
    text = StringIO()
    yaml.dump(document, text)
    return text.getvalue()
