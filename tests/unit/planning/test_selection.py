"""What RSE expressions mean on a lake, by Rucio's rules."""

from datetime import UTC, datetime

import pytest

from dltest.errors import NoTargetError, PlanError
from dltest.model import RSE, Lake
from dltest.planning import select

LAKE = Lake(
    name="lab",
    rses=(
        RSE(name="XRD1", attributes={"type": "disk", "dltest": "True", "tier": "1"}),
        RSE(name="XRD2", attributes={"type": "disk", "dltest": "true", "tier": "2.5"}),
        RSE(name="TAPE-1", type="TAPE", attributes={"type": "tape", "dltest": "False"}),
        RSE(name="OLD", writable=False, attributes={"tier": "many", "XRD1": "no"}),
    ),
    seen_at=datetime(2026, 1, 1, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("*", ["OLD", "TAPE-1", "XRD1", "XRD2"]),
        ("XRD1", ["XRD1"]),
        ("TAPE-1", ["TAPE-1"]),
        ("type=disk", ["XRD1", "XRD2"]),
        ("XRD1|TAPE-1", ["TAPE-1", "XRD1"]),
        ("type=disk&XRD1", ["XRD1"]),
        (r"*\XRD1\OLD", ["TAPE-1", "XRD2"]),
        # no operator binds tighter than another
        ("XRD1|type=disk&XRD2", ["XRD2"]),
        ("XRD1|(type=disk&XRD2)", ["XRD1", "XRD2"]),
        # true and false in any case, all other text exactly
        ("dltest=true", ["XRD1", "XRD2"]),
        ("dltest=TRUE", ["XRD1", "XRD2"]),
        ("dltest=false", ["TAPE-1"]),
        # a bare word is an attribute that is true
        ("dltest", ["XRD1", "XRD2"]),
        # what is no number is passed over; true counts as 1
        ("tier<2", ["XRD1"]),
        ("tier>1", ["XRD2"]),
        ("tier>0", ["XRD1", "XRD2"]),
        ("dltest>0", ["XRD1", "XRD2"]),
        ("dltest<1", ["TAPE-1"]),
        # what Rucio keeps in columns
        ("rse_type=TAPE", ["TAPE-1"]),
        ("rse=OLD", ["OLD"]),
        ("availability_write=False", ["OLD"]),
        ("availability_write=0", ["OLD"]),
        # an attribute of another RSE may carry an RSE's name
        ("XRD1=no", ["OLD"]),
    ],
)
def test_an_expression_means_these_rses(expression: str, names: list[str]) -> None:
    assert select(expression, LAKE, asked_by="here") == names


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("xrd1", "There is no RSE 'xrd1'; did you mean 'XRD1'?"),
        ("NOWHERE", "There is no RSE 'NOWHERE'; there is XRD1, XRD2, TAPE-1, OLD."),
        ("typ=disk", "No RSE has an attribute 'typ'; did you mean 'type'?"),
        ("colour=red", "No RSE has an attribute 'colour'; there is XRD1, dltest, tier, type."),
        ("type=DISK", "'type=DISK' fits none: type is disk, tape."),
        ("tier>9&type=disk", "'tier>9' fits none: tier is 1, 2.5, many."),
        ("tier>nine", "'tier>nine' fits none: tier is 1, 2.5, many."),
        ("type=disk&type=tape", "Each part fits some RSE, but none fits all of it."),
    ],
)
def test_when_nothing_fits_the_message_says_what_there_is(expression: str, hint: str) -> None:
    with pytest.raises(NoTargetError) as caught:
        select(expression, LAKE, asked_by="--rse")
    assert str(caught.value) == f"--rse: no RSE of lake 'lab' matches '{expression}'. {hint}"


def test_what_cannot_be_read_is_told_with_its_place() -> None:
    with pytest.raises(PlanError) as caught:
        select("type=disk & XRD1", LAKE, asked_by="--rse")
    assert str(caught.value) == (
        "--rse: Rucio's RSE expressions hold no spaces (character 10 of 'type=disk & XRD1')"
    )


def test_a_lake_without_rses_is_told() -> None:
    empty = LAKE.model_copy(update={"rses": ()})
    with pytest.raises(NoTargetError, match="No RSE has an attribute 'type'; there is none"):
        select("type=disk", empty, asked_by="here")
