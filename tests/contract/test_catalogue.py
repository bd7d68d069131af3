"""The catalogue port: what every adapter of it promises."""

from datetime import timedelta

import pytest
from trial import LIFETIME, Trial, until

from dltest.errors import CatalogueError
from dltest.lake.ports import FileRef, JobKind, ReplicaState, Rule, RuleState

NO_RULE = "0" * 32


def rule_at(trial: Trial, rse: str, tag: str = "1") -> str:
    return trial.ports.catalogue.add_rule(
        trial.dataset, rse, tag=f"{trial.dataset}.{tag}", lifetime=LIFETIME
    )


def states(trial: Trial, rse: str) -> set[ReplicaState]:
    return {replica.state for replica in trial.ports.catalogue.replicas(trial.names(), rse)}


def is_ok(rule: Rule) -> bool:
    return rule.state is RuleState.OK


def test_it_answers(trial: Trial) -> None:
    assert trial.ports.catalogue.ping()


def test_the_inventory_has_attributes_as_text(trial: Trial) -> None:
    lake = trial.ports.catalogue.inventory()
    rse = lake.rse(trial.source)
    assert rse.attributes["dltest"] == "True"
    assert rse.site
    assert rse.readable
    assert rse.writable
    assert lake.seen_at.utcoffset() == timedelta(0)


def test_every_name_has_its_url_in_order(trial: Trial) -> None:
    names = trial.names(150)
    urls = trial.ports.catalogue.urls(trial.source, names)
    assert len(set(urls)) == 150
    assert all(url.endswith(name) for url, name in zip(urls, names, strict=True))
    assert trial.ports.catalogue.urls(trial.source, names[::-1]) == urls[::-1]


def test_urls_are_of_the_protocol_that_is_asked_for(trial: Trial) -> None:
    urls = trial.ports.catalogue.urls(trial.source, trial.names(), "root")
    assert all(url.startswith("root://") for url in urls)
    assert [url.rpartition("/")[2] for url in urls] == trial.names()


def test_a_protocol_that_the_rse_does_not_offer_is_refused(trial: Trial) -> None:
    with pytest.raises(CatalogueError) as refused:
        trial.ports.catalogue.urls(trial.source, trial.names(), "gsiftp")
    assert refused.value.code == "no-common-protocol"
    assert refused.value.answered
    assert "gsiftp" in str(refused.value)


def test_what_is_written_by_one_protocol_is_there_by_the_usual_one(trial: Trial) -> None:
    urls = trial.ports.catalogue.urls(trial.source, trial.names(), "root")
    files = tuple(FileRef(url=url, index=i, size_bytes=1000) for i, url in enumerate(urls))
    trial.do(JobKind.PUT, files)
    outcomes = trial.do(JobKind.READ, trial.refs(trial.source)).outcomes
    assert [outcome.code for outcome in outcomes] == [None] * 3


def test_an_unknown_rse_is_refused(trial: Trial) -> None:
    with pytest.raises(CatalogueError) as refused:
        trial.ports.catalogue.urls("NOWHERE", trial.names())
    assert refused.value.code == "no-such-rse"
    assert refused.value.answered


def test_nothing_is_known_of_names_never_made(trial: Trial) -> None:
    catalogue = trial.ports.catalogue
    replicas = catalogue.replicas(trial.names(), trial.source)
    assert [replica.name for replica in replicas] == trial.names()
    assert states(trial, trial.source) == {ReplicaState.MISSING}
    assert catalogue.dids(trial.dataset) == []
    assert catalogue.rules(trial.dataset) == []
    assert catalogue.requests(trial.names(), trial.source) == []


def test_registered_files_are_available_with_their_facts(trial: Trial) -> None:
    facts = trial.upload()
    replicas = trial.ports.catalogue.replicas(trial.names(), trial.source)
    assert states(trial, trial.source) == {ReplicaState.AVAILABLE}
    assert [(r.name, r.size_bytes, r.adler32) for r in replicas] == [
        (fact.name, fact.size_bytes, fact.adler32) for fact in facts
    ]
    assert trial.ports.catalogue.dids(trial.dataset) == sorted([trial.dataset, *trial.names()])


def test_registering_again_changes_nothing(trial: Trial) -> None:
    facts = trial.upload()
    trial.ports.catalogue.register(trial.dataset, trial.source, facts, LIFETIME)
    assert trial.ports.catalogue.dids(trial.dataset) == sorted([trial.dataset, *trial.names()])


def test_a_registration_cut_short_is_completed(trial: Trial) -> None:
    facts = trial.upload(3)
    trial.ports.catalogue.register(trial.dataset, trial.source, facts[:1], LIFETIME)
    trial.ports.catalogue.register(trial.dataset, trial.source, facts, LIFETIME)
    rule_id = rule_at(trial, trial.source)
    assert until(lambda: trial.ports.catalogue.rule(rule_id), is_ok).locks_ok == 3


def test_a_rule_where_the_files_are_is_ok_with_all_locks(trial: Trial) -> None:
    trial.upload()
    rule_id = rule_at(trial, trial.source)
    rule = until(lambda: trial.ports.catalogue.rule(rule_id), is_ok)
    assert (rule.locks_ok, rule.locks_replicating, rule.locks_stuck) == (3, 0, 0)


def test_one_tag_makes_one_rule(trial: Trial) -> None:
    trial.upload()
    first, again = rule_at(trial, trial.source), rule_at(trial, trial.source)
    assert first == again
    until(lambda: trial.ports.catalogue.rules(trial.dataset), bool)
    assert [rule.id for rule in trial.ports.catalogue.rules(trial.dataset)] == [first]


def test_a_rule_brings_the_files_elsewhere_by_a_transfer(trial: Trial) -> None:
    trial.upload()
    catalogue = trial.ports.catalogue
    rule_id = catalogue.add_rule(
        trial.dataset,
        trial.destination,
        tag=f"{trial.dataset}.2",
        lifetime=LIFETIME,
        source=trial.source,
    )
    rule = until(lambda: catalogue.rule(rule_id), is_ok)
    assert rule.locks_ok == 3
    assert states(trial, trial.destination) == {ReplicaState.AVAILABLE}
    requests = catalogue.requests(trial.names(), trial.destination)
    assert [request.state for request in requests] == ["DONE"] * 3
    for request in requests:
        assert request.source == trial.source
        assert request.created_at is not None
        assert request.transferred_at is not None
        assert request.created_at <= request.transferred_at
        [file] = [
            file
            for file in trial.ports.transfers.files(
                str(request.transfer_host), str(request.transfer_id)
            )
            if file.destination_url.endswith(request.name)
        ]
        assert file.state == "FINISHED"


def test_an_unknown_rule_is_gone(trial: Trial) -> None:
    assert trial.ports.catalogue.rule(NO_RULE).state is RuleState.GONE


def test_an_ended_rule_goes_with_its_replicas(trial: Trial) -> None:
    trial.upload()
    catalogue = trial.ports.catalogue
    rule_id = rule_at(trial, trial.source)
    catalogue.end_rule(rule_id)
    catalogue.end_rule(rule_id)
    until(lambda: catalogue.rule(rule_id), lambda rule: rule.state is RuleState.GONE)
    until(lambda: states(trial, trial.source), lambda found: found == {ReplicaState.MISSING})


def test_an_expired_dataset_takes_everything_along(trial: Trial) -> None:
    trial.upload()
    catalogue = trial.ports.catalogue
    rule_id = rule_at(trial, trial.source)
    catalogue.expire(trial.dataset)
    catalogue.expire(trial.dataset)
    until(lambda: catalogue.dids(trial.dataset), lambda names: names == [])
    until(lambda: catalogue.rules(trial.dataset), lambda rules: rules == [])
    assert catalogue.rule(rule_id).state is RuleState.GONE
    assert states(trial, trial.source) == {ReplicaState.MISSING}


def test_a_dataset_that_never_got_a_rule_ends_too(trial: Trial) -> None:
    """As after a crash between registering files and asking for the rule that keeps them."""
    trial.upload()
    trial.ports.catalogue.expire(trial.dataset)
    until(lambda: states(trial, trial.source), lambda found: found == {ReplicaState.MISSING})
    until(lambda: trial.ports.catalogue.dids(trial.dataset), lambda names: names == [])
    assert {o.present for o in trial.do(JobKind.STAT, trial.refs(trial.source)).outcomes} == {False}


def test_a_source_that_no_rule_keeps_ends_with_a_copy_under_way(trial: Trial) -> None:
    """The dataset has a rule, but elsewhere."""
    trial.upload()
    catalogue = trial.ports.catalogue
    rule_at(trial, trial.destination)
    catalogue.expire(trial.dataset)
    until(lambda: catalogue.dids(trial.dataset), lambda names: names == [])


def test_names_never_made_can_be_ended(trial: Trial) -> None:
    trial.ports.catalogue.expire(trial.dataset)
    trial.ports.catalogue.expire_files(trial.names())
    trial.ports.catalogue.end_rule(NO_RULE)
    assert trial.ports.catalogue.dids(trial.dataset) == []


def test_any_number_of_rules_and_replicas_are_looked_over_at_once(trial: Trial) -> None:
    trial.upload()
    catalogue = trial.ports.catalogue
    rule_id = rule_at(trial, trial.source)
    rule = until(lambda: catalogue.rule(rule_id), is_ok)
    replicas = [
        replica
        for rse in (trial.source, trial.destination)
        for replica in catalogue.replicas(trial.names(), rse)
    ]
    watches = [rule.watch(), *(replica.watch() for replica in replicas)]
    seen = [watch.seen for watch in watches]
    assert catalogue.look_over(watches) == seen
    assert catalogue.look_over([]) == []
    unknown = Rule(id=NO_RULE, state=RuleState.GONE).watch()
    assert catalogue.look_over([unknown]) == [unknown.seen]
    catalogue.expire(trial.dataset)

    def moved_on() -> int:
        return sum(a != b for a, b in zip(seen, catalogue.look_over(watches), strict=True))

    # The rule and the three replicas at the source go; at the destination there was nothing.
    until(moved_on, lambda number: number == 4)
