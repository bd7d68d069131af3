"""Plans: which cases, in which order, how much, and when there is none."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dltest.errors import NoTargetError, NotPermittedError, OverBudgetError
from dltest.model import RSE, Footprint, Lake, Pace
from dltest.planning import blocked, difference, expand, permissions, plan
from dltest.scenario import Scenario, load, parse

MIB = 2**20


def lake_of(count: int) -> Lake:
    rses = tuple(
        RSE(name=f"XRD{number}", attributes={"dltest": "True", "number": str(number)})
        for number in range(count, 0, -1)
    )
    return Lake(name="lab", rses=rses, seen_at=datetime(2026, 1, 1, tzinfo=UTC))


LAB = lake_of(4)


def scenario(targets: str, *, more: str = "", steps: str = "") -> Scenario:
    roles = [line.split(":")[0].strip() for line in targets.strip().splitlines()]
    steps = steps or "".join(f"  - verify: {{at: {role}}}\n" for role in roles)
    text = f"dltest: 1\nname: it\ntitle: t\nowner: me\n{more}targets:\n{targets}steps:\n{steps}"
    return parse(text, "f.yaml")


ONE = "  at: {rses: dltest=True}\n"
LINK = "  a: {rses: dltest=True}\n  b: {rses: dltest=True, other-than: [a]}\n"


def ids(scenarios: list[Scenario], lake: Lake = LAB, only: str | None = None) -> list[str]:
    return [case.id for case in plan(scenarios, lake, only=only).cases]


def test_one_role_makes_a_case_per_rse_in_order_of_name() -> None:
    assert ids([scenario(ONE)]) == ["it[XRD1]", "it[XRD2]", "it[XRD3]", "it[XRD4]"]


def test_two_roles_make_all_ordered_links_and_no_loop() -> None:
    found = ids([scenario(LINK)])
    assert len(found) == 12
    assert found[:4] == ["it[XRD1->XRD2]", "it[XRD1->XRD3]", "it[XRD1->XRD4]", "it[XRD2->XRD1]"]


@pytest.mark.parametrize(
    "targets",
    [
        "  a: {rses: '*', other-than: [b]}\n  b: {rses: XRD1|XRD2}\n",
        "  a: {rses: '*'}\n  b: {rses: XRD1|XRD2, other-than: [a]}\n",
    ],
)
def test_other_than_holds_whichever_role_says_it(targets: str) -> None:
    assert ids([scenario(targets)], lake_of(2)) == ["it[XRD1->XRD2]", "it[XRD2->XRD1]"]


def test_three_roles_that_all_differ() -> None:
    targets = LINK + "  c: {rses: dltest=True, other-than: [a, b]}\n"
    found = ids([scenario(targets)], lake_of(3))
    assert len(found) == 6
    assert found[0] == "it[XRD1->XRD2->XRD3]"


def test_a_case_carries_what_a_run_needs() -> None:
    more = "severity: critical\nrunbook: r\ntags: [x]\npayload: {files: 2, size: 3 B}\n"
    (case, *_) = plan([scenario(ONE, more=more + "limits: {duration: 7m}\n")], LAB).cases
    assert case.payload.total_bytes == 6
    assert case.duration_limit == timedelta(minutes=7)
    assert (case.owner, case.severity, case.runbook, case.tags) == ("me", "critical", "r", ("x",))
    assert [call.type for call in case.steps] == ["verify"]


def test_only_keeps_every_case_that_touches_the_rse() -> None:
    assert ids([scenario(LINK)], only="XRD2") == [
        "it[XRD1->XRD2]",
        "it[XRD2->XRD1]",
        "it[XRD2->XRD3]",
        "it[XRD2->XRD4]",
        "it[XRD3->XRD2]",
        "it[XRD4->XRD2]",
    ]


def test_only_may_empty_one_scenario_but_not_all() -> None:
    narrow = scenario("  at: {rses: XRD1}\n")
    assert ids([narrow, scenario(LINK)], lake_of(2), only="XRD2") == [
        "it[XRD1->XRD2]",
        "it[XRD2->XRD1]",
    ]
    with pytest.raises(NoTargetError) as caught:
        plan([narrow], LAB, only="XRD2")
    assert str(caught.value) == "nothing to run: no case of it touches an RSE of 'XRD2'"


def test_a_target_that_nothing_fits_is_told_with_scenario_and_role() -> None:
    with pytest.raises(NoTargetError) as caught:
        plan([scenario("  at: {rses: type=disk}\n")], LAB)
    assert str(caught.value).startswith(
        "scenario 'it', target 'at': no RSE of lake 'lab' matches 'type=disk'. "
    )


def test_roles_that_cannot_differ_are_told() -> None:
    with pytest.raises(NoTargetError) as caught:
        plan([scenario(LINK)], lake_of(1))
    assert str(caught.value) == (
        "scenario 'it': its targets cannot be different RSEs as `other-than` asks:"
        " 'a' can only be XRD1; 'b' can only be XRD1"
    )


def test_no_scenario_is_no_plan() -> None:
    with pytest.raises(NoTargetError, match="nothing to run: there is no scenario"):
        plan([], LAB)


def linked(shape: str, lake: Lake = LAB, **options: object) -> list[str]:
    more = f"links: {{from: a, to: b, shape: {shape}}}\n"
    return [case.id for case in plan([scenario(LINK, more=more)], lake, **options).cases]  # type: ignore[arg-type]


def test_all_pairs_is_what_a_scenario_without_links_has() -> None:
    assert linked("all-pairs") == ids([scenario(LINK)])


def test_a_ring_goes_to_the_next_by_name_and_closes() -> None:
    assert linked("ring") == [
        "it[XRD1->XRD2]", "it[XRD2->XRD3]", "it[XRD3->XRD4]", "it[XRD4->XRD1]",
    ]  # fmt: skip
    assert linked("ring", lake_of(2)) == ["it[XRD1->XRD2]", "it[XRD2->XRD1]"]
    assert linked("ring", only="XRD4") == ["it[XRD3->XRD4]", "it[XRD4->XRD1]"]


def test_a_star_goes_to_and_from_its_reference() -> None:
    assert linked("star, reference: XRD2") == [
        "it[XRD1->XRD2]", "it[XRD2->XRD1]", "it[XRD2->XRD3]",
        "it[XRD2->XRD4]", "it[XRD3->XRD2]", "it[XRD4->XRD2]",
    ]  # fmt: skip
    with pytest.raises(NoTargetError, match="reference: no RSE of lake 'lab'"):
        linked("star, reference: NOWHERE")


def test_a_sample_turns_until_all_links_had_their_turn() -> None:
    turns = [linked("sample, pairs: 5", turn=turn) for turn in range(7, 10)]
    assert sorted(len(turn) for turn in turns) == [2, 5, 5]
    assert sorted(case for turn in turns for case in turn) == ids([scenario(LINK)])
    assert linked("sample, pairs: 5", turn=8) == turns[1]


def test_who_aims_at_an_rse_gets_a_sample_of_its_links() -> None:
    turns = [linked("sample, pairs: 2", turn=turn, only="XRD3") for turn in range(3)]
    assert sorted(case for turn in turns for case in turn) == ids([scenario(LINK)], only="XRD3")


def test_links_that_cannot_be_are_told() -> None:
    with pytest.raises(NoTargetError) as caught:
        linked("ring", lake_of(1))
    assert str(caught.value) == (
        "scenario 'it': its targets cannot be different RSEs joined by a link of `shape: ring`:"
        " 'a' can only be XRD1; 'b' can only be XRD1"
    )


@pytest.mark.parametrize(
    ("payload", "variants"),
    [
        ("{files: 2, size: 1 kB}", {"": 2000}),
        ("{sizes: [1 kB, 1 KiB]}", {"1 x 1 kB": 1000, "1 x 1 KiB": 1024}),
        ("{sizes: [1 kB], files: 3}", {"3 x 1 kB": 3000}),
        (
            "{volume: 50 GB, files: [1000, 100, 10]}",
            dict.fromkeys(("1000 x 50 MB", "100 x 500 MB", "10 x 5 GB"), 50 * 10**9),
        ),
    ],
)
def test_a_family_has_a_case_for_each_member(payload: str, variants: dict[str, int]) -> None:
    more = f"payload: {payload}\nlimits: {{bytes: 1 TB}}\n"
    steps = "  - upload: {to: at}\n  - verify: {at: at}\n"
    cases = plan([scenario(ONE, more=more, steps=steps)], lake_of(2)).cases
    assert {case.variant: case.bytes_written for case in cases} == variants
    assert len(cases) == 2 * len(variants)
    tails = [f", {variant}]" if variant else "]" for variant in variants]
    assert [case.id for case in cases] == [f"it[XRD{n}{tail}" for n in (1, 2) for tail in tails]


def test_a_family_is_added_up_over_its_members() -> None:
    more = "payload: {sizes: [1 kB, 1 MB]}\nlimits: {bytes: 1 MB}\n"
    with pytest.raises(OverBudgetError, match=r"would write 4 MB in 8 cases"):
        plan([scenario(ONE, more=more, steps="  - upload: {to: at}\n  - verify: {at: at}\n")], LAB)


STEPS = "  - upload: {to: a}\n  - replicate: {to: b, from: a}\n  - verify: {at: b}\n"


def test_footprints_are_added_up_per_rse() -> None:
    link = scenario(LINK, steps=STEPS, more="payload: {files: 3, size: 1 MiB}\n")
    # each of 4 RSEs is source of 3 links and destination of 3
    each = Footprint(
        files_written=18, bytes_written=18 * MIB, files_deleted=18, bytes_read=18 * MIB
    )
    assert plan([link], LAB).footprints == dict.fromkeys(["XRD1", "XRD2", "XRD3", "XRD4"], each)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (
            "{bytes: 71 MiB}",
            "scenario 'it' would write 75.5 MB in 12 cases, and its limits.bytes allows 74.4 MB;"
            " narrow its targets, shrink its payload, or raise the limit",
        ),
        (
            "{files: 71}",
            "scenario 'it' would write 72 files in 12 cases, and its limits.files allows 71 files;"
            " narrow its targets, shrink its payload, or raise the limit",
        ),
    ],
)
def test_a_scenario_over_its_limits_is_refused_with_the_sum(limits: str, message: str) -> None:
    more = f"payload: {{files: 3, size: 1 MiB}}\nlimits: {limits}\n"
    link = scenario(LINK, steps=STEPS, more=more)
    with pytest.raises(OverBudgetError) as caught:
        plan([link], LAB)
    assert str(caught.value) == message
    # aimed at one RSE there are 6 links, which is within the limit
    assert len(plan([link], LAB, only="XRD1").cases) == 6


def test_limits_may_be_used_to_the_last_byte_and_file() -> None:
    more = "payload: {files: 3, size: 1 MiB}\nlimits: {bytes: 72 MiB, files: 72}\n"
    assert len(plan([scenario(LINK, steps=STEPS, more=more)], LAB).cases) == 12


def test_a_case_carries_what_it_writes_and_how_fast_it_may_come() -> None:
    limits = "limits: {parallel: {per-rse: 2, per-link: 1}, bandwidth: 100 MB/s}\n"
    more = "payload: {files: 3, size: 1 MiB}\n" + limits
    for case in plan([scenario(LINK, steps=STEPS, more=more)], LAB).cases:
        # uploaded once, replicated once
        assert case.bytes_written == 6 * MIB
        assert case.pace == Pace(per_rse=2, per_link=1, bandwidth=100_000_000)
    assert plan([scenario(ONE)], LAB).cases[0].pace == Pace()
    assert plan([scenario(ONE)], LAB).cases[0].bytes_written == 0


def test_more_cases_than_anybody_means_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expand, "MAX_CASES", 11)
    with pytest.raises(OverBudgetError, match="more than 11 cases on lake 'lab'; narrow"):
        plan([scenario(LINK)], LAB)
    assert len(plan([scenario(LINK)], LAB, only="XRD1").cases) == 6


def test_a_plan_for_a_lake_out_of_reach_says_so() -> None:
    stale = LAB.model_copy(update={"stale": True})
    assert plan([scenario(ONE)], stale).stale
    assert not plan([scenario(ONE)], LAB).stale


def test_the_core_family_covers_every_rse_and_every_link() -> None:
    planned = plan(load([Path("scenarios/core")]), LAB)
    assert len(planned.cases) == 3 * 4 + 12
    assert sum(case.scenario == "replicate" for case in planned.cases) == 12
    total = sum(planned.footprints.values(), Footprint())
    assert total.bytes_written == (3 * 4 + 2 * 12) * MIB


def with_rse(name: str, **changes: object) -> Lake:
    rses = tuple(rse.model_copy(update=changes) if rse.name == name else rse for rse in LAB.rses)
    return LAB.model_copy(update={"rses": rses})


def test_an_rse_whose_operator_forbids_it_is_refused_with_the_sum() -> None:
    forbidden = with_rse("XRD2", attributes={"dltest": "false"})
    everywhere = LINK.replace("dltest=True", "'*'")
    link = scenario(everywhere, steps=STEPS, more="payload: {files: 3, size: 1 MiB}\n")
    with pytest.raises(NotPermittedError) as caught:
        plan([link], forbidden)
    assert str(caught.value) == (
        "scenario 'it' would touch RSEs whose operators forbid it by the attribute dltest=False:"
        " XRD2 (6 cases, 18.9 MB written); leave them out of its targets, as by `dltest=True`"
    )
    # who selects by the attribute never meets it
    assert len(plan([scenario(LINK)], forbidden).cases) == 6


def test_what_the_account_must_be_allowed_follows_from_the_steps() -> None:
    link = scenario(LINK, steps=STEPS + "  - delete:\n")
    assert permissions(plan([link], lake_of(2))) == [
        "add datasets", "add rules",
        "delete at XRD1", "delete at XRD2",
        "end own datasets",
        "read at XRD1", "read at XRD2",
        "register replicas",
        "write at XRD1", "write at XRD2",
    ]  # fmt: skip
    assert permissions(plan([scenario("  at: {rses: XRD1}\n")], LAB)) == ["read at XRD1"]


def test_an_rse_that_rucio_has_blocked_is_planned_and_told() -> None:
    lake = with_rse("XRD2", writable=False)
    link = scenario(LINK, steps=STEPS)
    planned = plan([link], lake)
    assert len(planned.cases) == 12
    assert blocked(planned, lake) == ["write at XRD2"]
    # it may still be read and deleted at
    assert blocked(plan([scenario(ONE)], lake), lake) == []


def test_a_plan_differs_by_cases_and_bytes() -> None:
    before = {"a": 1, "b": 2, "c": 3}
    changes = difference(before, {"b": 2, "c": 4, "d": 5})
    assert (changes.added, changes.removed, changes.changed) == (("d",), ("a",), {"c": (3, 4)})
    assert difference(before, before).is_none
    assert not changes.is_none
