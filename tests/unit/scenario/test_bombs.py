"""Files made to hurt: each ends in located mistakes, soon, and in little memory."""

import time
import tracemalloc

import pytest

from dltest.errors import ScenarioError
from dltest.scenario import document, parse

MAX_SECONDS = 2
MAX_MEMORY = 100 * 2**20

HEAD = """\
dltest: 1
name: bomb
title: It hurts
owner: nobody
targets: {at: {rses: "*"}}
steps: [{verify: {at: at}}]
"""

MANY = document.MAX_BYTES - len(HEAD) - 200


def filled(unit: str, before: str = "", after: str = "") -> str:
    """A file of nearly the largest size that repeats the unit."""
    return HEAD + before + unit * (MANY // len(unit.encode())) + after + "\n"


def laughs(depth: int = 60) -> str:
    """Each line stands for ten of the line before: ten to the power of 60 words, written out."""
    tens = (", ".join([f"*a{level}"] * 10) for level in range(depth))
    lines = (f"a{level}: &a{level} [{ten}]\n" for level, ten in enumerate(tens, start=1))
    return HEAD + "a0: &a0 [ha]\n" + "".join(lines)


BOMBS: dict[str, str | bytes] = {
    "a billion laughs": laughs(),
    "merges of merges": HEAD + "<<: &a {<<: {<<: {x: 1}}}\n" + "<<: *a\n" * 5000,
    "lists in lists": filled("["),
    "mappings in mappings": filled("{a: "),
    "dashes": HEAD + "x:\n" + "- " * 100_000,
    "keys of keys": filled("? "),
    "brackets in an RSE expression": filled("(", "x: 1\n").replace('rses: "*"', f"rses: '{'(' * 90_000}'"),
    "a long RSE expression": HEAD.replace('"*"', "'" + "A|" * 90_000 + "A'"),
    "a number of files": filled("9", "payload: {files: ", "}"),
    "a size": filled("9", "payload: {size: ", " B}"),
    "a fraction": filled("9", "payload: {size: 1.", " B}"),
    "a duration": filled("9h", "limits: {duration: ", "}"),
    "an exponent": HEAD + "payload: {files: 1e999999999}\n",
    "a list of sizes": filled("1 B,", "payload: {sizes: [", "]}"),
    "numbers of files": filled("7,", "payload: {volume: 1 GB, files: [", "]}"),
    "cron of commas": filled("*,", "schedule: {cron: '", "* * * * *'}"),
    "cron of digits": filled("9", "schedule: {cron: '*/", " * * * *'}"),
    "cron that is rare": HEAD + "schedule: {cron: '59 23 29 2 MON#5', time-zone: Asia/Beirut}\n",
    "a time zone": filled("../", "schedule: {cron: 0 0 * * *, time-zone: '", "'}"),
    "a path": filled("a.", "parameters: {p: {sets: payload.", "a}}"),
    "parameters": HEAD + "parameters:\n" + "".join(f"  p{n}: {{sets: payload.x{n}}}\n" for n in range(1900)),
    "tags": filled("a, ", "tags: [", "]"),
    "roles of links": filled("a", "links: {from: ", ", to: at}"),
    "letters that join": filled("\u0301"),
    "letters that turn": filled("\u202e\u2066"),
    "letters beyond": filled("\U0001242b"),
    "line ends of old": filled("\u2028\u0085"),
    "marks of order": filled("\ufeff"),
    "escapes": filled("\\u0000", 'description: "', '"'),
    "half pairs": filled("\\ud800", 'description: "', '"'),
    "no text": b"\xff\xfe" * 100_000,
    "wide text": HEAD.encode("utf-16"),
}  # fmt: skip


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_what_is_made_to_hurt_ends_soon_in_sentences(text: str | bytes) -> None:
    began = time.process_time()
    messages = mistakes(text)
    assert time.process_time() - began < MAX_SECONDS
    assert all(message.isprintable() and len(message) < 1000 for message in messages)


# Watching memory makes Python slow, so that only the worst are watched.
GREEDY = ["a billion laughs", "lists in lists", "tags", "a number of files", "letters beyond"]


@pytest.mark.parametrize("name", GREEDY)
def test_what_is_made_to_hurt_takes_little_memory(name: str) -> None:
    tracemalloc.start()
    try:
        mistakes(BOMBS[name])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MAX_MEMORY


def mistakes(text: str | bytes) -> list[str]:
    """What is said of the file, nothing if it is right; whatever else is raised fails the test."""
    try:
        parse(text, "bomb.yaml")
    except ScenarioError as error:
        return [problem.message for problem in error.problems]
    return []


def test_a_file_over_the_size_is_refused_before_it_is_parsed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def must_not(text: str) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr(document, "_events", must_not)
    with pytest.raises(ScenarioError, match="1:1: the file is larger than 256 KiB"):
        parse("é" * (document.MAX_BYTES // 2 + 1), "large.yaml")
    with pytest.raises(AssertionError, match="parsed"):
        parse("é" * (document.MAX_BYTES // 2), "large.yaml")
