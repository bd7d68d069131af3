"""Bytes really move, storage to storage; what goes wrong is told in FTS's words and phase."""

import os
import uuid
from collections.abc import Callable

import pytest
from transfer_rig import Service, Storage, await_condition, entry, free_port

MIB = 1 << 20
WRONG = "ADLER32:00000001"


def anew() -> str:
    """A path nobody has used, in a folder that is not there yet."""
    return f"{uuid.uuid4().hex}/file"


@pytest.mark.parametrize("scheme", ["davs", "root"])
def test_the_bytes_arrive_whole_by_third_party_copy(
    service: Service, here: Storage, there: Storage, scheme: str
) -> None:
    path, content = anew(), os.urandom(MIB)
    checksum = here.put(path, content)
    source, destination = getattr(here, scheme)(path), getattr(there, scheme)(path)
    files = [entry(source, destination, checksum=checksum, filesize=MIB)]
    job_id = service.submit(files, verify_checksum="both")
    job = service.await_end(job_id)
    assert (job["job_state"], job["files"][0]["filesize"]) == ("FINISHED", MIB)
    assert there.disk(path).read_bytes() == content
    (line,) = [line for line in service.log().splitlines() if job_id in line]
    assert "transfer_type='3rd p" in line


@pytest.fixture(scope="module")
def passive(new_storage: Callable[..., Storage]) -> Storage:
    """Can be one end of a third-party copy, and drive none."""
    return new_storage("passive", third_party=False)


def test_where_neither_end_drives_a_copy_nothing_is_streamed(
    service: Service, passive: Storage
) -> None:
    path = anew()
    passive.put(path, b"stays")
    state, (reason,) = service.run([entry(passive.davs(path), passive.davs(f"{path}-2"))])
    assert state == "FAILED FAILED"
    assert reason.startswith("TRANSFER [")
    assert not passive.disk(f"{path}-2").exists()


def test_a_storage_that_cannot_pull_is_pushed_to(
    service: Service, here: Storage, passive: Storage
) -> None:
    path = anew()
    here.put(path, b"pushed")
    job_id = service.submit([entry(here.davs(path), passive.davs("pushed"))])
    assert service.await_end(job_id)["job_state"] == "FINISHED"
    assert passive.disk("pushed").read_bytes() == b"pushed"
    (line,) = [line for line in service.log().splitlines() if job_id in line]
    assert "transfer_type='3rd push'" in line


@pytest.mark.parametrize("pair", [("davs", "root"), ("root", "davs")])
def test_no_copy_streams_through_the_service(
    service: Service, here: Storage, there: Storage, pair: tuple[str, str]
) -> None:
    path = anew()
    here.put(path, b"mixed")
    files = [entry(getattr(here, pair[0])(path), getattr(there, pair[1])(path))]
    state, (reason,) = service.run(files)
    assert state == "FAILED FAILED"
    assert reason.startswith("TRANSFER [93] No plugin supports a transfer from ")
    assert not there.disk(path).exists()


@pytest.mark.parametrize(
    ("verify", "reason"),
    [
        (
            "both",
            "TRANSFER [5] SOURCE CHECKSUM MISMATCH Source and user-defined ADLER32 "
            "do not match (06bd0240 != 00000001)",
        ),
        (
            "source",
            "TRANSFER [5] SOURCE CHECKSUM MISMATCH Source and user-defined ADLER32 "
            "do not match (06bd0240 != 00000001)",
        ),
        (
            "target",
            "TRANSFER [5] DESTINATION CHECKSUM MISMATCH User-defined and destination ADLER32 "
            "do not match (00000001 != 06bd0240)",
        ),
    ],
)
def test_a_wrong_checksum_fails_the_file_and_leaves_nothing(
    service: Service, here: Storage, there: Storage, verify: str, reason: str
) -> None:
    path = anew()
    assert here.put(path, b"hello") != WRONG
    files = [entry(here.davs(path), there.davs(path), checksum=WRONG)]
    reason = reason.replace("06bd0240", here.put(path, b"hello").partition(":")[2])
    assert service.run(files, verify_checksum=verify) == ("FAILED FAILED", [reason])
    assert not there.disk(path).exists()


def test_without_verification_a_wrong_checksum_passes(
    service: Service, here: Storage, there: Storage
) -> None:
    path = anew()
    here.put(path, b"hello")
    files = [entry(here.davs(path), there.davs(path), checksum=WRONG)]
    assert service.run(files, verify_checksum="none")[0] == "FINISHED FINISHED"


def test_an_existing_destination_is_kept_unless_overwritten(
    service: Service, here: Storage, there: Storage
) -> None:
    path = anew()
    here.put(path, b"new")
    there.put(path, b"old")
    files = [entry(here.davs(path), there.davs(path))]
    assert service.run(files) == (
        "FAILED FAILED",
        ["DESTINATION [17] Destination file exists and overwrite is not enabled"],
    )
    assert there.disk(path).read_bytes() == b"old"
    assert service.run(files, overwrite=True)[0] == "FINISHED FINISHED"
    assert there.disk(path).read_bytes() == b"new"


def test_a_tape_destination_that_exists_is_described(
    service: Service, here: Storage, there: Storage
) -> None:
    path = anew()
    here.put(path, b"new")
    checksum = there.put(path, b"old file")
    files = [entry(here.root(path), there.root(path), metadata={"request_id": "q"})]
    job_id = service.submit(files, archive_timeout=60, dst_file_report=True)
    (file,) = service.await_end(job_id)["files"]
    assert file["reason"].startswith("DESTINATION [17]")
    assert file["file_metadata"]["request_id"] == "q"
    described = file["file_metadata"]["dst_file"]
    assert (described["file_size"], described["checksum_value"]) == (
        8,
        checksum.partition(":")[2],
    )


@pytest.mark.parametrize(
    ("scheme", "reason"),
    [
        ("davs", "SOURCE [2] Result HTTP 404 : File not found  after 1 attempts"),
        ("root", "SOURCE [2] Failed to stat file (No such file or directory)"),
    ],
)
def test_a_missing_source_is_named(
    service: Service, here: Storage, there: Storage, scheme: str, reason: str
) -> None:
    path = anew()
    files = [entry(getattr(here, scheme)(path), getattr(there, scheme)(path))]
    assert service.run(files) == ("FAILED FAILED", [reason])


def test_a_dead_end_is_named_by_its_side(service: Service, here: Storage, there: Storage) -> None:
    path = anew()
    here.put(path, b"waits")
    dead = f"davs://localhost:{free_port()}/nothing"
    words = "[112] Result Could not connect to server after 1 attempts"
    assert service.run([entry(dead, there.davs(path))])[1] == [f"SOURCE {words}"]
    assert service.run([entry(here.davs(path), dead)])[1] == [f"DESTINATION {words}"]


def test_a_hung_end_is_given_up_in_time_and_named_by_its_side(
    new_service: Callable[..., Service], here: Storage, new_storage: Callable[..., Storage]
) -> None:
    service = new_service(operation_seconds=1, workers=1)
    hung = new_storage("hung")
    path = anew()
    here.put(path, b"waits")
    hung.pause()
    words = "[110] Operation timed out (no answer within 1 seconds)"
    assert service.run([entry(here.davs(path), hung.davs(path))])[1] == [f"DESTINATION {words}"]
    assert service.run([entry(hung.root(path), here.root(anew()))])[1] == [f"SOURCE {words}"]
    hung.resume()
    assert service.run([entry(here.davs(path), hung.davs(path))])[0] == "FINISHED FINISHED"


def test_a_copy_that_stalls_is_ended(
    new_service: Callable[..., Service], there: Storage, slow: Storage
) -> None:
    service = new_service(stall_seconds=1.5, workers=1)
    path = anew()
    slow.put(path, os.urandom(16 * MIB))
    job_id = service.submit([entry(slow.davs(path), there.davs(path))])
    await_condition(there.disk(path).exists, "the copy writes")
    slow.pause()
    try:
        (file,) = service.await_end(job_id)["files"]
    finally:
        slow.resume()
    assert file["reason"] == "TRANSFER [110] Operation timed out (no bytes for 1.5 seconds)"


def test_a_cancelled_copy_leaves_nothing(service: Service, there: Storage, slow: Storage) -> None:
    path = anew()
    slow.put(path, os.urandom(16 * MIB))
    job_id = service.submit([entry(slow.davs(path), there.davs(path))])
    await_condition(there.disk(path).exists, "the copy writes")
    service.client.delete(f"/jobs/{job_id}")
    await_condition(lambda: service.job(job_id)["files"][0]["finish_time"], "the copy has ended")
    await_condition(lambda: not there.disk(path).exists(), "its rest is removed")


def copied(service: Service, here: Storage, there: Storage, count: int) -> None:
    """Copies so many small files in one job, and compares what arrived."""
    folder = uuid.uuid4().hex
    sums = [here.put(f"{folder}/{n}", os.urandom(1024)) for n in range(count)]
    files = [
        entry(here.davs(f"{folder}/{n}"), there.davs(f"{folder}/{n}"), checksum=checksum)
        for n, checksum in enumerate(sums)
    ]
    job = service.await_end(service.submit(files, verify_checksum="both"))
    assert job["job_state"] == "FINISHED", [one["reason"] for one in job["files"]]
    for n in range(count):
        assert there.disk(f"{folder}/{n}").read_bytes() == here.disk(f"{folder}/{n}").read_bytes()


def test_many_small_files_keep_the_copying_processes(
    service: Service, here: Storage, there: Storage
) -> None:
    before = service.copying_pids()
    copied(service, here, there, 40)
    assert service.copying_pids() == before


def test_a_storage_that_was_restarted_is_as_good_as_before(
    service: Service, new_storage: Callable[..., Storage], there: Storage
) -> None:
    """Nobody uses a connection to the server that is no more."""
    restarted = new_storage("restarted")
    copied(service, restarted, there, 10)
    restarted.kill()
    restarted.start()
    copied(service, restarted, there, 10)


def test_a_strict_copy_verifies_nothing_and_harms_no_server(
    service: Service, here: Storage, there: Storage
) -> None:
    path, folder = anew(), uuid.uuid4().hex
    here.put(path, b"strict")
    there.put(f"{folder}/other", b"")
    files = [entry(here.davs(path), there.davs(f"{folder}/file"), checksum=WRONG)]
    assert service.run(files, strict_copy=True, verify_checksum="both")[0] == "FINISHED FINISHED"
    assert there.disk(f"{folder}/file").read_bytes() == b"strict"
    for storage in (here, there):
        assert storage.process
        assert storage.process.poll() is None
