"""Which faults may be there at once, and who is a bystander."""

from datetime import timedelta
from itertools import permutations

import pytest

from dltest.drill import Trial, bystanders, needs, trials_of, waves
from dltest.lab.faults import FAULTS
from dltest.lab.faults.fault import OTHER, RSE, Drill, Fault, Notice
from dltest.model import Case, Payload, StepCall

RSES = ("XRD1", "XRD2", "XRD3", "XRD4")
STEPS = {
    "upload": ("upload", "verify"),
    "download": ("upload", "download"),
    "delete": ("upload", "delete", "absent"),
    "file-with-own-rule": ("upload", "keep", "delete", "absent"),
    "dark-data": ("upload", "stray", "quarantine"),
    "lost-file": ("upload", "corrupt", "declare-bad", "lost"),
    "replicate": ("upload", "replicate", "verify", "delete", "absent"),
    "corrupted-source": ("upload", "corrupt", "replicate"),
    "silent-rot": ("upload", "corrupt", "download", "replicate"),
    "corruption-repaired": ("upload", "replicate", "corrupt", "declare-bad", "repaired"),
}
LINKS = ("replicate", "corrupted-source", "silent-rot", "corruption-repaired")


def case(scenario: str, *at: str) -> Case:
    return Case(
        scenario=scenario,
        targets={f"t{number}": rse for number, rse in enumerate(at)},
        payload=Payload(files=1, size_bytes=1),
        steps=tuple(StepCall(type=step, body={}) for step in STEPS[scenario]),
        duration_limit=timedelta(minutes=1),
    )


CASES = {(name, (rse,)): case(name, rse) for name in STEPS if name not in LINKS for rse in RSES}
CASES |= {(name, link): case(name, *link) for name in LINKS for link in permutations(RSES, 2)}
STEPS |= {
    "token-rules": ("token-rules",),
    "life-by-token": ("upload", "replicate", "download", "delete", "absent"),
    "token-issuer": ("token-issuer",),
}
CASES |= {("token-issuer", ()): case("token-issuer")}
WITH_TOKENS = ("XRD5", "XRD6")
CASES |= {("token-rules", (rse,)): case("token-rules", rse) for rse in WITH_TOKENS}
CASES |= {
    ("life-by-token", link): case("life-by-token", *link) for link in permutations(WITH_TOKENS, 2)
}


def fault(name: str) -> Fault:
    return next(one for one in FAULTS if one.name == name)


def trial(name: str, target: str | None = None, place: int = 0) -> Trial:
    found = [
        one
        for drill in fault(name).drills
        for one in trials_of(fault(name), drill, CASES)
        if target in (None, one.target)
    ]
    return found[place]


def test_a_case_needs_what_its_steps_use_until_it_notices():
    link = CASES["replicate", ("XRD1", "XRD2")]
    assert needs(link, "replicate") == {"XRD1", "XRD2", "catalogue", "transfers"}
    assert needs(link) == {"XRD1", "XRD2", "catalogue", "transfers", "deletion"}


def test_a_step_that_nobody_knows_needs_everything():
    strange = CASES["upload", ("XRD1",)].model_copy(
        update={"steps": (StepCall(type="levitate", body={}),)}
    )
    assert needs(strange) == {"XRD1", "catalogue", "transfers", "deletion", "repair", "issuer"}


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (("storage-down", "XRD1"), ("storage-full", "XRD2"), True),
        (("storage-down", "XRD1"), ("storage-full", "XRD1"), False),
        (("storage-down", "XRD4"), ("transfers-lost", None), True),
        (("transfers-lost", None), ("transfers-queued", None), False),
        (("transfers-lost", None), ("daemon-down", "reaper"), True),
        (("storage-down", "XRD1"), ("rucio-down", None), False),
        (("daemon-down", "reaper"), ("storage-no-delete", "XRD4"), False),
    ],
)
def test_two_faults_are_there_at_once_only_if_no_case_of_one_is_in_the_shadow_of_the_other(
    one, other, together
):
    first, second = trial(*one), trial(*other)
    assert first.bears(second) is together
    assert second.bears(first) is together


def test_every_drill_of_the_catalogue_is_held_once():
    planned = [one for wave in waves(FAULTS, CASES) for one in wave.trials]
    wanted = [(one.name, drill) for one in FAULTS for drill in one.drills]
    assert len(planned) == len(wanted) >= 40
    assert {(one.fault.name, id(one.drill)) for one in planned} == {
        (name, id(drill)) for name, drill in wanted
    }


def test_no_two_faults_of_a_wave_can_be_taken_for_each_other():
    for wave in waves(FAULTS, CASES):
        for one in wave.trials:
            for other in wave.trials:
                assert one is other or one.bears(other)


def test_every_wave_has_bystanders_unless_the_whole_lake_is_in_the_shadow():
    for wave in waves(FAULTS, CASES):
        shadow = frozenset().union(*(one.shadow for one in wave.trials))
        standing = bystanders(CASES.values(), wave.trials)
        assert standing or "catalogue" in shadow
        assert not any(needs(one) & shadow for one in standing)


def test_storages_share_waves_so_that_a_drill_takes_minutes():
    drills = sum(len(one.drills) for one in FAULTS)
    assert len(waves(FAULTS, CASES)) <= drills / 2


def test_a_fault_that_no_case_could_notice_is_said_to_be_so():
    nobody = Drill((Notice("levitate", (RSE,), "levitate", ("x",), "fts"),), (RSE,))
    lonely = Fault("lonely", "nobody cares", kind="RSE", targets=RSES, drills=(nobody,))
    with pytest.raises(LookupError, match="lonely"):
        waves([lonely], CASES)


def test_two_others_are_two_different_ones_and_not_the_broken_one():
    drill = Drill((Notice("replicate", (OTHER, OTHER), "replicate", ("x",), "fts"),), (RSE,))
    strange = Fault("strange", "", kind="RSE", targets=RSES, drills=(drill,))
    for one in trials_of(strange, drill, CASES):
        assert len({one.target, *one.cases[0].targets.values()}) == 3
