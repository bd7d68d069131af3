"""A job's folder is its own, and gone with it, however its maker ends."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dltest.lake.storage import spool
from dltest.lake.storage.spool import remove_stale, spool_folder

TOO_MUCH = 1 << 60

HOLDER = f"""
import sys
from pathlib import Path
from dltest.lake.storage.spool import spool_folder
with spool_folder(Path(sys.argv[1]), {TOO_MUCH}) as folder:
    (folder / "file").write_text("left behind")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def killed_folder(tmp_path: Path) -> Path:
    """A folder whose maker was killed while it held it."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        folder = Path(holder.stdout.readline().strip())
        remove_stale(tmp_path)
        assert (folder / "file").exists(), "a held folder is not stale"
        os.kill(holder.pid, signal.SIGKILL)
    return folder


def test_a_folder_goes_with_its_job(tmp_path: Path) -> None:
    with spool_folder(tmp_path, TOO_MUCH) as folder:
        (folder / "file").write_text("x")
        assert folder.stat().st_mode & 0o77 == 0
        assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_folder_goes_with_a_job_that_failed(tmp_path: Path) -> None:
    def fail() -> None:
        with spool_folder(tmp_path, TOO_MUCH) as folder:
            (folder / "file").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_a_killed_process_goes_with_the_next_job(
    killed_folder: Path, tmp_path: Path
) -> None:
    assert killed_folder.exists()
    with spool_folder(tmp_path, TOO_MUCH):
        assert not killed_folder.exists()


def test_files_that_fit_pass_through_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(spool, "MEMORY", memory)
    with spool_folder(tmp_path / "disk", 1000) as folder:
        assert memory in folder.parents
    with spool_folder(tmp_path / "disk", TOO_MUCH) as folder:
        assert tmp_path / "disk" in folder.parents


def test_a_memory_folder_that_others_may_enter_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "MEMORY", tmp_path)
    spool.memory_root().mkdir(mode=0o777)
    spool.memory_root().chmod(0o777)
    with spool_folder(tmp_path / "disk", 1000) as folder:
        assert tmp_path / "disk" in folder.parents


def test_jobs_that_begin_and_end_together_do_not_take_each_other_s_folders(tmp_path: Path) -> None:
    def use_folders(job: int) -> int:
        for _ in range(100):
            with spool_folder(tmp_path, TOO_MUCH) as folder:
                (folder / "file").write_text(str(job))
        return job

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(use_folders, range(4))) == [0, 1, 2, 3]
    assert list(tmp_path.iterdir()) == []
