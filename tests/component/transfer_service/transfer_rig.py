"""What the tests of the transfer service are played with: an instance, storage elements."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx2

PATIENCE_SECONDS = 60.0
FINAL = {"FINISHED", "FAILED", "FINISHEDDIRTY", "CANCELED"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_condition(condition: Callable[[], Any], what: str) -> Any:
    """What the condition gives once it is true."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {PATIENCE_SECONDS} s: {what}")


def entry(source: str | list[str], destination: str, **more: Any) -> dict[str, Any]:
    sources = source if isinstance(source, list) else [source]
    return {"sources": sources, "destinations": [destination], **more}


@dataclass
class Service:
    """One instance and its HTTP client; may be killed and started again on the same state."""

    folder: Path
    settings: dict[str, Any]
    process: subprocess.Popen[bytes] | None = None
    client: httpx2.Client = field(init=False)

    def start(self) -> None:
        file = self.folder / "config.json"
        file.write_text(json.dumps(self.settings))
        command = [sys.executable, "-m", "dltest.lab.transfer_service", "--config", str(file)]
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output)
        self.client = httpx2.Client(
            base_url=f"http://127.0.0.1:{self.settings['port']}", timeout=10
        )
        await_condition(self.answers, f"the service answers; see {self.folder}/output")

    def answers(self) -> bool:
        assert self.process
        assert self.process.poll() is None, (self.folder / "output").read_text()
        try:
            return self.client.get("/health").status_code == 200
        except httpx2.TransportError:
            return False

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()
        self.client.close()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=PATIENCE_SECONDS)
        self.client.close()

    def log(self) -> str:
        return Path(self.settings["log_file"]).read_text()

    # -- as a client ---------------------------------------------------------------------

    def submit(self, files: list[dict[str, Any]], **params: Any) -> str:
        answer = self.client.post("/jobs", json={"files": files, "params": params})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["job_id"])

    def job(self, job_id: str) -> dict[str, Any]:
        names = "file_state,reason,retry,filesize,file_metadata,start_time,finish_time,pid"
        job: dict[str, Any] = self.client.get(f"/jobs/{job_id}", params={"files": names}).json()
        return job

    def states(self, job_id: str) -> str:
        """`JOB FILE/FILE...`, as in FTS's own traces."""
        job = self.job(job_id)
        return f"{job['job_state']} {'/'.join(file['file_state'] for file in job['files'])}"

    def await_states(self, job_id: str, wanted: str) -> None:
        try:
            await_condition(lambda: self.states(job_id) == wanted, wanted)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.states(job_id)}") from error

    def await_end(self, job_id: str) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            job = self.job(job_id)
            return job if job["job_state"] in FINAL else None

        job: dict[str, Any] = await_condition(ended, f"the end of job {job_id}")
        return job

    def run(self, files: list[dict[str, Any]], **params: Any) -> tuple[str, list[str]]:
        """Submit and await; the final states and the files' reasons."""
        job_id = self.submit(files, **params)
        job = self.await_end(job_id)
        return self.states(job_id), [file["reason"] for file in job["files"]]

    def copying_pids(self) -> set[int]:
        """The copying processes: children of the service's child."""
        assert self.process
        (nursery,) = children_of(self.process.pid)
        return children_of(nursery)


def children_of(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


SERVER_CONFIGURATION = """\
xrd.port {port}
all.sitename {name}
all.adminpath {home}/admin
all.pidpath {home}/run
oss.localroot {home}/data
all.export /
ofs.authorize 1
acc.authdb {home}/authdb
xrd.tls {home}/host.pem {home}/host.key
xrd.tlsca certdir {certificates}
xrootd.chksum max 2 adler32
ofs.tpc ttl 60 60 xfr 20 streams 4 autorm pgm /usr/bin/xrdcp --server
xrd.protocol http:{port} libXrdHttp.so
http.cadir {certificates}
http.header2cgi Authorization authz
http.listingdeny no
"""
HTTP_THIRD_PARTY = "http.exthandler xrdtpc libXrdHttpTPC.so"


@dataclass
class Storage:
    """An XRootD storage element with root:// and davs:// on one port, and its disk."""

    home: Path
    port: int
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        name = self.home.name
        user = "xrootd" if os.geteuid() == 0 else None  # it refuses to run as root
        with (self.home / "log").open("ab") as log:
            self.process = self._spawn(name, user, log)
        await_condition(self._listens, f"{name} listens; see {self.home}/log")

    def _spawn(self, name: str, user: str | None, log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                *("xrootd", "-I", "v4", "-c", str(self.home / "xrootd.cfg"), "-n", name),
                # Without a pid file, the file of its environment stays in /tmp.
                *("-s", str(self.home / "xrootd.pid")),
            ],
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=self.environment,
            user=user,
            group=user,
            cwd=self.home,
        )

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """Hung: it neither answers nor refuses."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def davs(self, path: str) -> str:
        return f"davs://localhost:{self.port}/{path}"

    def root(self, path: str) -> str:
        return f"root://localhost:{self.port}//{path}"

    def disk(self, path: str) -> Path:
        return self.home / "data" / path

    def put(self, path: str, content: bytes) -> str:
        """Laid on its disk; the ADLER32 as a submission names it."""
        file = self.disk(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        give_to_server(self.home / "data")
        return f"ADLER32:{zlib.adler32(content):08x}"


def give_to_server(folder: Path) -> None:
    if os.geteuid() != 0:
        return
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, "xrootd", "xrootd")
