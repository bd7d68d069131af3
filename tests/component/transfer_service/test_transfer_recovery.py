"""The service and its copying processes die, in every order; nothing is lost or left behind."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable

from transfer_rig import Service, Storage, alive, await_condition, children_of, entry

SOURCE = "mock://a.t/x?size=10"
SLOW = "mock://b.t/slow?size_post=10&time=2"


def quick(name: str) -> str:
    return f"mock://b.t/{name}?size_post=10&time=0"


def test_a_killed_service_goes_on_where_it_stood(new_service: Callable[..., Service]) -> None:
    service = new_service(workers=1)
    done = service.submit([entry(SOURCE, quick("done"))])
    service.await_states(done, "FINISHED FINISHED")
    running = service.submit([entry(SOURCE, SLOW)])
    waiting = service.submit([entry(SOURCE, quick("waiting"))])
    service.await_states(running, "ACTIVE ACTIVE")
    service.kill()
    service.start()
    assert service.states(done) == "FINISHED FINISHED"
    for job_id in (running, waiting):
        service.await_states(job_id, "FINISHED FINISHED")
    assert service.job(running)["files"][0]["retry"] == 0


def test_a_killed_service_takes_tape_up_again(new_service: Callable[..., Service]) -> None:
    service = new_service()
    source = "mock://a.t/tape?size=10&staging_time=2"
    staged = service.submit([entry(source, quick("staged"))], bring_online=60)
    archived = service.submit(
        [entry(SOURCE, "mock://b.t/arch?size_post=10&time=0&archiving_time=2")],
        archive_timeout=60,
    )
    service.await_states(staged, "STAGING STARTED")
    service.await_states(archived, "ARCHIVING ARCHIVING")
    service.kill()
    service.start()
    service.await_states(staged, "FINISHED FINISHED")
    service.await_states(archived, "FINISHED FINISHED")


def test_a_retry_waits_for_its_time_over_a_restart(new_service: Callable[..., Service]) -> None:
    service = new_service()
    broken = "mock://b.t/broken?size_post=10&time=1&transfer_errno=5"
    job_id = service.submit([entry(SOURCE, broken)], retry=1, retry_delay=3)
    service.await_states(job_id, "ACTIVE SUBMITTED")
    service.kill()
    service.start()
    assert service.states(job_id) == "ACTIVE SUBMITTED"
    assert service.await_end(job_id)["files"][0]["retry"] == 1


def test_no_process_outlives_a_killed_service(new_service: Callable[..., Service]) -> None:
    service = new_service()
    assert service.process
    service.await_states(service.submit([entry(SOURCE, SLOW)]), "ACTIVE ACTIVE")
    family = {*children_of(service.process.pid), *service.copying_pids()}
    assert len(family) == 5
    service.kill()
    await_condition(lambda: not any(map(alive, family)), "all copying processes are gone")


def test_no_process_outlives_a_stopped_service(new_service: Callable[..., Service]) -> None:
    service = new_service()
    assert service.process
    service.await_states(service.submit([entry(SOURCE, SLOW)]), "ACTIVE ACTIVE")
    family = {*children_of(service.process.pid), *service.copying_pids()}
    service.stop()
    assert service.process.returncode in {0, -signal.SIGTERM}
    await_condition(lambda: not any(map(alive, family)), "all copying processes are gone")


def test_a_died_copying_process_fails_its_file_and_is_replaced(
    new_service: Callable[..., Service],
) -> None:
    service = new_service(workers=1)
    job_id = service.submit([entry(SOURCE, SLOW)])
    service.await_states(job_id, "ACTIVE ACTIVE")
    os.kill(service.job(job_id)["files"][0]["pid"], signal.SIGKILL)
    (file,) = service.await_end(job_id)["files"]
    assert file["reason"] == "GENERAL_FAILURE [4] Transfer process died unexpectedly"
    assert service.run([entry(SOURCE, quick("next"))])[0] == "FINISHED FINISHED"


def test_without_its_nursery_the_service_ends(new_service: Callable[..., Service]) -> None:
    service = new_service()
    assert service.process
    (nursery,) = children_of(service.process.pid)
    os.kill(nursery, signal.SIGKILL)
    service.process.wait(timeout=20)
    assert "the scheduler fell" in service.log()


def test_a_copy_cut_off_with_the_service_is_done_again_over_its_own_rest(
    new_service: Callable[..., Service], slow: Storage, there: Storage
) -> None:
    service = new_service()
    path, content = uuid.uuid4().hex, os.urandom(4 << 20)
    slow.put(path, content)
    there.put(f"{path}-full", b"of another")
    files = [
        entry(slow.davs(path), there.davs(path)),
        entry(slow.davs(path), there.davs(f"{path}-full")),
    ]
    job_id = service.submit(files)
    await_condition(there.disk(path).exists, "the copy writes")
    service.kill()
    there.put(path, b"what the killed copy left")
    service.start()
    service.await_states(job_id, "FINISHEDDIRTY FINISHED/FAILED")
    assert there.disk(path).read_bytes() == content
    assert there.disk(f"{path}-full").read_bytes() == b"of another"


def test_old_jobs_are_forgotten(new_service: Callable[..., Service]) -> None:
    service = new_service(keep_seconds=0)
    job_id = service.submit([entry(SOURCE, quick("old"))])
    service.await_states(job_id, "FINISHED FINISHED")
    service.kill()
    service.start()
    await_condition(
        lambda: service.client.get(f"/jobs/{job_id}").status_code == 404, "it is forgotten"
    )


def test_a_taken_port_is_said_in_one_sentence(service: Service) -> None:
    command = [sys.executable, "-m", "dltest.lab.transfer_service", "--config"]
    second = subprocess.run(
        [*command, str(service.folder / "config.json")],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert second.returncode == 1
    port = service.settings["port"]
    assert second.stderr == (
        f"the transfer service cannot listen on 127.0.0.1:{port}: Address already in use\n"
    )


def test_a_wrong_configuration_is_said_in_one_sentence() -> None:
    command = [sys.executable, "-m", "dltest.lab.transfer_service", "--config", "/nowhere.json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert "/nowhere.json" in done.stderr
    assert done.stderr.count("\n") == 1
