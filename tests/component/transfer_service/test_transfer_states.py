"""The states files and jobs go through, played with gfal2's mock:// storages."""

import time
from collections.abc import Callable

import pytest
from transfer_rig import Service, await_condition, entry

SOURCE = "mock://a.t/x?size=10"
OTHER_SOURCE = "mock://c.t/x?size=10"
MISSING = "mock://m.t/x?errno=2"
SLOW = "mock://slow.t/y?size_post=10&time=30"
FAILED_JOB = "One or more files failed. Please have a look at the details for more information"
NO_SUCH_FILE = "SOURCE [2] No such file or directory"


def target(name: str, **more: object) -> str:
    options = {"size_post": 10, "time": 0, **more}
    return f"mock://b.t/{name}?" + "&".join(f"{key}={value}" for key, value in options.items())


ENDS = {
    "one file": ([entry(SOURCE, target("one"))], {}, "FINISHED FINISHED", [""]),
    "no source": ([entry(MISSING, target("n"))], {}, "FAILED FAILED", [NO_SUCH_FILE]),
    "exists": (
        [entry(SOURCE, target("e", size_pre=10))],
        {},
        "FAILED FAILED",
        ["DESTINATION [17] Destination file exists and overwrite is not enabled"],
    ),
    "exists, overwritten": (
        [entry(SOURCE, target("o", size_pre=10))],
        {"overwrite": True},
        "FINISHED FINISHED",
        [""],
    ),
    "size differs": (
        [entry(SOURCE, target("s", size_post=5))],
        {},
        "FAILED FAILED",
        ["DESTINATION [22] Source and destination file size mismatch"],
    ),
    "the user's size is not verified": (
        [entry(SOURCE, target("u"), filesize=99)],
        {},
        "FINISHED FINISHED",
        [""],
    ),
    "no permission at the destination": (
        [entry(SOURCE, "mock://b.t/p?errno=13")],
        {},
        "FAILED FAILED",
        ["DESTINATION [13] Permission denied"],
    ),
    "breaks while copying": (
        [entry(SOURCE, target("b", time=1, transfer_errno=5))],
        {},
        "FAILED FAILED",
        ["TRANSFER [5] Input/output error"],
    ),
    "one of two": (
        [entry(SOURCE, target("t1")), entry(MISSING, target("t2"))],
        {},
        "FINISHEDDIRTY FINISHED/FAILED",
        ["", NO_SUCH_FILE],
    ),
    "replicas, first good": (
        [entry([SOURCE, OTHER_SOURCE], target("r1"))],
        {},
        "FINISHED FINISHED/NOT_USED",
        ["", None],
    ),
    "replicas, all bad": (
        [entry([MISSING, MISSING], target("r2"))],
        {},
        "FAILED FAILED/FAILED",
        [NO_SUCH_FILE, NO_SUCH_FILE],
    ),
    "hops": (
        [entry(SOURCE, target("h1")), entry(target("h1", size=10), target("h2"))],
        {"multihop": True},
        "FINISHED FINISHED/FINISHED",
        ["", ""],
    ),
    "hops, first fails": (
        [entry(MISSING, target("h3")), entry(SOURCE, target("h4"))],
        {"multihop": True},
        "FAILED FAILED/NOT_USED",
        [NO_SUCH_FILE, None],
    ),
    "hops, second fails": (
        [entry(SOURCE, target("h5")), entry(MISSING, target("h6"))],
        {"multihop": True},
        "FAILED FINISHED/FAILED",
        ["", NO_SUCH_FILE],
    ),
    "staging fails": (
        [entry("mock://a.t/x?size=10&staging_time=0&staging_errno=2", target("g1"))],
        {"bring_online": 60},
        "FAILED FAILED",
        ["STAGING [2] No such file or directory"],
    ),
    "staging takes too long": (
        [entry("mock://a.t/x?size=10&staging_time=90", target("g2"))],
        {"bring_online": 1},
        "FAILED FAILED",
        ["STAGING [110] bring-online timeout has been exceeded"],
    ),
    "archiving takes too long": (
        [entry(SOURCE, target("g3", archiving_time=90))],
        {"archive_timeout": 1},
        "FAILED FAILED",
        ["ARCHIVING [110] archive timeout has been exceeded"],
    ),
    "archiving fails": (
        [entry(SOURCE, target("g4", archiving_time=0, archiving_errno=5))],
        {"archive_timeout": 30},
        "FAILED FAILED",
        ["ARCHIVING [5] Input/output error"],
    ),
    "archived": (
        [entry(SOURCE, target("g5", archiving_time=0))],
        {"archive_timeout": 30},
        "FINISHED FINISHED",
        [""],
    ),
    "brought online and nothing else": (
        [entry("mock://a.t/x?size=10&staging_time=0", "mock://a.t/x?size=10&staging_time=0")],
        {"bring_online": 60},
        "FINISHED FINISHED",
        [""],
    ),
}


@pytest.mark.parametrize("case", ENDS)
def test_a_job_ends_as_in_fts(service: Service, case: str) -> None:
    files, params, states, reasons = ENDS[case]
    assert service.run(files, **params) == (states, reasons)


def test_the_reason_of_a_job_is_empty_or_points_to_its_files(service: Service) -> None:
    good = service.submit([entry(SOURCE, target("j1"))])
    bad = service.submit([entry(MISSING, target("j2"))])
    assert service.await_end(good)["reason"] == ""
    assert service.await_end(bad)["reason"] == FAILED_JOB


def test_the_next_replica_is_used_and_named_as_the_source(service: Service) -> None:
    job_id = service.submit([entry([MISSING, OTHER_SOURCE], target("q", time=1))])
    service.await_states(job_id, "ACTIVE FAILED/ACTIVE")
    job = service.await_end(job_id)
    assert (job["job_state"], job["job_type"], job["reason"]) == ("FINISHED", "R", "")
    assert job["source_se"] == "mock://c.t"


def test_a_recoverable_failure_is_tried_again_as_often_as_asked(service: Service) -> None:
    job_id = service.submit(
        [entry(SOURCE, target("again", time=1, transfer_errno=5))], retry=2, retry_delay=1
    )
    for _ in range(2):
        service.await_states(job_id, "ACTIVE SUBMITTED")
        service.await_states(job_id, "ACTIVE ACTIVE")
    (file,) = service.await_end(job_id)["files"]
    assert (file["file_state"], file["retry"]) == ("FAILED", 2)
    (listed,) = service.client.get(f"/jobs/{job_id}/files").json()
    retries = service.client.get(f"/jobs/{job_id}/files/{listed['file_id']}/retries").json()
    assert [retry["attempt"] for retry in retries] == [1, 2]
    assert retries[0]["reason"] == "TRANSFER [5] Input/output error"


def test_what_cannot_get_better_is_not_tried_again(service: Service) -> None:
    job_id = service.submit([entry(MISSING, target("never"))], retry=3, retry_delay=1)
    assert service.await_end(job_id)["files"][0]["retry"] == 0


def test_a_staged_file_is_copied_while_its_job_still_says_staging(service: Service) -> None:
    source = "mock://a.t/late?size=10&staging_time=1"
    job_id = service.submit([entry(source, target("staged", time=1))], bring_online=60)
    service.await_states(job_id, "STAGING STARTED")
    service.await_states(job_id, "ACTIVE ACTIVE")
    service.await_states(job_id, "FINISHED FINISHED")
    (file,) = service.client.get(f"/jobs/{job_id}/files").json()
    assert file["staging_start"] < file["staging_finished"] <= file["finish_time"]
    assert file["bringonline_token"]


def test_a_pin_lifetime_alone_stages(service: Service) -> None:
    source = "mock://a.t/pinned?size=10&staging_time=90"
    job_id = service.submit([entry(source, target("pinned"))], copy_pin_lifetime=3600)
    service.await_states(job_id, "STAGING STARTED")
    service.client.delete(f"/jobs/{job_id}")
    assert service.states(job_id) == "CANCELED CANCELED"


def test_a_file_is_finished_only_when_it_is_archived(service: Service) -> None:
    job_id = service.submit([entry(SOURCE, target("tape", archiving_time=1))], archive_timeout=60)
    service.await_states(job_id, "ARCHIVING ARCHIVING")
    assert service.job(job_id)["files"][0]["finish_time"]
    service.await_states(job_id, "FINISHED FINISHED")


def test_session_reuse_carries_files_one_after_another(service: Service) -> None:
    files = [entry(SOURCE, target("y1", time=1)), entry(SOURCE, target("y2", time=1))]
    job_id = service.submit(files, reuse=True)
    service.await_states(job_id, "ACTIVE ACTIVE/READY")
    service.await_states(job_id, "ACTIVE FINISHED/ACTIVE")
    service.await_states(job_id, "FINISHED FINISHED/FINISHED")


def test_a_running_copy_is_ended_by_a_cancel(service: Service) -> None:
    job_id = service.submit([entry(SOURCE, SLOW)])
    service.await_states(job_id, "ACTIVE ACTIVE")
    answer = service.client.delete(f"/jobs/{job_id}").json()
    assert (answer["job_state"], answer["http_status"]) == ("CANCELED", "200 Ok")
    assert (answer["reason"], answer["cancel_job"]) == ("Job canceled by the user", True)
    file = await_condition(
        lambda: next((f for f in service.job(job_id)["files"] if f["finish_time"]), None),
        "the copy has ended",
    )
    assert (file["file_state"], file["reason"]) == ("CANCELED", "Job canceled by the user")
    assert service.run([entry(SOURCE, target("after"))])[0] == "FINISHED FINISHED"


def test_single_files_of_a_job_can_be_cancelled(service: Service) -> None:
    job_id = service.submit([entry(SOURCE, SLOW), entry(SOURCE, target("stays"))])
    service.await_states(job_id, "ACTIVE ACTIVE/FINISHED")
    first, second = service.client.get(f"/jobs/{job_id}/files").json()
    path = f"/jobs/{job_id}/files/{first['file_id']},{second['file_id']}"
    assert service.client.delete(path).json() == ["CANCELED", "FINISHED"]
    assert service.states(job_id) == "CANCELED CANCELED/FINISHED"


def test_a_job_leaves_the_queue_when_its_time_is_over(
    new_service: Callable[..., Service],
) -> None:
    service = new_service(workers=1)
    blocker = service.submit([entry(SOURCE, SLOW)])
    service.await_states(blocker, "ACTIVE ACTIVE")
    late = service.submit([entry(SOURCE, target("late"))], max_time_in_queue="1s")
    job = service.await_end(late)
    assert job["job_state"] == "CANCELED"
    assert job["files"][0]["reason"] == (
        "Job has been canceled because it stayed in the queue for too long "
        "(max-time-in-queue timeout)"
    )


def test_a_copy_that_outlives_its_timeout_is_ended(new_service: Callable[..., Service]) -> None:
    service = new_service(timeout_margin_seconds=0)
    state, (reason,) = service.run([entry(SOURCE, SLOW)], timeout=1)
    assert state == "FAILED FAILED"
    assert reason == ("TRANSFER [110] Operation timed out (the copy took longer than its timeout)")


def test_priorities_go_first_and_links_take_turns(new_service: Callable[..., Service]) -> None:
    service = new_service(workers=1)
    blocker = service.submit([entry(SOURCE, SLOW)])
    service.await_states(blocker, "ACTIVE ACTIVE")
    low = service.submit([entry(SOURCE, target("low"))], priority=2)
    raised = service.submit([entry(SOURCE, target("raised"))], priority=1)
    high = service.submit([entry(SOURCE, target("high"))], priority=4)
    service.client.post(f"/jobs/{raised}", json={"params": {"priority": 5}})
    service.client.delete(f"/jobs/{blocker}")
    for job_id in (low, raised, high):
        service.await_end(job_id)
    order = [
        line.split("job_id=")[1][:36] for line in service.log().splitlines() if "=copied" in line
    ]
    assert order == [raised, high, low]


def test_a_full_link_does_not_hold_others_up(new_service: Callable[..., Service]) -> None:
    service = new_service(workers=3, per_link=1)
    full = service.submit([entry(SOURCE, f"{SLOW}&n={n}") for n in range(3)])
    service.await_states(full, "ACTIVE ACTIVE/SUBMITTED/SUBMITTED")
    assert service.run([entry(OTHER_SOURCE, target("free"))])[0] == "FINISHED FINISHED"
    assert service.states(full) == "ACTIVE ACTIVE/SUBMITTED/SUBMITTED"


def test_a_job_of_500_files_is_taken_and_answered_quickly(service: Service) -> None:
    begun = time.monotonic()
    job_id = service.submit([entry(SOURCE, f"mock://b.t/m{n}?errno=13") for n in range(500)])
    submitted = time.monotonic()
    assert len(service.job(job_id)["files"]) == 500
    answered = time.monotonic()
    assert submitted - begun < 5  # 0.1 s on an idle machine
    assert answered - submitted < 5
    assert service.await_end(job_id)["job_state"] == "FAILED"
