"""The lab's issuer without a lab: its real nodes and balancer, whose processes tests may end."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dltest
from dltest.lab import probe
from dltest.lab.alteration import HEALTHY, Alteration
from dltest.lab.authority import Authority
from dltest.lab.description import Lab
from dltest.lab.identity import nodes
from dltest.lab.port import assign
from dltest.settings import IdentitySettings

START_SECONDS = 30.0


@dataclass
class Rig:
    """Node by node; `alter` starts one anew, otherwise than it should be."""

    lab: Lab
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    altered: set[str] = field(default_factory=set)

    def settings(self, **changes: Any) -> IdentitySettings:
        given: dict[str, Any] = {
            "issuer": nodes.issuer(self.lab),
            "nodes": tuple(self.url(node) for node in nodes.NODES),
            "client_id": nodes.DLTEST,
            "client_secret": self.lab.passwords[nodes.secret_of(nodes.DLTEST)],
            "ca_file": Authority(self.lab.layout.authority).certificate,
        }
        return IdentitySettings(**{**given, **changes})

    def url(self, node: str) -> str:
        return f"https://localhost:{self.lab.ports[node]}/"

    def start(self) -> None:
        for node in nodes.NODES:
            self._begin(node)
        port = self.lab.ports[nodes.BALANCER]
        self._spawn(nodes.BALANCER, nodes.balancer_command(self.lab, port))
        self._await(lambda: probe.listens(port))
        for node in nodes.NODES:
            self._await_node(node)

    def alter(self, node: str, **settings: Any) -> None:
        self.kill(node)
        self.altered.add(node)
        self._begin(node, Alteration(settings=settings))
        self._await_node(node)

    def mend(self) -> None:
        """All nodes as they were at first."""
        sick = [node for node in nodes.NODES if node in self.altered or node not in self.running]
        self.altered.clear()
        self.kill(*sick)
        for node in sick:
            self._begin(node)
        for node in sick:
            self._await_node(node)

    def kill(self, *names: str) -> None:
        for name in names:
            if process := self.running.pop(name, None):
                process.kill()
                process.wait(10)

    def _begin(self, node: str, alteration: Alteration = HEALTHY) -> None:
        nodes.prepare(self.lab, node, alteration)
        self._spawn(node, nodes.node_command(self.lab, node))

    def _spawn(self, name: str, command: tuple[str, ...]) -> None:
        self.running[name] = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def _await_node(self, node: str) -> None:
        port = self.lab.ports[node]
        self._await(lambda: probe.answers(port, nodes.DISCOVERY, tls=True))

    def _await(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            assert time.monotonic() < deadline, "the issuer does not start"
            time.sleep(0.05)


@contextmanager
def issuer_rig(folder: Path) -> Iterator[Rig]:
    names = (nodes.BALANCER, *nodes.NODES, "rucio")
    secrets = (nodes.USER, *(nodes.secret_of(client) for client in nodes.CLIENTS))
    lab = Lab(
        root=folder,
        release="0",
        rucio_python=Path(sys.executable),
        dltest_python=Path(sys.executable),
        code=Path(dltest.__file__).parent.parent,
        ports=assign(names, {}, str(folder)),
        passwords={name: f"{name}-secret" for name in secrets},
    )
    for needed in lab.layout.folders():
        needed.mkdir(parents=True, exist_ok=True)
    Authority(lab.layout.authority).ensure()
    rig = Rig(lab)
    try:
        rig.start()
        yield rig
    finally:
        rig.kill(*rig.running)
