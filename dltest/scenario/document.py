"""YAML text as a tree that knows where every key and value stands.

Only what a scenario needs of YAML 1.2 is let in: mappings, lists and scalars of the core schema.
Anchors, aliases, merge keys, tags, directives and second documents are refused with their place.
The tree is built from parser events, so that no text can make us recurse, or construct anything.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import StringIO

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StreamMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
)
from ruamel.yaml.reader import ReaderError

from dltest.errors import Problem
from dltest.scenario.explain import printable, shorter

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_EVENTS = 20_000

# https://yaml.org/spec/1.2.2/#103-core-schema, without the infinities and NaN, which JSON lacks.
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,18}|[0-9]{1,18}(\.[0-9]{0,18})?)([eE][-+]?[0-9]{1,3})?")

_SURROGATE = re.compile("[\ud800-\udfff]")

_NO_CHARACTER = re.compile(r"\\U(?!000|0010)[0-9A-Fa-f]{8}")

ScalarValue = str | int | float | bool | None
Loc = Sequence[int | str]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something begins; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    place: Place
    value: ScalarValue
    offset: int | None = None
    """Columns from `place` to its first character; None when its characters do not stand there
    one by one, because of escapes or line breaks."""


@dataclass(frozen=True, slots=True)
class Series:
    place: Place
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Entry:
    key_place: Place
    value: "Node"


@dataclass(frozen=True, slots=True)
class Mapping:
    place: Place
    entries: dict[str, Entry]


Node = Scalar | Series | Mapping


class Unreadable(Exception):  # noqa: N818 - not an error of the tree: `parse` turns it into one
    """Reading cannot go on after this mistake."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place
        self.message = message


def read(text: str | bytes, path: str) -> tuple[Node | None, list[Problem]]:
    """The document's tree and all that is wrong with it as YAML; no tree if it cannot be read."""
    reader = _Reader()
    try:
        root = reader.document(_decode(text))
    except Unreadable as mistake:
        root = None
        reader.mistakes.append((mistake.place, mistake.message))
    problems = [Problem(path, at.line, at.column, message) for at, message in reader.mistakes]
    return root, problems


def locate(root: Node, loc: Loc, *, key: bool = False) -> Place:
    """Where the value at `loc` begins, or its key; for what is not there, the nearest owner's key.

    Segments that are not in the document, such as the tags of pydantic's unions, are passed over.
    """
    node, place = root, root.place
    last_key = root.place
    missing = False
    for segment in loc:
        if isinstance(node, Mapping) and segment in node.entries:
            entry = node.entries[str(segment)]
            node, place, last_key = entry.value, entry.value.place, entry.key_place
        elif isinstance(node, Series) and isinstance(segment, int) and segment < len(node.items):
            node = node.items[segment]
            place = last_key = node.place
        else:
            missing = True
    return last_key if key or missing else place


def find(root: Node, loc: Loc) -> Node | None:
    """The node at exactly `loc`."""
    node: Node = root
    for segment in loc:
        if isinstance(node, Mapping) and segment in node.entries:
            node = node.entries[str(segment)].value
        elif isinstance(node, Series) and isinstance(segment, int) and segment < len(node.items):
            node = node.items[segment]
        else:
            return None
    return node


def as_json(node: Node) -> object:
    """The tree as JSON's types."""
    if isinstance(node, Mapping):
        return {key: as_json(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Series):
        return [as_json(item) for item in node.items]
    return node.value


def lines_of(text: str) -> list[str]:
    """The text's lines as YAML counts them."""
    return re.split("\r\n|[\n\r\x85\u2028\u2029]", text)


def _decode(text: str | bytes) -> str:
    size = len(text.encode(errors="replace")) if isinstance(text, str) else len(text)
    if size > MAX_BYTES:
        raise Unreadable(
            Place(1, 1), f"the file is larger than {MAX_BYTES // 1024} KiB; no scenario is"
        )
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = text[: error.start].decode("utf-8-sig", errors="replace")
        raise Unreadable(_end_of(before), "the file is not UTF-8 text") from None


def _end_of(text: str) -> Place:
    lines = lines_of(text)
    return Place(len(lines), len(lines[-1]) + 1)


def _place(mark: StreamMark) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _events(text: str) -> Iterator[Event]:
    try:
        for count, event in enumerate(YAML(typ="safe", pure=True).parse(StringIO(text))):
            if count > MAX_EVENTS:
                raise Unreadable(_place(event.start_mark), "too many keys; no scenario is so long")
            yield event
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.problem, error.context) if part)
        raise Unreadable(
            _place(mark) if mark else Place(1, 1), f"not YAML: {printable(said)}"
        ) from None
    except ReaderError as error:
        place = _end_of(text[: error.position])
        raise Unreadable(place, "a character that YAML does not allow") from None
    except (YAMLError, ValueError, OverflowError):
        # ruamel hands the number of an escape to chr(), which refuses what is no character
        found = _NO_CHARACTER.search(text)
        place = _end_of(text[: found.start()]) if found else Place(1, 1)
        raise Unreadable(place, "not YAML: an escape that is no character") from None


class _Reader:
    """Builds the tree from events; mistakes that do not hinder reading on are collected."""

    def __init__(self) -> None:
        self.mistakes: list[tuple[Place, str]] = []
        self._events: Iterator[Event] = iter(())

    def document(self, text: str) -> Node:
        self._events = _events(text)
        self._refuse_directives(text)
        root: Node | None = None
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    place = _place(event.start_mark)
                    raise Unreadable(place, "a second document; write one scenario a file")
            elif isinstance(event, NodeEvent):
                root = self._node(event, depth=0)
        if root is None:
            raise Unreadable(Place(1, 1), "the file is empty; a scenario starts with `dltest: 1`")
        return root

    def _refuse_directives(self, text: str) -> None:
        """They may only stand before the document, where nothing else begins with a `%`."""
        for number, line in enumerate(lines_of(text), start=1):
            if line.startswith("%"):
                self._refuse(Place(number, 1), "directives like %YAML are not part of the language")
            elif line and not line.startswith("#"):
                return

    def _refuse(self, place: Place, message: str) -> None:
        self.mistakes.append((place, message))

    def _node(self, event: Event, depth: int) -> Node:
        place = _place(event.start_mark)
        if depth > MAX_DEPTH:
            raise Unreadable(place, f"nested deeper than {MAX_DEPTH} levels; no scenario is")
        if isinstance(event, NodeEvent):
            self._refuse_extras(event, place)
        if isinstance(event, MappingStartEvent):
            return self._mapping(place, depth)
        if isinstance(event, CollectionStartEvent):
            return self._series(place, depth)
        if isinstance(event, ScalarEvent):
            return self._scalar(event, place)
        return Scalar(place, None)

    def _refuse_extras(self, event: NodeEvent, place: Place) -> None:
        if isinstance(event, AliasEvent):
            self._refuse(
                place, f"alias *{shorter(event.anchor)}: write it out; scenarios hold no aliases"
            )
        elif event.anchor:
            self._refuse(place, f"anchor &{shorter(event.anchor)}: scenarios hold no anchors")
        if isinstance(event, ScalarEvent | CollectionStartEvent) and event.tag is not None:
            self._refuse(place, f"tag {shorter(str(event.tag))}: scenarios hold no tags")

    def _scalar(self, event: ScalarEvent, place: Place) -> Scalar:
        if _SURROGATE.search(event.value):
            self._refuse(place, "half a UTF-16 pair (\\uD800 to \\uDFFF) is not a character")
            return Scalar(place, None)
        return _scalar(event, place)

    def _series(self, place: Place, depth: int) -> Series:
        items = []
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                break
            items.append(self._node(event, depth + 1))
        return Series(place, tuple(items))

    def _mapping(self, place: Place, depth: int) -> Mapping:
        entries: dict[str, Entry] = {}
        for event in self._events:
            if isinstance(event, MappingEndEvent):
                break
            key_place = _place(event.start_mark)
            key = self._key(event, depth)
            value = self._value(next(self._events), event, depth)
            if key is not None:
                self._add(entries, key, Entry(key_place, value))
        return Mapping(place, entries)

    def _value(self, event: Event, key: Event, depth: int) -> Node:
        value = self._node(event, depth + 1)
        if isinstance(value, Scalar) and event.start_mark.index == event.end_mark.index:
            # Nothing has no place of its own: it is missed after the colon.
            after_key = _place(key.end_mark)
            return replace(value, place=Place(after_key.line, after_key.column + 1))
        return value

    def _key(self, event: Event, depth: int) -> str | None:
        place = _place(event.start_mark)
        self._node(event, depth + 1)
        if not isinstance(event, ScalarEvent):
            self._refuse(place, "a key must be a word")
            return None
        if event.value == "<<" and _is_plain(event):
            self._refuse(place, "merge key <<: write the keys out; scenarios hold no merges")
            return None
        return str(event.value)

    def _add(self, entries: dict[str, Entry], key: str, entry: Entry) -> None:
        if key in entries:
            first = entries[key].key_place.line
            message = f"key '{shorter(key)}' is here twice; first in line {first}"
            self._refuse(entry.key_place, message)
        else:
            entries[key] = entry


def _is_plain(event: ScalarEvent) -> bool:
    return event.style in {None, ""}


def _scalar(event: ScalarEvent, place: Place) -> Scalar:
    text = str(event.value)
    offset = 0 if _is_plain(event) else 1
    is_one_line = event.start_mark.line == event.end_mark.line
    width = event.end_mark.column - event.start_mark.column
    stands_there = is_one_line and width == len(text) + 2 * offset
    value = value_of(text) if _is_plain(event) else text
    return Scalar(place, value, offset if stands_there else None)


def value_of(text: str) -> ScalarValue:
    """What a plain scalar means."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text
