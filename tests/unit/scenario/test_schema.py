"""The JSON Schema: as committed, complete for editors, and of one mind with the parser."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from dltest.cli.schema import schema_text
from dltest.errors import ScenarioError
from dltest.scenario import json_schema, parse
from dltest.steps import registry

GOOD = """\
dltest: 1
name: good
title: It works
owner: data-ops
targets:
  source: {rses: "dltest=True"}
  destination: {rses: "dltest=True", other-than: [source]}
steps:
  - upload: {to: source}
  - replicate: {to: destination, from: source, within: 90s}
  - delete:
  - absent: {at: source, expect: {outcome: done, rate: 5 MB/s}}
"""

# Changes after which a schema alone can tell that the file is wrong.
VISIBLE = [
    ("dltest: 1", "dltest: 2"),
    ("dltest: 1", "dltest: '1'"),
    ("dltest: 1", "dltest: true"),
    ("name: good", "nam: good"),
    ("name: good", "name: Not Good"),
    ("name: good", f"name: {'a' * 65}"),
    ("title: It works", "title: 12"),
    ("title: It works", "title: ''"),
    ("title: It works", "title:"),
    ("owner: data-ops", "owner: a\ntags: core"),
    ("owner: data-ops", "owner: a\ntags: [A]"),
    ("owner: data-ops", "owner: a\nseverity: bad"),
    ("owner: data-ops", "owner: a\nweather: fair"),
    ("owner: data-ops", "owner: a\nschedule: 6h"),
    ("owner: data-ops", "owner: a\nschedule: {}"),
    ("owner: data-ops", "owner: a\nschedule: {every: 6}"),
    ("owner: data-ops", "owner: a\nschedule: {every: 6h, cron: 0 * * * *}"),
    ("owner: data-ops", "owner: a\nschedule: {cron: 0 * * *}"),
    ("owner: data-ops", "owner: a\nschedule: {every: 6h, time-zone: UTC}"),
    ("owner: data-ops", "owner: a\nschedule: {every: 6h, jitter: 5}"),
    ("owner: data-ops", "owner: a\npayload: {files: 0}"),
    ("owner: data-ops", "owner: a\npayload: {files: 1.5}"),
    ("owner: data-ops", "owner: a\npayload: {files: '1'}"),
    ("owner: data-ops", "owner: a\npayload: {size: 10}"),
    ("owner: data-ops", "owner: a\npayload: {size: 10 MiBB}"),
    ("owner: data-ops", "owner: a\npayload: 1 MiB"),
    ("owner: data-ops", "owner: a\nlimits: {duration: 5}"),
    ("owner: data-ops", "owner: a\nlimits: {bytes: lots}"),
    ("owner: data-ops", "owner: a\npayload: {files: []}"),
    ("owner: data-ops", "owner: a\npayload: {files: 100001}"),
    ("owner: data-ops", "owner: a\npayload: {sizes: 1 MiB}"),
    ("owner: data-ops", "owner: a\npayload: {sizes: []}"),
    ("owner: data-ops", "owner: a\npayload: {size: 1 B, sizes: [1 kB]}"),
    ("owner: data-ops", "owner: a\npayload: {sizes: [1 B], volume: 1 kB, files: [1]}"),
    ("owner: data-ops", "owner: a\npayload: {volume: 50 GB}"),
    ("owner: data-ops", "owner: a\nlinks: {from: source}"),
    ("owner: data-ops", "owner: a\nlinks: {from: source, to: destination, shape: square}"),
    ("owner: data-ops", "owner: a\nlinks: {from: source, to: destination, pairs: 0}"),
    ("owner: data-ops", "owner: a\nparameters: [size]"),
    ("owner: data-ops", "owner: a\nparameters: {size: payload.size}"),
    ("owner: data-ops", "owner: a\nparameters: {size: {at-most: 1 GiB}}"),
    ("owner: data-ops", "owner: a\nparameters: {size: {sets: name}}"),
    ("owner: data-ops", "owner: a\nparameters: {Size: {sets: payload.size}}"),
    ("owner: data-ops", "owner: a\ncontrol: 1"),
    ("owner: data-ops", "owner: a\ncontrol: 'true'"),
    ("owner: data-ops", "owner: a\nlimits: {parallel: 2}"),
    ("owner: data-ops", "owner: a\nlimits: {parallel: {per-rse: 0}}"),
    ("owner: data-ops", "owner: a\nlimits: {parallel: {per-site: 1}}"),
    ("owner: data-ops", "owner: a\nlimits: {bandwidth: 100 MB}"),
    ("source: {", "Source: {"),
    ('{rses: "dltest=True"}', "{}"),
    ('{rses: "dltest=True"}', "{rses: ''}"),
    ("other-than: [source]", "other_than: [source]"),
    ("other-than: [source]", "other-than: source"),
    ("- upload: {to: source}", "- uplod: {to: source}"),
    ("- upload: {to: source}", "- upload"),
    ("- upload: {to: source}", "- upload:"),
    ("- upload: {to: source}", "- upload:\n    to: source"),
    ("- upload: {to: source}", "- upload: {to: 3}"),
    ("- upload: {to: source}", "- upload: {to: source, withn: 3m}"),
    ("within: 90s", "within: 90"),
    ("within: 90s", "protocol: davs"),
    ("{to: source}", "{to: source, protocol: ftp}"),
    ("{to: source}", "{to: source, retries: -1}"),
    ("rate: 5 MB/s", "rate: 5 MB"),
    ("rate: 5 MB/s", "rate: 5"),
    ("outcome: done", "time: 5"),
    ("outcome: done", "outcome: maybe"),
    ("outcome: done", "outcom: done"),
    ("outcome: done", "reason: 5"),
]

# What the parser refuses beyond the schema: it lies between the parts, or inside an expression.
INVISIBLE = [
    ("other-than: [source]", "other-than: [sorce]"),
    ("upload: {to: source}", "upload: {to: sorce}"),
    ('{rses: "dltest=True"}', '{rses: "a&"}'),
    ("within: 90s", "within: 90h"),
    ("owner: data-ops", "owner: a\ncontrol: true"),
    ("owner: data-ops", "owner: a\nparameters: {size: {sets: payload.sizze}}"),
    ("owner: data-ops", "owner: a\nparameters: {size: {sets: payload.size, at-most: much}}"),
    ("owner: data-ops", "owner: a\nlinks: {from: source, to: sink}"),
    ("owner: data-ops", "owner: a\nlinks: {from: source, to: destination, shape: ring, pairs: 1}"),
    ("owner: data-ops", "owner: a\nlinks: {from: source, to: destination, shape: sample}"),
    ("owner: data-ops", "owner: a\nlinks: {from: source, to: destination, shape: star}"),
    ("owner: data-ops", "owner: a\npayload: {files: [1, 2]}"),
    ("owner: data-ops", "owner: a\npayload: {files: 1, volume: 1 kB}"),
    ("owner: data-ops", "owner: a\npayload: {files: [3], volume: 1 kB}"),
    ("owner: data-ops", "owner: a\npayload: {sizes: [1 kB, 1000 B]}"),
    ("owner: data-ops", "owner: a\nschedule: {every: 1s}"),
    ("owner: data-ops", "owner: a\nschedule: {every: 1h, jitter: 2h}"),
    ("owner: data-ops", "owner: a\nschedule: {cron: 0 99 * * *}"),
    ("owner: data-ops", "owner: a\nschedule: {cron: 0 9 * * *, time-zone: Mars}"),
]

RIGHT = [
    GOOD,
    GOOD.replace("90s", "1m30s"),
    GOOD.replace("owner: data-ops", "owner: a\ndescription:\nrunbook: r\ntags: [a, b-2]"),
    GOOD.replace("owner: data-ops", "owner: a\npayload: {files: 100000, size: 1.5 kB}"),
    GOOD.replace("delete:", "delete: {within: 1m}"),
    GOOD.replace("owner: data-ops", "owner: a\nschedule: {every: 6h, jitter: 20m}"),
    GOOD.replace("owner: data-ops", "owner: a\nschedule: {cron: 0 2 * * 1-5, time-zone: UTC}"),
    GOOD.replace("owner: data-ops", "owner: a\nlimits: {parallel: {per-rse: 2, per-link: 1}}"),
    GOOD.replace("owner: data-ops", "owner: a\nlimits: {bandwidth: 100 MB/s}"),
    GOOD.replace("outcome: done", "time: 30s"),
    GOOD.replace("owner: data-ops", "owner: a\npayload: {sizes: [1 KiB, 1 MiB], files: 3}"),
    GOOD.replace("owner: data-ops", "owner: a\npayload: {volume: 50 GB, files: [1000, 100, 10]}"),
    GOOD.replace("owner: data-ops", "owner: a\nlinks: {from: source, to: destination}"),
    GOOD.replace(
        "owner: data-ops",
        "owner: a\nlinks: {from: source, to: destination, shape: star, reference: XRD1}",
    ),
    GOOD.replace(
        "owner: data-ops",
        "owner: a\nlinks: {from: source, to: destination, shape: sample, pairs: 400}",
    ),
    GOOD.replace("{to: source}", "{to: source, protocol: dav, retries: 2}"),
    GOOD.replace(
        "owner: data-ops",
        "owner: a\nparameters: {size: {sets: payload.size, at-most: 1 GiB}, n: {sets: payload.files,"
        " at-most: 3}}",
    ),
    GOOD.replace("owner: data-ops", "owner: a\ncontrol: false"),
    *(path.read_text() for path in sorted(Path("scenarios").rglob("*.yaml"))),
]


@pytest.fixture(scope="module")
def validator() -> Draft7Validator:
    schema = json_schema(registry())
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def as_editors_see_it(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(StringIO(text))


def parses(text: str) -> bool:
    try:
        parse(text, "f.yaml")
    except ScenarioError:
        return False
    return True


@pytest.mark.parametrize("text", RIGHT, ids=range(len(RIGHT)))
def test_both_take_what_is_right(text: str, validator: Draft7Validator) -> None:
    assert parses(text)
    assert list(validator.iter_errors(as_editors_see_it(text))) == []


@pytest.mark.parametrize(("old", "new"), VISIBLE)
def test_both_refuse_what_a_schema_can_tell(old: str, new: str, validator: Draft7Validator) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    assert not parses(text)
    assert list(validator.iter_errors(as_editors_see_it(text)))


@pytest.mark.parametrize(("old", "new"), INVISIBLE)
def test_only_the_parser_sees_the_rest(old: str, new: str, validator: Draft7Validator) -> None:
    text = GOOD.replace(old, new, 1)
    assert not parses(text)
    assert list(validator.iter_errors(as_editors_see_it(text))) == []


def test_the_committed_schema_is_the_one_that_dltest_writes() -> None:
    committed = Path("scenarios/scenario.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(), "run `dltest schema -o scenarios/scenario.schema.json`"


def properties(part: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, list):
        for inner in part:
            yield from properties(inner, path)
    elif isinstance(part, dict):
        for name, inner in part.get("properties", {}).items():
            yield f"{path}.{name}", inner
        for key, inner in part.items():
            if key not in {"examples", "default"}:
                yield from properties(inner, f"{path}.{key}")


def test_every_key_tells_what_it_is_and_shows_an_example() -> None:
    found = dict(properties(json_schema(registry())))
    assert len(found) > 40
    assert [path for path, part in found.items() if not part.get("description")] == []
    assert [path for path, part in found.items() if not part.get("examples")] == []


def test_examples_and_defaults_fit_their_own_schema() -> None:
    schema = json_schema(registry())
    for path, part in properties(schema):
        validator = Draft7Validator({"$defs": schema["$defs"], **part})
        values = [*part["examples"], *([part["default"]] if "default" in part else [])]
        for value in values:
            assert list(validator.iter_errors(value)) == [], f"{path}: {value}"


def test_nothing_stands_beside_a_reference() -> None:
    """Draft-07 readers would ignore it."""
    text = json.dumps(json_schema(registry()))
    parts: list[dict[str, Any]] = []
    json.loads(text, object_hook=lambda part: parts.append(part) or part)
    references = [part for part in parts if "$ref" in part]
    assert references
    assert all(len(part) == 1 for part in references)
