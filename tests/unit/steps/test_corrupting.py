"""The corruption family on a simulated lake: well, blinded in each way, and with a broken dltest.

A check that cannot fail is a defect: each mutation here breaks one comparison, of the lake or of
dltest itself, and the scenarios that rely on it must go red.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from simulated_run import CrashError, ended, stored

from dltest.engine import House, Rules
from dltest.errors import NotPermittedError, PlanError
from dltest.lake.damage import Damage, damaged, fingerprint
from dltest.lake.payload import adler32_of, leading_zero
from dltest.lake.ports import BadState
from dltest.lake.simulated import (
    NECROMANCER_DOWN,
    NO_DISKS,
    TRANSFERS_UNCHECKED,
    Ailment,
    SimulatedLake,
)
from dltest.lake.simulated import storage as simulated_storage
from dltest.lake.simulated.world import World
from dltest.model import Case, Run, StepState, Verdict
from dltest.planning import permissions, plan
from dltest.scenario import parse
from dltest.store import Store

FAMILY = Path("scenarios") / "corruption"
NAMES = sorted(file.stem for file in FAMILY.glob("*.yaml"))
RULES = Rules(
    patience=timedelta(seconds=15),
    cleanup_limit=timedelta(seconds=120),
    poll_every=timedelta(seconds=1),
)
SMALL = {"2 MiB": "9 KiB", "1 MiB": "9 KiB", "15m": "1m"}

Play = Callable[..., Run]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.sqlite3'}")
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def play(store: Store) -> Play:
    """Run a case to its end on a lake of its own, in no time."""

    def start(case: Case, *ailments: Ailment, crash_at: int = 0) -> Run:
        calls = count(1)

        def on_call(_what: str, _when: str) -> None:
            if next(calls) == crash_at:
                raise CrashError

        lake = SimulatedLake(("XRD1", "XRD2", "XRD3"), ailments=ailments, on_call=on_call)
        house = House(store, lake, RULES, timedelta(hours=1), lake.clock.now)
        run = ended(store, house, lake, stored(store, case, lake))
        start.calls, start.lake = next(calls) - 1, lake  # type: ignore[attr-defined]
        return run

    return start


def cases_of(name: str) -> tuple[Case, Case | None]:
    """The first case of a scenario of the family with small files, and its control."""
    text = (FAMILY / f"{name}.yaml").read_text()
    for large, small in SMALL.items():
        text = text.replace(large, small)
    cases = planned(text)
    return cases[0], next((case for case in cases if case.control), None)


def planned(text: str, rses: tuple[str, ...] = ("XRD1", "XRD2", "XRD3")) -> tuple[Case, ...]:
    return plan([parse(text, "f.yaml")], SimulatedLake(rses).catalogue.inventory()).cases


def codes(run: Run) -> list[str]:
    assert run.judgement is not None
    return [finding.code for finding in run.judgement.findings]


def verdict(run: Run) -> Verdict:
    assert run.judgement is not None
    return run.judgement.verdict


@pytest.mark.parametrize("name", NAMES)
def test_a_lake_that_notices_passes_and_so_does_the_control(name: str, play: Play) -> None:
    case, control = cases_of(name)
    for one in filter(None, (case, control)):
        run = play(one)
        assert (verdict(run), codes(run), run.leftovers) == (Verdict.PASSED, [], 0), one.id
        assert play.lake.litter() == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name", ["corrupted-source", "truncated-source", "wrong-checksum", "silent-rot"]
)
def test_transfers_that_nobody_checks_are_found_out(name: str, play: Play) -> None:
    case, control = cases_of(name)
    run = play(case, TRANSFERS_UNCHECKED)
    assert (verdict(run), codes(run)) == (Verdict.FAILED, ["corruption-undetected"])
    assert case.severity == "critical"
    assert control
    assert verdict(play(control, TRANSFERS_UNCHECKED)) is Verdict.PASSED


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("corruption-repaired", "not-repaired"),
        ("loss-repaired", "not-repaired"),
        ("lost-last-copy", "loss-not-reported"),
    ],
)
def test_a_dead_necromancer_is_found_out(name: str, code: str, play: Play) -> None:
    run = play(cases_of(name)[0], NECROMANCER_DOWN)
    assert (verdict(run), codes(run)) == (Verdict.FAILED, [code])
    assert str(run.judgement.blame) == "rucio"  # type: ignore[union-attr]


def test_without_a_disk_silent_rot_is_skipped(play: Play) -> None:
    run = play(cases_of("silent-rot")[0], NO_DISKS)
    assert (verdict(run), codes(run)) == (Verdict.SKIPPED, ["not-supported"])


# -- mutations: what if a comparison were broken? ------------------------------------------------


def test_if_every_checksum_were_called_right_a_download_would_be_found_out(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulated_storage, "_difference", lambda _file, _comparison: {})
    run = play(cases_of("corrupted-file")[0])
    assert (verdict(run), codes(run)) == (Verdict.FAILED, ["corruption-undetected"])


def test_if_damage_did_nothing_the_scenario_would_not_pass(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(World, "damage", lambda _self, _place, _content, **_how: None)
    for name in ("corrupted-file", "corrupted-source", "lost-source"):
        assert verdict(play(cases_of(name)[0])) is Verdict.FAILED, name


def test_if_a_repair_were_only_said_the_bytes_would_tell(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = World.store

    def forgetful(self: World, url: str, content: bytes) -> None:
        if url not in self.remembered_urls():  # type: ignore[attr-defined]
            store(self, url, content)

    monkeypatch.setattr(World, "remembered_urls", lambda self: set(self.stored), raising=False)
    monkeypatch.setattr(World, "store", forgetful)
    run = play(cases_of("corruption-repaired")[0])
    assert (verdict(run), codes(run)) == (Verdict.FAILED, ["checksum-mismatch"])
    assert run.judgement.findings[0].step == "repaired"  # type: ignore[union-attr]


def test_if_lost_files_were_dropped_in_silence_it_would_be_said(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = World._settle

    def silent(self: World, name: str, rse: str, end: object) -> None:
        if str(end) == "LOST":
            self.recoveries.pop((name, rse), None)
            self.bad = [line for line in self.bad if line.name != name]
        else:
            settle(self, name, rse, end)  # type: ignore[arg-type]

    monkeypatch.setattr(World, "_settle", silent)
    run = play(cases_of("lost-last-copy")[0])
    assert (verdict(run), codes(run)) == (Verdict.FAILED, ["dropped-in-silence"])


# -- crashes ------------------------------------------------------------------------------------

REPAIR = """\
dltest: 1
name: repair
title: A damaged replica is repaired
owner: tests
targets:
  bad: {rses: XRD1}
  good: {rses: XRD2}
payload: {files: 1, size: 100 B}
steps:
  - upload: {to: bad}
  - replicate: {to: good}
  - corrupt: {at: bad, how: truncate}
  - declare-bad: {at: bad}
  - repaired: {at: bad}
"""


def test_a_crash_at_any_call_changes_neither_verdict_nor_what_is_declared(play: Play) -> None:
    (case,) = planned(REPAIR)
    play(case)
    calls = play.calls  # type: ignore[attr-defined]
    # Each call of a port has a crash before and after it; every third of these, for time.
    for crash_at in range(1, calls + 1, 3):
        run = play(case, crash_at=crash_at)
        assert verdict(run) is Verdict.PASSED, f"crash at call {crash_at}: {codes(run)}"
        lake = play.lake  # type: ignore[attr-defined]
        assert lake.litter() == [], f"crash at call {crash_at}"
        declared = [line.state for line in lake._world.bad]
        assert declared == [BadState.RECOVERED], f"crash at call {crash_at}"


# -- guards -------------------------------------------------------------------------------------

FOREIGN = """\
dltest: 1
name: foreign
title: What the run has not made is not touched
owner: tests
targets:
  here: {rses: XRD1}
  there: {rses: XRD2}
steps:
  - upload: {to: here}
  - corrupt: {at: there, how: remove}
  - download: {from: there, expect: {outcome: refused}}
"""


def test_what_the_run_has_not_made_is_never_damaged(play: Play) -> None:
    (case,) = planned(FOREIGN)
    run = play(case)
    assert (verdict(run), codes(run)) == (Verdict.INCONCLUSIVE, ["not-ours"])
    assert run.records[1].state is StepState.UNKNOWN


def test_damage_needs_an_rse_whose_operator_agreed() -> None:
    facts = SimulatedLake(("XRD1", "XRD2")).catalogue.inventory()
    closed = facts.rses[0].model_copy(update={"attributes": {"dltest": "True"}})
    lake = facts.model_copy(update={"rses": (closed, facts.rses[1])})
    with pytest.raises(NotPermittedError, match=r"dltest-faults=True: XRD1 \(1 files\)"):
        plan([parse(REPAIR, "f.yaml")], lake)


def test_the_plan_says_what_is_damaged_and_what_rucio_must_permit() -> None:
    facts = SimulatedLake(("XRD1", "XRD2")).catalogue.inventory()
    told = permissions(plan([parse(REPAIR, "f.yaml")], facts))
    assert "damage at XRD1" in told
    assert "damage at XRD2" not in told
    assert "declare replicas bad" in told


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("truncate, files: [3]", "names file 3, and the scenario makes 1"),
        ("swap-two-files", "means 1 files; name two"),
    ],
)
def test_files_that_there_are_not_are_a_mistake_of_the_plan(how: str, message: str) -> None:
    text = REPAIR.replace("truncate", how)
    with pytest.raises(PlanError, match=message):
        planned(text)


def test_the_control_registers_the_right_checksum() -> None:
    case, control = cases_of("wrong-checksum")
    assert control
    assert [one.steps[0].body["checksum"] for one in (case, control)] == ["wrong", "right"]


# -- contents -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 100, 4096, 9000, (1 << 20) + 5])
def test_every_damage_differs_from_the_payload_and_is_the_same_each_time(size: int) -> None:
    whole = adler32_of("s", 3, size)
    for how in set(Damage) - {Damage.SWAP_TWO_FILES, Damage.REMOVE}:
        first, again = (fingerprint(damaged("s", 3, size, how)) for _ in range(2))
        assert first == again
        assert (first.size_bytes, first.adler32) != (size, whole), how


def test_one_bit_is_one_bit() -> None:
    whole = b"".join(map(bytes, damaged("s", 0, 5000, Damage.SWAP_TWO_FILES)))
    flipped = b"".join(map(bytes, damaged("s", 0, 5000, Damage.FLIP_ONE_BIT)))
    assert sum((a ^ b).bit_count() for a, b in zip(whole, flipped, strict=True)) == 1


def test_contents_with_a_leading_zero_are_found_and_differ() -> None:
    found = [leading_zero("seed", index, 5000) for index in range(20)]
    assert all(adler32_of("seed", number, 5000).startswith("0") for number in found)
    assert len(set(found)) == 20


def test_the_family_reads_and_every_scenario_but_one_has_a_control() -> None:
    heard = [parse((FAMILY / f"{name}.yaml").read_text(), name) for name in NAMES]
    assert {one.name for one in heard if not one.control} == {"leading-zero"}
    assert {tag for one in heard for tag in one.tags} == {"corruption"}
