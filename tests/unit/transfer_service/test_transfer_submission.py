"""From a submission's JSON to a job and its files."""

import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltest.lab.transfer_service.identity import BASE_ID, Identity
from dltest.lab.transfer_service.parameters import checksum_letter
from dltest.lab.transfer_service.records import Submission, link_of
from dltest.lab.transfer_service.refusal import RefusedRequest
from dltest.lab.transfer_service.submission import Surroundings, build_submission
from dltest.lab.transfer_service.tokens import Token

USER = Identity("/CN=tester", "vo")
BEARER = Identity.of_token("storage.read:/", {"sub": "someone", "iss": "https://issuer/"}, "vo")
SOURCE, OTHER, TARGET = "davs://a:1/x", "davs://b:2/x", "davs://c:3/y"


def build(
    *files: Mapping[str, Any],
    banned: Mapping[str, str] | None = None,
    waiting: Mapping[str, int] | None = None,
    user: Identity = USER,
    **params: Any,
) -> Submission:
    around = Surroundings(
        user=user,
        metadata_size_limit=100,
        banned=banned or {},
        waiting=lambda link: (waiting or {}).get(link[0], 0),
        token=lambda value: Token.of(value, {"scope": value, "exp": 0}),
    )
    return build_submission({"files": list(files), "params": params}, around)


def one(**more: Any) -> dict[str, Any]:
    return {"sources": [SOURCE], "destinations": [TARGET], **more}


def test_storage_elements_have_no_port_but_links_do() -> None:
    (file,) = build(one()).files
    assert (file.source_se, file.dest_se) == ("davs://a", "davs://c")
    assert link_of(file) == ("davs://a:1", "davs://c:3")


def test_nulls_are_as_good_as_nothing() -> None:
    given_nulls = build(
        one(checksum=None, filesize=None, metadata=None, activity=None, scitag=None),
        bring_online=None,
        copy_pin_lifetime=None,
        archive_timeout=None,
        priority=None,
        job_metadata=None,
        verify_checksum=None,
    )
    job, (file,) = given_nulls.job, given_nulls.files
    assert (job.job_state, job.priority, job.verify_checksum) == ("SUBMITTED", 3, "n")
    assert (file.checksum, file.activity, file.user_filesize) == ("ADLER32", "default", 0)


def test_unknown_keys_are_ignored() -> None:
    assert build(one(odd=1), account="root").job.job_type == "N"


def test_metadata_text_becomes_a_label_and_jobs_say_how_the_user_came() -> None:
    submission = build(one(metadata="text"), job_metadata={"issuer": "rucio"})
    assert submission.files[0].file_metadata == {"label": "text"}
    assert submission.job.job_metadata == {"issuer": "rucio", "auth_method": "certificate"}


@pytest.mark.parametrize(
    ("verify", "checksums", "letter"),
    [
        ("both", [None], "b"),
        ("target", [None], "t"),
        ("source", [None], "s"),
        ("none", ["ADLER32:1"], "n"),
        (True, [None], "b"),
        (False, ["ADLER32:1"], "t"),
        (False, [None], "n"),
        (False, ["ADLER32:1", ""], "n"),
    ],
)
def test_checksum_letter(verify: bool | str, checksums: list[str | None], letter: str) -> None:
    assert checksum_letter(verify, checksums) == letter


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(2, 7200), ("90s", 90), ("10m", 600), ("1h", 3600), ("1d", 86400)],
)
def test_time_in_queue_is_hours_or_says_its_unit(value: object, seconds: int) -> None:
    expires = build(one(), max_time_in_queue=value).job.max_time_in_queue
    assert expires is not None
    assert abs(expires - time.time() - seconds) < 2


@pytest.mark.parametrize("value", [0, None, "", "s", "5x", "xs"])
def test_no_usable_time_in_queue_means_for_ever(value: object) -> None:
    assert build(one(), max_time_in_queue=value).job.max_time_in_queue is None


@given(st.integers())
def test_priorities_are_clamped(priority: int) -> None:
    assert build(one(), priority=priority).job.priority == min(max(priority, 1), 5)


@pytest.mark.parametrize("staging", [{"bring_online": 60}, {"copy_pin_lifetime": 60}])
def test_staging_is_asked_for_by_either_time(staging: dict[str, int]) -> None:
    submission = build(one(), **staging)
    assert (submission.job.job_state, submission.files[0].file_state) == ("STAGING", "STAGING")


def test_the_replica_with_the_shortest_queue_is_chosen() -> None:
    file = {"sources": [SOURCE, OTHER], "destinations": [TARGET]}
    states = [one.file_state for one in build(file, waiting={"davs://a:1": 3}).files]
    assert states == ["NOT_USED", "SUBMITTED"]
    ordered = build({**file, "selection_strategy": "orderly"}, waiting={"davs://a:1": 3})
    assert [one.file_state for one in ordered.files] == ["SUBMITTED", "NOT_USED"]


def test_only_the_first_hop_starts_and_the_job_spans_all() -> None:
    hop = {"sources": [TARGET], "destinations": ["davs://d:4/z"]}
    submission = build(one(), hop, multihop=True)
    assert [file.file_state for file in submission.files] == ["SUBMITTED", "NOT_USED"]
    assert (submission.job.source_se, submission.job.dest_se) == ("davs://a", "davs://d")


def test_deterministic_ids_follow_from_vo_and_sid() -> None:
    job_id = build(one(), id_generator="deterministic", sid="s").job.job_id
    assert job_id == str(uuid.uuid5(uuid.uuid5(BASE_ID, "vo"), "s"))


def test_a_storage_that_waits_may_still_take_submissions() -> None:
    submission = build(one(), banned={"davs://a": "WAIT_AS"})
    assert submission.files[0].file_state == "ON_HOLD"
    with pytest.raises(RefusedRequest, match="davs://c is banned"):
        build(one(), banned={"davs://c": "WAIT"})


@pytest.mark.parametrize(
    ("params", "letter"),
    [
        ({}, None),
        ({"overwrite": True}, "Y"),
        ({"overwrite_on_retry": True}, "R"),
        ({"overwrite_hop": True, "multihop": True}, "M"),
        ({"overwrite_when_only_on_disk": True, "archive_timeout": 9}, "D"),
        (
            {
                "overwrite_hop": True,
                "overwrite_when_only_on_disk": True,
                "archive_timeout": 9,
                "multihop": True,
            },
            "Q",
        ),
    ],
)
def test_overwrite_letter(params: dict[str, Any], letter: str | None) -> None:
    assert build(one(), **params).job.overwrite_flag == letter


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=5,
    )
)
def test_whatever_is_sent_is_taken_or_refused(junk: Any) -> None:
    for body in ({"files": junk}, {"files": [junk]}, {"files": [one()], "params": junk}):
        around = Surroundings(USER, 100, {}, lambda _: 0)
        with suppress(RefusedRequest):
            assert build_submission(body, around).files


def with_tokens(read: list[str], write: list[str], **more: Any) -> dict[str, Any]:
    return one(source_tokens=read, destination_tokens=write, **more)


def token_of(submission: Submission, token_id: str | None) -> str:
    return next(one.access_token for one in submission.tokens if one.token_id == token_id)


def test_a_file_moves_with_a_token_for_each_of_its_ends() -> None:
    built = build(
        {**with_tokens(["read-1", "read-2"], ["write"]), "sources": [SOURCE, OTHER]}, user=BEARER
    )
    assert built.job.job_metadata == {"auth_method": "oauth2"}
    shown = [
        (file.source_surl, token_of(built, file.src_token_id), token_of(built, file.dst_token_id))
        for file in built.files
    ]
    assert shown == [(SOURCE, "read-1", "write"), (OTHER, "read-2", "write")]


def test_without_tokens_of_its_own_a_file_moves_with_its_submitters() -> None:
    built = build(one(), user=BEARER)
    assert [token.access_token for token in built.tokens] == ["storage.read:/"]
    assert built.files[0].src_token_id == built.files[0].dst_token_id


def test_a_token_with_offline_access_is_exchanged_before_its_file_begins() -> None:
    held = build(with_tokens(["read"], ["write offline_access"]), user=BEARER).files[0]
    assert (held.file_state, held.file_state_initial) == ("TOKEN_PREP", "SUBMITTED")
    assert build(with_tokens(["read"], ["write"]), user=BEARER).files[0].file_state == "SUBMITTED"


def test_of_a_certificate_holder_tokens_are_not_heeded() -> None:
    built = build(with_tokens(["read"], ["write"]))
    assert not built.tokens
    assert built.files[0].src_token_id is None


@pytest.mark.parametrize(
    ("entry", "params", "words"),
    [
        (
            one(source_tokens=["read"]),
            {},
            "Both source_tokens and destination_tokens are required if one of them is present.",
        ),
        (
            with_tokens(["read", "more"], ["write"]),
            {},
            "Length of source_tokens should be equal to the length of sources.",
        ),
        (
            one(),
            {"bring_online": 60},
            "Requests to retrieve from tape using token authentication are not supported",
        ),
        (
            one(),
            {"archive_timeout": 60},
            "Requests to archive to tape using token authentication are not supported",
        ),
    ],
)
def test_what_tokens_cannot_do_is_refused_in_the_words_of_fts(
    entry: dict[str, Any], params: dict[str, Any], words: str
) -> None:
    with pytest.raises(RefusedRequest) as refused:
        build(entry, user=BEARER, **params)
    assert refused.value.message == words


def test_no_token_shows_in_a_repr() -> None:
    token = Token("id", "the-secret", "storage.read:/", 0.0, "another-secret")
    assert "secret" not in repr(Submission(build(one()).job, (), (token,)))
    assert BEARER.bearer is not None
    assert BEARER.bearer not in repr(BEARER)
