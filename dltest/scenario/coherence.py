"""What must hold between the parts of a scenario: roles that exist and are used, and a check."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dltest.model import Party
from dltest.scenario.cron import shortest_gap
from dltest.scenario.document import Loc, Mapping, Node, Scalar, Series
from dltest.scenario.explain import shorter, suggestion
from dltest.scenario.parameters import Measure, kinds_at, loc_of, measure_of
from dltest.scenario.scenario import MAX_ROLES, Files, Heading, Schedule
from dltest.scenario.sheet import Sheet
from dltest.steps import Expect, Step, StepBody, breaking_keys, breaks
from dltest.units import format_duration, format_size

# A site is blamed by the role of its RSE.
NAMED_ALONE = (Party.LINK, Party.RUCIO, Party.FTS, Party.IDENTITY)


@dataclass(frozen=True, slots=True)
class Call:
    """A step with its body, as read from `loc` of the document."""

    step: Step[Any]
    body: StepBody
    loc: Loc
    is_whole: bool = True
    """Nothing of it had to be left out to make it readable."""


def check(sheet: Sheet, heading: Heading | None, calls: Sequence[Call | None]) -> None:
    """Note what does not fit together; what could not be read is not held against the rest."""
    good = [call for call in calls if call]
    roles = _roles(sheet)
    if len(roles) > MAX_ROLES:
        return
    _check_targets(sheet, roles)
    _check_one_of(sheet, ("schedule",), ("every", "cron"))
    _check_links(sheet, roles)
    _check_family(sheet)
    for call in good:
        _check_roles(sheet, call, roles)
        _check_refusal(sheet, call, roles)
    if len(good) == len(calls) and all(call.is_whole for call in good):
        _check_all_used(sheet, good, roles)
        _check_asserts(sheet, good)
        _check_control(sheet, good)
    if heading:
        _check_deadlines(sheet, heading, good)
        _check_schedule(sheet, heading.schedule)
        _check_volume(sheet, heading.payload)
        _check_parameters(sheet, heading, calls)
        _check_same_rses(sheet, heading)


def _roles(sheet: Sheet) -> list[str]:
    """As written, so that one mistake in a target is not a mistake of every step too."""
    targets = sheet.find(("targets",))
    return list(targets.entries) if isinstance(targets, Mapping) else []


def _check_targets(sheet: Sheet, roles: list[str]) -> None:
    for role in roles:
        loc = ("targets", role, "other-than")
        for index, other in enumerate(_words(sheet, loc)):
            if other == role:
                sheet.mistake((*loc, index), f"'{shorter(role)}' cannot be other than itself")
            elif other and other not in roles:
                message = f"there is no target '{shorter(other)}'" + suggestion(other, roles)
                sheet.mistake((*loc, index), message)


def _words(sheet: Sheet, loc: Loc) -> list[str]:
    """The list of words at `loc`; empty in the place of what is not a word."""
    node = sheet.find(loc)
    items = node.items[:MAX_ROLES] if isinstance(node, Series) else ()
    values = [item.value if isinstance(item, Scalar) else None for item in items]
    return [value if isinstance(value, str) else "" for value in values]


def _keys_of(sheet: Sheet, loc: Loc) -> list[str]:
    """The keys that are written at `loc` and hold something."""
    node = sheet.find(loc)
    entries = node.entries if isinstance(node, Mapping) else {}
    return [key for key, entry in entries.items() if not _is_nothing(entry.value)]


def _is_nothing(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _check_one_of(sheet: Sheet, loc: Loc, choices: tuple[str, str]) -> None:
    """Exactly one of two keys, in a mapping that may be left out as a whole."""
    if not isinstance(sheet.find(loc), Mapping):
        return
    written = [key for key in _keys_of(sheet, loc) if key in choices]
    either = " or ".join(f"`{key}`" for key in choices)
    if not written:
        sheet.mistake(loc, f"needs {either}", key=True)
    for other in written[1:]:
        sheet.mistake((*loc, other), f"write {either}, not both", key=True)


_NEEDED_BY_SHAPE = {"star": "reference", "sample": "pairs"}


def _check_links(sheet: Sheet, roles: list[str]) -> None:
    written = _keys_of(sheet, ("links",))
    ends = [_word(sheet, ("links", end)) for end in ("from", "to")]
    for end, role in zip(("from", "to"), ends, strict=True):
        if role and role not in roles:
            message = f"there is no target '{shorter(role)}'" + suggestion(role, roles)
            sheet.mistake(("links", end), message)
    if ends[0] and ends[0] == ends[1]:
        sheet.mistake(("links", "to"), "a link leads to another target than it begins at")
    shape = _word(sheet, ("links", "shape")) or "all-pairs"
    for needed_by, key in _NEEDED_BY_SHAPE.items():
        if shape == needed_by and key not in written:
            sheet.mistake(("links", key), f"`shape: {shape}` needs the key `{key}`", key=True)
        if shape != needed_by and key in written:
            message = f"`{key}` is only for `shape: {needed_by}`"
            sheet.mistake(("links", key), message, key=True)


def _word(sheet: Sheet, loc: Loc) -> str:
    """The text at `loc`, '' when there is none."""
    node = sheet.find(loc)
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else ""


_SIZES = ("size", "sizes", "volume")


def _check_family(sheet: Sheet) -> None:
    written = _keys_of(sheet, ("payload",))
    for other in [key for key in written if key in _SIZES][1:]:
        message = "write one of `size`, `sizes` and `volume`"
        sheet.mistake(("payload", other), message, key=True)
    is_list = isinstance(sheet.find(("payload", "files")), Series)
    if "volume" in written and not is_list:
        message = "`volume` needs a list of `files`, like `files: [1000, 100, 10]`"
        sheet.mistake(("payload", "volume"), message, key=True)
    if is_list and "volume" not in written:
        message = "a list of numbers needs a `volume`, like `volume: 50 GB`"
        sheet.mistake(("payload", "files"), message)


def _check_volume(sheet: Sheet, payload: Files) -> None:
    """Every member of a family is another one, and its files are all of one size."""
    if payload.volume is not None and not isinstance(payload.files, int):
        for index, files in enumerate(payload.files):
            if payload.volume % files:
                message = f"{format_size(payload.volume)} cannot be cut into {files} equal files"
                sheet.mistake(("payload", "files", index), message)
        _check_different(sheet, ("payload", "files"), payload.files)
    _check_different(sheet, ("payload", "sizes"), payload.sizes or ())


def _check_different(sheet: Sheet, loc: Loc, members: Sequence[int]) -> None:
    for index, member in enumerate(members):
        if member in members[:index]:
            sheet.mistake((*loc, index), "is in the list already")


def _check_schedule(sheet: Sheet, schedule: Schedule | None) -> None:
    if schedule is None:
        return
    if schedule.time_zone and not schedule.cron:
        message = "only `cron` is read in a time zone; `every` counts from the epoch"
        sheet.mistake(("schedule", "time-zone"), message, key=True)
    gap = schedule.every
    if schedule.cron:
        gap = shortest_gap(schedule.cron, schedule.time_zone or "UTC")
    if gap and schedule.jitter >= gap:
        most = format_duration(gap)
        message = f"must be less than the {most} between two slots, so that these keep their order"
        sheet.mistake(("schedule", "jitter"), message)


def _check_roles(sheet: Sheet, call: Call, roles: list[str]) -> None:
    for role in call.body.roles():
        if role not in roles and roles:
            message = f"there is no target '{shorter(role)}'" + suggestion(role, roles)
            sheet.mistake(_where_named(sheet, call, role), message)


def _check_refusal(sheet: Sheet, call: Call, roles: list[str]) -> None:
    """What is said of a refusal needs one, and blames somebody who is there."""
    expect = call.body.expect
    for key in ("reason", "phase", "blame"):
        if getattr(expect, key) is not None and expect.outcome == "done":
            message = "is said of a refusal; add `outcome: refused`"
            sheet.mistake((*call.loc, "expect", key), message, key=True)
    known = [*roles, *(party.value for party in NAMED_ALONE)]
    if expect.blame is not None and roles and expect.blame not in known:
        message = f"there is no target '{shorter(expect.blame)}'" + suggestion(expect.blame, known)
        sheet.mistake((*call.loc, "expect", "blame"), message)


def _where_named(sheet: Sheet, call: Call, role: str) -> tuple[str | int, ...]:
    """The key of the step's body that holds the role's name."""
    node = sheet.find(call.loc)
    entries = node.entries if isinstance(node, Mapping) else {}
    holds = (
        key
        for key, entry in entries.items()
        if isinstance(entry.value, Scalar) and entry.value.value == role
    )
    return (*call.loc, *list(holds)[:1])


def _check_all_used(sheet: Sheet, calls: Sequence[Call], roles: list[str]) -> None:
    used = {role for call in calls for role in call.body.roles()}
    for role in roles:
        if role not in used:
            sheet.mistake(("targets", role), f"no step uses the target '{shorter(role)}'", key=True)


def _check_asserts(sheet: Sheet, calls: Sequence[Call]) -> None:
    if not any(call.step.checks or call.body.expect != Expect() for call in calls):
        message = "nothing is checked: add a step that does, such as `verify`"
        sheet.mistake(("steps",), message, key=True)


def _check_control(sheet: Sheet, calls: Sequence[Call]) -> None:
    node = sheet.find(("control",))
    wanted = isinstance(node, Scalar) and node.value is True
    if wanted and not any(_breaks_something(call) for call in calls):
        message = "no step breaks anything, so a control would be the same case again"
        sheet.mistake(("control",), message, key=True)


def _breaks_something(call: Call) -> bool:
    return breaks(call.step) or bool(breaking_keys(call.step) & call.body.model_fields_set)


def _check_parameters(sheet: Sheet, heading: Heading, calls: Sequence[Call | None]) -> None:
    bodies = [(call.step.name, call.step.Body) if call else None for call in calls]
    for name, parameter in heading.parameters.items():
        loc = ("parameters", name)
        path = loc_of(parameter.sets)
        kinds = kinds_at(path, bodies)
        is_unknown = None in bodies and path[0] == "steps"
        if path[0] == "targets" and path[1] not in heading.targets:
            message = f"there is no target '{shorter(str(path[1]))}'"
            sheet.mistake((*loc, "sets"), message + suggestion(str(path[1]), heading.targets))
        elif not kinds and not is_unknown:
            message = f"'{shorter(parameter.sets)}' is no place of a single value in this file"
            sheet.mistake((*loc, "sets"), message)
        elif kinds and parameter.at_most is not None:
            _check_most(sheet, (*loc, "at-most"), parameter.at_most, measure_of(kinds))


def _check_most(sheet: Sheet, loc: Loc, most: str | int, measure: Measure | None) -> None:
    if measure is None:
        sheet.mistake(loc, "only sizes, rates, durations and numbers have a most", key=True)
        return
    try:
        measure(most)
    except ValueError as error:
        sheet.mistake(loc, str(error))


def _check_deadlines(sheet: Sheet, heading: Heading, calls: Sequence[Call]) -> None:
    limit = heading.limits.duration
    for call in calls:
        if "within" in call.body.model_fields_set and call.body.within > limit:
            asked = format_duration(call.body.within)
            message = f"{asked} is longer than the whole run may take: {format_duration(limit)}"
            sheet.mistake((*call.loc, "within"), f"{message} (limits.duration)")


def _check_same_rses(sheet: Sheet, heading: Heading) -> None:
    targets, links = heading.targets, heading.links
    for role, other in _pairs(list(targets)):
        first, second = targets[role], targets[other]
        is_link = links is not None and {role, other} == {links.from_, links.to}
        told_apart = is_link or role in second.other_than or other in first.other_than
        if first.rses == second.rses and not told_apart:
            message = f"'{role}' and '{other}' may be the same RSE; add `other-than: [{role}]`"
            sheet.mistake(("targets", other), message, key=True)


def _pairs(roles: list[str]) -> Iterator[tuple[str, str]]:
    for index, other in enumerate(roles):
        for role in roles[:index]:
            yield role, other
