"""Scenario files, right and wrong: what is read, and every sentence a person gets to read."""

import textwrap
import time
from datetime import timedelta

import pytest

from dltest.errors import ScenarioError
from dltest.model import Schedule, StepCall
from dltest.scenario import parse
from dltest.scenario.document import MAX_BYTES
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
  - replicate: {to: destination, from: source}
  - verify: {at: destination}
"""


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        parse(text, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def test_a_short_file_gets_the_defaults() -> None:
    scenario = parse(GOOD, "f.yaml")
    assert scenario.name == "good"
    assert scenario.severity == "warning"
    assert scenario.payload.payloads()[""].total_bytes == 2**20
    assert scenario.limits.duration == timedelta(minutes=30)
    assert list(scenario.targets) == ["source", "destination"]
    assert scenario.targets["destination"].other_than == ("source",)
    assert [call.type for call in scenario.steps] == ["upload", "replicate", "verify"]


def test_values_are_written_with_units() -> None:
    text = GOOD + "payload: {files: 3, size: 1.5 GB}\nlimits: {duration: 1h30m, bytes: 1 TiB}\n"
    scenario = parse(text, "f.yaml")
    assert scenario.payload.payloads()[""].total_bytes == 4_500_000_000
    assert scenario.limits.duration == timedelta(hours=1, minutes=30)
    assert scenario.limits.bytes == 2**40


def test_a_body_is_carried_as_json_that_its_step_reads_back() -> None:
    for call in parse(GOOD, "f.yaml").steps:
        body_type = registry()[call.type].Body
        body = body_type.model_validate(call.body)
        assert StepCall(type=call.type, body=body.model_dump(mode="json", by_alias=True)) == call
    replicate = parse(GOOD, "f.yaml").steps[1]
    assert replicate.body["from"] == "source"
    assert replicate.body["within"] == "10m"


def test_a_step_without_needed_keys_may_stand_alone() -> None:
    text = GOOD + "  - delete:\n  - absent: {at: source}\n"
    assert parse(text, "f.yaml").steps[3].type == "delete"


def test_bytes_with_a_byte_order_mark_are_read() -> None:
    assert parse(b"\xef\xbb\xbf" + GOOD.encode(), "f.yaml") == parse(GOOD, "f.yaml")


def test_yaml_1_1_traps_are_not_fallen_into() -> None:
    text = changed("owner: data-ops", "owner: no") + "description: 12:30:00\n"
    scenario = parse(text, "f.yaml")
    assert scenario.owner == "no"
    assert scenario.description == "12:30:00"


# (what is replaced, by what, the mistakes without the path)
MISTAKES: list[tuple[str, str, list[str]]] = [
    (
        "steps:",
        "steps:\n  - delete: {expect: {phase: SOURCE, blame: sorce}}",
        [
            "9:23: is said of a refusal; add `outcome: refused`",
            "9:38: is said of a refusal; add `outcome: refused`",
            "9:45: there is no target 'sorce'; did you mean 'source'?",
        ],
    ),
    (
        "name: good",
        "nam: good",
        [
            "1:1: key 'name' is missing, like `name: replicate`",
            "2:1: unknown key 'nam'; did you mean 'name'?",
        ],
    ),
    (
        "title: It works",
        "title: It works\nweather: fair",
        [
            "4:1: unknown key 'weather'; known: dltest, name, title, description, owner, runbook,"
            " severity, tags, targets, links, payload, limits, schedule, control, parameters, steps"
        ],
    ),
    (
        "name: good",
        "name: Not Good",
        [
            "2:7: 'Not Good' is not a name: write small letters, digits and single dashes,"
            " like upload-many, at most 64"
        ],
    ),
    ("title: It works", "title: 12", ["3:8: must be text, not 12; put it in quotes"]),
    ("title: It works", "title:", ["3:7: must be text, not nothing"]),
    ("title: It works", "title: ''", ["3:8: must not be empty"]),
    ("owner: data-ops", "owner: [a]", ["4:8: must be text, not a list"]),
    (
        "owner: data-ops",
        "owner: a\nseverity: criticl",
        [
            "5:11: must be info, warning or critical, not 'criticl'; did you mean 'critical'?",
        ],
    ),
    ("owner: data-ops", "owner: a\nseverity: 3", ["5:11: must be info, warning or critical, not 3"]),
    ("owner: data-ops", "owner: a\ntags: core", ["5:7: must be a list, not 'core'"]),
    (
        "owner: data-ops",
        "owner: a\npayload: {files: 0, size: 10}",
        [
            "5:18: must be at least 1",
            "5:27: '10' is not a size; write a number and a unit, like 10 MiB",
        ],
    ),
    ("owner: data-ops", "owner: a\npayload: {files: 1.5}", ["5:18: must be a whole number, not 1.5"]),
    ("owner: data-ops", "owner: a\npayload: {files: '1'}", ["5:18: must be a whole number, not '1'"]),
    ("owner: data-ops", "owner: a\npayload: 1 MiB", ["5:10: must be a mapping, not '1 MiB'"]),
    (
        "owner: data-ops",
        "owner: a\nlimits: {duration: 5}",
        ["5:20: '5' is not a duration; write 90s, 30m, 1h30m or 2d"],
    ),
    ("owner: data-ops", "owner: a\nlimits: {duration: 0s}", ["5:20: must be more than 0 seconds"]),
    ("other-than: [source]", "other-than: [sorce]", [
        "7:3: 'source' and 'destination' may be the same RSE; add `other-than: [source]`",
        "7:51: there is no target 'sorce'; did you mean 'source'?",
    ]),
    ("other-than: [source]", "other-than: [source, destination]", [
        "7:59: 'destination' cannot be other than itself",
    ]),
    (', other-than: [source]', "", [
        "7:3: 'source' and 'destination' may be the same RSE; add `other-than: [source]`",
    ]),
    ('source: {rses: "dltest=True"}', "source: {rses: dltest = True}", [
        "6:24: Rucio's RSE expressions hold no spaces",
    ]),
    ('source: {rses: "dltest=True"}', 'source: {rses: "a&(b|c"}', [
        "6:21: this parenthesis is never closed",
    ]),
    ('source: {rses: "dltest=True"}', 'source: {rses: "a\\x26"}', [
        "6:18: the RSE expression ends too early",
    ]),
    ('source: {rses: "dltest=True"}', "source: {}", ["6:3: key 'rses' is missing, like `rses: dltest=True`"]),
    ('source: {rses: "dltest=True"}', 'source: {rses: x}\n  third: {rses: y}', [
        "7:3: no step uses the target 'third'",
    ]),
    ("- upload: {to: source}", "- uplod: {to: source}", [
        "9:5: there is no step 'uplod'; did you mean 'upload'?",
    ]),
    ("- upload: {to: source}", "- fly: {to: source}", [
        f"9:5: there is no step 'fly'; known: {', '.join(sorted(registry()))}",
    ]),
    ("- upload: {to: source}", "- upload: {to: sourc, withn: 3m}", [
        "9:18: there is no target 'sourc'; did you mean 'source'?",
        "9:25: unknown key 'withn'; did you mean 'within'?",
    ]),
    ("- upload: {to: source}", "- upload:", ["9:5: key 'to' is missing, like `to: source`"]),
    ("- upload: {to: source}", "- upload", [
        "9:5: a step is a key with its own keys below, like `- upload: {to: source}`",
    ]),
    ("- upload: {to: source}", "- upload:\n    to: source", [
        "10:5: a step is a single key; indent 'to' below 'upload', or begin it with '- '",
    ]),
    ("- upload: {to: source}", "- upload: [source]", ["9:13: must be a mapping, not a list"]),
    ("- upload: {to: source}", "- upload: {to: source, within: 45m}", [
        "9:34: 45m is longer than the whole run may take: 30m (limits.duration)",
    ]),
    ("- upload: {to: source}", "- upload: {to: source, expect: {rate: 3, outcom: done}}", [
        "9:41: '3' is not a rate; write a size per second, like 5 MB/s",
        "9:44: unknown key 'outcom'; did you mean 'outcome'?",
    ]),
    ("- upload: {to: source}", "- upload: {to: source, expect: {outcome: maybe}}", [
        "9:44: 'maybe' does not fit the pattern ^(done|refused|overdue)$",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), MISTAKES, ids=lambda value: str(value)[:40])
def test_a_mistake_is_a_sentence_at_its_place(old: str, new: str, expected: list[str]) -> None:
    assert problems(changed(old, new)) == [f"f.yaml:{line}" for line in expected]


SCHEDULES = [
    ("{every: 6h, cron: 0 * * * *}", "12:23: write `every` or `cron`, not both"),
    ("{jitter: 5m}", "12:1: needs `every` or `cron`"),
    ("{every: }", "12:1: needs `every` or `cron`"),
    ("{every: 59s}", "12:19: must be at least 1m"),
    ("{every: 1h, jitter: 1h}", "12:31: must be less than the 1h between two slots, so that these keep their order"),
    ("{cron: '0,10 * * * *', jitter: 10m}", "12:42: must be less than the 10m between two slots, so that these keep their order"),
    ("{every: 1h, time-zone: UTC}", "12:23: only `cron` is read in a time zone; `every` counts from the epoch"),
    ("{cron: 0 * * *}", "12:18: '0 * * *' is not a cron expression; write five fields (minute hour day-of-month month day-of-week), like 30 2 * * *"),
    ("{cron: 0 24 * * *}", "12:18: '0 24 * * *' is not a cron expression: Bad hour"),
    ("{cron: '0 0 * 2 MON#5', time-zone: Europe/Züri}", "12:46: 'Europe/Züri' is not a time zone like Europe/Zurich or UTC; did you mean 'Europe/Zurich'?"),
    ("{cron: 0 0 31 2 *}", "12:18: '0 0 31 2 *' is not a cron expression: Bad day-of-month"),
]  # fmt: skip


@pytest.mark.parametrize(("schedule", "expected"), SCHEDULES)
def test_a_wrong_schedule_is_told_where_it_is_wrong(schedule: str, expected: str) -> None:
    assert problems(f"{GOOD}schedule: {schedule}\n") == [f"f.yaml:{expected}"]


PARTS = [
    ("links: {from: source, to: sink}", ["12:27: there is no target 'sink'; known: source, destination"]),
    ("links: {from: source, to: source}", ["12:27: a link leads to another target than it begins at"]),
    ("links: {from: source}", ["12:1: key 'to' is missing, like `to: destination`"]),
    ("links: {from: source, to: destination, shape: start}", ["12:47: must be all-pairs, ring, star or sample, not 'start'; did you mean 'star'?"]),
    ("links: {from: source, to: destination, shape: star}", ["12:1: `shape: star` needs the key `reference`"]),
    ("links: {from: source, to: destination, shape: sample}", ["12:1: `shape: sample` needs the key `pairs`"]),
    ("links: {from: source, to: destination, pairs: 3}", ["12:40: `pairs` is only for `shape: sample`"]),
    ("links: {from: source, to: destination, shape: star, reference: a b}", ["12:65: Rucio's RSE expressions hold no spaces"]),
    ("payload: {size: 1 MiB, sizes: [1 MiB]}", ["12:24: write one of `size`, `sizes` and `volume`"]),
    ("payload: {sizes: []}", ["12:18: must hold at least 1"]),
    ("payload: {sizes: [1 MiB, 1 kB, 1024 KiB]}", ["12:32: is in the list already"]),
    ("payload: {files: [10, 1]}", ["12:18: a list of numbers needs a `volume`, like `volume: 50 GB`"]),
    ("payload: {volume: 1 GB}", ["12:11: `volume` needs a list of `files`, like `files: [1000, 100, 10]`"]),
    ("payload: {volume: 10 B, files: [3, 5, 5]}", ["12:33: 10 B cannot be cut into 3 equal files", "12:39: is in the list already"]),
    ("payload: {volume: 10 B, files: [0]}", ["12:32: must be at least 1"]),
    ("payload: {files: 100001}", ["12:18: must be at most 100000"]),
]  # fmt: skip


@pytest.mark.parametrize(("part", "expected"), PARTS)
def test_a_wrong_link_or_family_is_told_where_it_is_wrong(part: str, expected: list[str]) -> None:
    assert problems(f"{GOOD}{part}\n") == [f"f.yaml:{line}" for line in expected]


def test_links_need_no_other_than() -> None:
    text = changed(", other-than: [source]", "") + "links: {from: source, to: destination}\n"
    assert parse(text, "f.yaml").links is not None


def test_a_schedule_becomes_a_timetable() -> None:
    assert parse(GOOD, "f.yaml").timetable is None
    text = GOOD + "schedule: {cron: 30 2 * * *, time-zone: Europe/Zurich, jitter: 5m}\n"
    assert parse(text, "f.yaml").timetable == Schedule(
        cron="30 2 * * *", time_zone="Europe/Zurich", jitter=timedelta(minutes=5)
    )
    text = GOOD + "schedule: {every: 6h}\n"
    assert parse(text, "f.yaml").timetable == Schedule(every=timedelta(hours=6))


def test_all_mistakes_come_at_once_and_in_order() -> None:
    text = changed("title: It works", "titel: It works").replace("verify", "verfy")
    assert problems(text) == [
        "f.yaml:1:1: key 'title' is missing, like `title: Files can be replicated over every link`",
        "f.yaml:3:1: unknown key 'titel'; did you mean 'title'?",
        "f.yaml:11:5: there is no step 'verfy'; did you mean 'verify'?",
    ]


def test_a_scenario_that_checks_nothing_is_refused() -> None:
    text = GOOD[: GOOD.index("  destination")] + "steps:\n  - upload: {to: source}\n"
    assert problems(text) == [
        "f.yaml:7:1: nothing is checked: add a step that does, such as `verify`"
    ]


@pytest.mark.parametrize("expect", ["{outcome: refused}", "{rate: 5 MB/s}"])
def test_an_expectation_is_a_check(expect: str) -> None:
    head = GOOD[: GOOD.index("  destination")]
    parse(head + f"steps:\n  - upload: {{to: source, expect: {expect}}}\n", "f.yaml")


def test_another_format_version_is_one_sentence() -> None:
    text = "dltest: 2\nwhatever: that means\n"
    assert problems(text) == [
        "f.yaml:1:9: this dltest reads scenario format 1; the file is in 2",
    ]


@pytest.mark.parametrize(("version", "shown"), [("'1'", "'1'"), ("true", "true"), ("1.5", "1.5")])
def test_a_version_that_is_none_is_a_mistake_like_others(version: str, shown: str) -> None:
    assert problems(changed("dltest: 1", f"dltest: {version}")) == [
        f"f.yaml:1:9: must be 1, not {shown}"
    ]


def test_a_missing_version_is_told_with_the_rest() -> None:
    assert problems(changed("dltest: 1\n", "")) == [
        "f.yaml:1:1: key 'dltest' is missing, like `dltest: 1`"
    ]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("", "f.yaml:1:1: key 'steps' is missing"),
        ("steps:", "f.yaml:8:7: must be a list of steps, not nothing"),
        ("steps: []", "f.yaml:8:8: there must be at least one step"),
        (
            "steps:\n" + "  - verify: {at: source}\n" * 101,
            "f.yaml:9:3: must hold at most 100 steps",
        ),
        ("steps: {upload: {to: source}}", "f.yaml:8:8: must be a list of steps, not a mapping"),
    ],
)
def test_steps_must_be_a_list_of_some(steps: str, expected: str) -> None:
    assert problems(GOOD[: GOOD.index("steps:")] + steps) == [expected]


def test_what_yaml_lets_in_and_scenarios_do_not() -> None:
    text = textwrap.dedent("""\
        %YAML 1.1
        ---
        dltest: 1
        name: &anchor good
        title: *anchor
        owner: !!str me
        <<: {severity: info}
        name: again
        ? [a]
        : b
        targets: {source: {rses: x}}
        steps: [{verify: {at: source}}]
        """)
    assert problems(text) == [
        "f.yaml:1:1: directives like %YAML are not part of the language",
        "f.yaml:4:7: anchor &anchor: scenarios hold no anchors",
        "f.yaml:5:8: alias *anchor: write it out; scenarios hold no aliases",
        "f.yaml:6:8: tag tag:yaml.org,2002:str: scenarios hold no tags",
        "f.yaml:7:1: merge key <<: write the keys out; scenarios hold no merges",
        "f.yaml:8:1: key 'name' is here twice; first in line 4",
        "f.yaml:9:3: a key must be a word",
    ]


UNREADABLE: list[tuple[str | bytes, str]] = [
    ("", "1:1: the file is empty; a scenario starts with `dltest: 1`"),
    ("# only a comment\n", "1:1: the file is empty; a scenario starts with `dltest: 1`"),
    ("- a\n", "1:1: this is no scenario, which is a mapping of keys that starts with `dltest: 1`"),
    ("a: b\n", "1:1: this is no scenario, which is a mapping of keys that starts with `dltest: 1`"),
    ("dltest: [", "1:10: not YAML: expected the node content, but found '<stream end>',"
     " while parsing a flow node"),
    ("dltest: 1\nname: a: b\n", "2:8: not YAML: mapping values are not allowed here"),
    ("dltest: 1\n\tname: a\n", "2:1: not YAML: found character '\\t' that cannot start any token,"
     " while scanning for the next token"),
    ('dltest: 1\nname: "a\\U00110000"\n', "2:9: not YAML: an escape that is no character"),
    ("dltest: 1\nname: a\x00\n", "2:8: a character that YAML does not allow"),
    (b"dltest: 1\nname: \xff\xfe\n", "2:7: the file is not UTF-8 text"),
    (GOOD + "---\n" + GOOD, "12:1: a second document; write one scenario a file"),
    ("[" * 30, "1:22: nested deeper than 20 levels; no scenario is"),
    ("- a\n" * 30_000, "19999:3: too many keys; no scenario is so long"),
    ("#" * (MAX_BYTES + 1), "1:1: the file is larger than 256 KiB; no scenario is"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"), UNREADABLE, ids=[case[1][:40] for case in UNREADABLE]
)
def test_what_cannot_be_read_at_all_is_one_sentence(text: str | bytes, expected: str) -> None:
    found = problems(text)
    assert found == [f"f.yaml:{expected}"]


MANY = {
    "unknown keys": GOOD + "".join(f"key{n}: 1\n" for n in range(6000)),
    "a long word": GOOD + f"severity: {'critical' * 20_000}\n",
    "long keys": GOOD + "".join(f"{'title' * 800}{n}: 1\n" for n in range(50)),
    "unknown keys in steps": GOOD
    + "".join(
        f"  - verify: {{{', '.join(f'wthin{n}: 1' for n in range(90))}}}\n" for _ in range(90)
    ),
    "targets": GOOD.replace(
        "targets:\n", "targets:\n" + "".join(f"  r{n}: {{rses: x}}\n" for n in range(3000))
    ),
    "roles": GOOD.replace("[source]", f"[{', '.join(f'sorce{n}' for n in range(9000))}]"),
    "steps": GOOD + "  - verify: {at: sorce}\n" * 3000,
    "unknown roles": GOOD + "  - verify: {at: destinatoin}\n" * 97,
}


@pytest.mark.parametrize("text", MANY.values(), ids=MANY)
def test_many_mistakes_take_no_long_time(text: str) -> None:
    began = time.process_time()
    found = problems(text)
    assert time.process_time() - began < 2
    assert 1 <= len(found) <= 700


def test_half_a_character_is_refused() -> None:
    assert problems(changed("title: It works", 'title: "\\uD800"')) == [
        "f.yaml:3:8: half a UTF-16 pair (\\uD800 to \\uDFFF) is not a character"
    ]
