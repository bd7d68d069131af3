"""The answers of a real FTS 3.13, request by request: status, words, fields."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from transfer_rig import Service, entry

A, B = "mock://a.t/x?size=5", "mock://b.t/y?size_post=5&time=0"
SLOW = "mock://slow.t/y?size_post=5&time=30"
NOBODY = "00000000-0000-0000-0000-000000000000"
NO_JOB = f'No job with the id "{NOBODY}" has been found'


def job(*files: dict[str, Any], **params: Any) -> dict[str, Any]:
    return {"files": list(files), "params": params}


def words(text: str) -> set[str]:
    return set(text.split())


REFUSED_SUBMISSIONS = {
    "no files": ({"params": {}}, 400, "No transfers operations specified"),
    "empty files": (job(), 400, "No valid pairs available"),
    "no destination": (job({"sources": [A]}), 400, "Missing parameter: 'destinations'"),
    "a local file": (
        job(entry("file:///tmp/a", B)),
        400,
        "Invalid value within the request: Can not transfer local files (file:///tmp/a)",
    ),
    "no path": (
        job(entry("mock://a", B)),
        400,
        "Invalid value within the request: Missing path (mock://a)",
    ),
    "two overwrite flags": (
        job(entry(A, B), overwrite=True, overwrite_on_retry=True),
        400,
        "Incompatible overwrite flags used at the same time",
    ),
    "disk overwrite without archiving": (
        job(entry(A, B), overwrite_when_only_on_disk=True),
        400,
        "'overwrite-when-only-on-disk' requires 'archive-timeout' to be set",
    ),
    "disk overwrite without HTTP": (
        job(entry(A, B), overwrite_when_only_on_disk=True, archive_timeout=10),
        400,
        "'overwrite-when-only-on-disk' requires destination to be HTTPs endpoint "
        "(Tape REST API required)",
    ),
    "hop overwrite without hops": (
        job(entry(A, B), overwrite_hop=True),
        400,
        "'overwrite-hop' requires multihop job submission",
    ),
    "replicas and hops": (
        job(entry([A, A], B), multihop=True),
        400,
        "Can not request multiple replica job together with multihop or session reuse "
        "at the same time",
    ),
    "large metadata": (
        job(entry(A, B, metadata={"long": "x" * 5000})),
        400,
        "Invalid value within the request: Job Submission Refused, "
        "metadata exceeds size limit of 4096",
    ),
    "a low scitag": (
        job(entry(A, B, scitag=5)),
        400,
        "Invalid value within the request: Invalid SciTag value: 5 (not in [65, 65535] range)",
    ),
    "an unknown strategy": (
        job(entry([A, A], B, selection_strategy="zzz")),
        400,
        "zzz algorithm is not supported by Scheduler",
    ),
    "a deletion": ({"delete": [A]}, 405, "Deletion jobs are no longer supported by FTS"),
}


@pytest.mark.parametrize("case", REFUSED_SUBMISSIONS)
def test_a_wrong_submission_is_refused_in_fts_words(service: Service, case: str) -> None:
    body, status, message = REFUSED_SUBMISSIONS[case]
    answer = service.client.post("/jobs", json=body)
    phrase = {400: "Bad Request", 405: "Method Not Allowed"}[status]
    assert answer.status_code == status
    assert answer.json() == {"status": f"{status} {phrase}", "message": message}


REFUSED_REQUESTS = {
    "a broken body": (
        ("POST", "/jobs", {"content": b"{", "headers": {"content-type": "application/json"}}),
        400,
        "Badly formatted JSON request",
    ),
    "no content type": (
        ("POST", "/jobs", {"content": b"{}"}),
        400,
        "Expecting application/json or application/x-www-form-urlencoded",
    ),
    "an unknown path": (
        ("GET", "/nowhere", {}),
        404,
        "The requested URL was not found on the server. If you entered the URL manually "
        "please check your spelling and try again.",
    ),
    "a wrong method": (
        ("DELETE", "/whoami", {}),
        405,
        "The method is not allowed for the requested URL.",
    ),
    "too high a limit": (
        ("GET", "/jobs?limit=501", {}),
        400,
        "The limit must be positive and less or equal than 500",
    ),
    "files of no job": (("GET", f"/jobs/{NOBODY}/files", {}), 404, NO_JOB),
    "a ban of nothing": (("POST", "/ban/se", {"json": {}}), 400, "Missing storage parameter"),
    "an odd ban": (
        ("POST", "/ban/se", {"json": {"storage": "mock://z.t", "status": "odd"}}),
        400,
        "status can only be cancel or wait",
    ),
    "an unknown setting": (
        ("POST", "/config/se", {"json": {"mock://z.t": {"se_info": {"odd": 1}}}}),
        400,
        "Field odd unknown",
    ),
}


@pytest.mark.parametrize("case", REFUSED_REQUESTS)
def test_a_wrong_request_is_refused_in_fts_words(service: Service, case: str) -> None:
    (method, path, more), status, message = REFUSED_REQUESTS[case]
    answer = service.client.request(method, path, **more)
    assert (answer.status_code, answer.json()["message"]) == (status, message)
    assert answer.headers["content-type"] == "application/json"


def test_the_caller_is_a_certificate_holder_with_a_vo(service: Service) -> None:
    me = service.client.get("/whoami").json()
    assert me["base_id"] == "01874efb-4735-4595-bc9c-591aef8240c9"
    assert me["vos_id"] == [str(uuid.uuid5(uuid.UUID(me["base_id"]), me["vos"][0]))]
    assert me["method"] == "certificate"


def test_the_root_tells_the_version(service: Service) -> None:
    assert service.client.get("/").json()["api"] == {"major": 3, "minor": 13, "patch": 4}


def test_a_deterministic_id_can_be_used_once(service: Service) -> None:
    me = service.client.get("/whoami").json()
    sid = str(uuid.uuid4())
    body = job(entry(A, B), id_generator="deterministic", sid=sid)
    first, second = (service.client.post("/jobs", json=body) for _ in range(2))
    assert first.json() == {"job_id": str(uuid.uuid5(uuid.UUID(me["vos_id"][0]), sid))}
    assert second.status_code == 409
    assert second.json()["message"] == "The sid provided by the user is duplicated"


JOB_FIELDS = words(
    "job_id job_state job_type job_metadata submit_time job_finished reason source_se dest_se "
    "vo_name user_dn cred_id priority retry retry_delay overwrite_flag verify_checksum "
    "bring_online copy_pin_lifetime archive_timeout source_spacetoken destination_spacetoken "
    "dst_file_report cancel_job max_time_in_queue internal_job_params submit_host target_qos "
    "os_project_id"
)
FILE_FIELDS = words(
    "hashed_id file_state finish_time throughput bringonline_token file_index transfer_host "
    "start_time retry log_file job_id source_surl archive_start_time user_filesize activity "
    "dest_surl_uuid dest_surl archive_finish_time file_metadata scitag log_debug vo_name "
    "staging_host internal_file_params staging_metadata src_token_id recoverable source_se "
    "reason pid archive_metadata dst_token_id dest_se filesize staging_start staging_finished "
    "file_state_initial file_id priority checksum tx_duration selection_strategy"
)


def test_jobs_and_files_have_the_fields_of_fts(service: Service) -> None:
    job_id = service.submit([entry(A, B, metadata={"request_id": "r1"})], overwrite=True)
    service.await_end(job_id)
    answer = service.client.get(f"/jobs/{job_id}").json()
    assert answer.keys() == JOB_FIELDS | {"http_status"}
    assert answer["job_metadata"] == {"auth_method": "certificate"}
    assert (answer["overwrite_flag"], answer["verify_checksum"]) == ("Y", "n")
    assert (answer["source_se"], answer["dest_se"]) == ("mock://a.t", "mock://b.t")
    (file,) = service.client.get(f"/jobs/{job_id}/files").json()
    assert file.keys() == FILE_FIELDS
    assert file["file_metadata"] == {"request_id": "r1"}
    assert file["internal_file_params"] == "nostreams:0,timeout:601,buffersize:0"


def test_asked_for_files_have_exactly_the_known_fields(service: Service) -> None:
    job_id = service.submit([entry(A, B)])
    answer = service.client.get(f"/jobs/{job_id}?files=file_state,odd,dest_surl").json()
    assert [file.keys() for file in answer["files"]] == [{"file_state", "dest_surl"}]


def test_times_are_utc_without_a_zone(service: Service) -> None:
    job_id = service.submit([entry(A, B)])
    finished = service.await_end(job_id)["job_finished"]
    assert len(finished) == len("2026-11-23T03:04:13")
    assert finished[10] == "T"


def test_an_unknown_job_is_a_404_with_its_id(service: Service) -> None:
    for method in ("GET", "DELETE"):
        answer = service.client.request(method, f"/jobs/{NOBODY}")
        assert answer.status_code == 404
        assert answer.json() == {
            "job_id": NOBODY,
            "http_status": "404 Not Found",
            "http_message": NO_JOB,
        }


def test_several_ids_give_a_list_and_207_when_one_is_unknown(service: Service) -> None:
    first, second = service.submit([entry(A, B)]), service.submit([entry(A, B)])
    known = service.client.get(f"/jobs/{first},{second}?files=file_state")
    assert known.status_code == 200
    assert [job["http_status"] for job in known.json()] == ["200 Ok", "200 Ok"]
    mixed = service.client.get(f"/jobs/{first},{NOBODY}")
    assert mixed.status_code == 207
    assert [job["http_status"] for job in mixed.json()] == ["200 Ok", "404 Not Found"]


def test_one_field_of_a_job_is_a_bare_value(service: Service) -> None:
    job_id = service.submit([entry(A, B)])
    assert service.client.get(f"/jobs/{job_id}/vo_name").json() == "dltest"
    assert service.client.get(f"/jobs/{job_id}/odd").json()["message"] == "No such field"


def test_the_list_shows_unfinished_jobs_unless_limited(service: Service) -> None:
    done, running = service.submit([entry(A, B)]), service.submit([entry(A, SLOW)])
    service.await_end(done)

    def listed(**query: Any) -> set[str]:
        jobs = service.client.get("/jobs", params={"fields": "job_id", **query}).json()
        return {job["job_id"] for job in jobs}

    assert running in listed()
    assert done not in listed()
    assert done not in listed(state_in="FINISHED")
    assert done in listed(state_in="FINISHED", limit=500)
    assert done in listed(state_in="FINISHED", time_window="1")
    assert running not in listed(dest_se="mock://b.t")
    service.client.delete(f"/jobs/{running}")


def test_a_priority_must_be_a_number(service: Service) -> None:
    job_id = service.submit([entry(A, SLOW)])
    wrong = service.client.post(f"/jobs/{job_id}", json={"params": {"priority": "high"}})
    assert (wrong.status_code, wrong.json()["message"]) == (400, "Invalid priority value")
    right = service.client.post(f"/jobs/{job_id}", json={"params": {"priority": 5}})
    assert (right.status_code, right.json()["priority"]) == (200, 5)
    service.client.delete(f"/jobs/{job_id}")


def test_a_finished_job_is_not_modified(service: Service) -> None:
    job_id = service.submit([entry(A, B)])
    service.await_end(job_id)
    for answer in (
        service.client.delete(f"/jobs/{job_id}"),
        service.client.post(f"/jobs/{job_id}", json={"params": {"priority": 5}}),
    ):
        assert answer.status_code == 200
        assert answer.json()["http_status"] == "304 Not Modified"
        assert answer.json()["http_message"] == "The job is in a terminal state"


def test_a_banned_storage_takes_no_job_until_it_is_unbanned(service: Service) -> None:
    ban = {"storage": "mock://ban.t", "message": "down", "status": "WAIT"}
    assert service.client.post("/ban/se", json=ban).json() == []
    (listed,) = service.client.get("/ban/se").json()
    assert (listed["se"], listed["status"], listed["message"]) == ("mock://ban.t", "WAIT", "down")
    refused = service.client.post("/jobs", json=job(entry("mock://ban.t/a?size=1", B)))
    assert (refused.status_code, refused.json()["message"]) == (403, "mock://ban.t is banned")
    for _ in range(2):  # unbanning what is not banned is no error
        answer = service.client.delete("/ban/se?storage=mock://ban.t")
        assert (answer.status_code, answer.content) == (204, b"")


def test_a_ban_cancels_what_runs_there(service: Service) -> None:
    job_id = service.submit([entry(A, "mock://doomed.t/y?time=30")])
    service.await_states(job_id, "ACTIVE ACTIVE")
    ban = {"storage": "mock://doomed.t", "status": "CANCEL"}
    assert service.client.post("/ban/se", json=ban).json() == [job_id]
    assert service.states(job_id) == "CANCELED CANCELED"
    assert service.job(job_id)["files"][0]["reason"] == "Storage banned"
    service.client.delete("/ban/se?storage=mock://doomed.t")


def test_a_waiting_ban_holds_files_and_lets_them_go_again(
    new_service: Callable[..., Service],
) -> None:
    service = new_service(workers=1)
    blocker = service.submit([entry(A, "mock://other.t/y?size_post=5&time=30")])
    service.await_states(blocker, "ACTIVE ACTIVE")
    held = service.submit([entry(A, "mock://held.t/y?size_post=5&time=0")])
    ban = {"storage": "mock://held.t", "status": "WAIT"}
    assert service.client.post("/ban/se", json=ban).json() == [held]
    assert service.states(held) == "SUBMITTED ON_HOLD"
    service.client.delete(f"/jobs/{blocker}")
    service.client.delete("/ban/se?storage=mock://held.t")
    service.await_states(held, "FINISHED FINISHED")


def test_storage_settings_are_kept_and_shown_as_json_only_on_request(service: Service) -> None:
    settings = {"mock://cfg.t": {"se_info": {"inbound_max_active": 7}}}
    answer = service.client.post("/config/se", json=settings)
    assert answer.json() == [{"storage": "mock://cfg.t", "inbound_max_active": 7}, {}]
    limits = {"mock://cfg.t": {"operations": {"dltest": {"staging": 3}}}}
    assert service.client.post("/config/se", json=limits).json() == [
        None,
        {"dltest": {"staging": 3}},
    ]
    page = service.client.get("/config/se?se=mock://cfg.t", headers={"accept": "*/*"})
    assert page.headers["content-type"].startswith("text/html")
    shown = service.client.get(
        "/config/se?se=mock://cfg.t", headers={"accept": "application/json"}
    ).json()
    assert shown["mock://cfg.t"]["se_info"]["inbound_max_active"] == 7
    assert shown["mock://cfg.t"]["operations"] == {"dltest": {"staging": 3}}
    assert service.client.delete("/config/se?se=mock://cfg.t").status_code == 204
