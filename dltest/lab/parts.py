"""The parts of a lab, as data: what each runs, when it is ready, and what it waits for."""

import json
import shutil
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from dltest.errors import LabError
from dltest.lab import postgres, probe, rucio_server, scitokens, storage
from dltest.lab.alteration import HEALTHY, Alteration
from dltest.lab.authority import Authority
from dltest.lab.daemons import DAEMONS, Daemon
from dltest.lab.description import Lab
from dltest.lab.identity import nodes
from dltest.lab.layout import write_atomically

NURSERY = "rucio-daemons"
# They live on connections to Rucio's database; what they are forked from needs it to start.
NEED_DATABASE = frozenset({"rucio", *(daemon.name for daemon in DAEMONS)})
START_WITH_DATABASE = NEED_DATABASE | {NURSERY}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _nothing() -> None:
    pass


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Part:
    """One server, set-up task or daemon.

    A task is a part with a fingerprint: it is done when it has exited with 0, and is not run
    again while its fingerprint stays the same. A part with a `daemon` is forked by the nursery
    instead of started by `command`.
    """

    name: str
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = "."
    prepare: Callable[[], None] = _nothing
    is_ready: Callable[[], bool] = _always
    after: tuple[str, ...] = ()
    port: int | None = None
    stop_signal: int = signal.SIGTERM
    start_seconds: float = 90.0
    fingerprint: str | None = None
    daemon: Daemon | None = None


def lake_parts(lab: Lab) -> tuple[Part, ...]:
    """Everything but dltest itself, in the order in which people like to read it."""
    return (
        *_stores(lab),
        *(_whole_storage(lab, element) for element in storage.ELEMENTS),
        *(_identity_node(lab, node) for node in nodes.NODES),
        _balancer(lab),
        _transfers(lab),
        *_rucio(lab),
        *(_daemon(lab, daemon) for daemon in DAEMONS),
    )


def service_parts(lab: Lab) -> tuple[Part, ...]:
    """Dltest's own service: workers, beat, and the web pages with the metrics."""
    port = lab.ports["web"]
    where = ("--lab", str(lab.root))
    return (
        _dltest(lab, "worker-control", "worker", *where, "--queues", "control"),
        _dltest(lab, "worker-transfer", "worker", *where, "--queues", "transfer"),
        _dltest(lab, "beat", "beat", *where),
        _dltest(
            lab,
            *("web", "serve", *where, "--host", "127.0.0.1", "--port", str(port)),
            port=port,
            is_ready=partial(probe.answers, port, "/health"),
        ),
    )


def altered(lab: Lab, part: Part, alteration: Alteration) -> Part:
    """The part as it is when it runs otherwise than it should; not altered, it is itself."""
    if not alteration:
        return part
    if part.name == "transfers":
        part = _transfers(lab, alteration)
    elif part.name in {element.rse for element in storage.ELEMENTS}:
        return _whole_storage(lab, storage.element(part.name), alteration)
    elif part.name == "rucio":
        part = _rucio_server(lab, alteration)
    elif part.name in nodes.NODES:
        part = _identity_node(lab, part.name, alteration)
    elif part.name == nodes.BALANCER:
        part = _balancer(lab, alteration)
    else:
        raise LabError(f"{part.name} can be down or hung, and not be altered")
    return _behind_front(lab, part, alteration) if alteration.manners else part


def _behind_front(
    lab: Lab, part: Part, alteration: Alteration, element: storage.StorageElement | None = None
) -> Part:
    """The same server on another port, and on its own a front with these manners."""
    authority = Authority(lab.layout.authority)
    file = lab.layout.etc / f"front-{part.name}.json"
    certificate, key = authority.host(alteration.settings.get("certificate"))
    config = {
        "port": lab.ports[part.name],
        "behind": lab.ports[storage.behind(part.name)],
        "certificate": str(certificate),
        "key": str(key),
        "manners": dict(alteration.manners),
        **_gate(lab, element),
        "command": part.command,
        "environment": dict(part.environment),
        "signal": int(part.stop_signal),
    }

    def prepare() -> None:
        part.prepare()
        write_atomically(file, json.dumps(config))

    return replace(
        part,
        command=(str(lab.dltest_python), "-m", "dltest.lab.front", str(file)),
        environment=dltest_environment(lab),
        prepare=prepare,
    )


def _gate(lab: Lab, element: storage.StorageElement | None) -> dict[str, Any]:
    """Where the front listens, and how it sees to the tokens of a storage that wants some."""
    if element is None or not element.kind.wants_tokens:
        return {"host": "127.0.0.1"}
    gate = {
        "keys": str(lab.layout.identity),
        "audience": element.host,
        "base_path": scitokens.BASE_PATH,
    }
    return {"host": element.host, "gate": gate}


def base_environment(lab: Lab) -> dict[str, str]:
    """What every process of the lab gets; `DLTEST_LAB` marks it as one."""
    return {
        "PATH": PATH,
        "HOME": str(lab.root / "home"),
        "TMPDIR": str(lab.root / "tmp"),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "DLTEST_LAB": str(lab.root),
        "PYTHONUNBUFFERED": "1",
    }


def dltest_environment(lab: Lab) -> dict[str, str]:
    """For processes that run dltest itself, from where the lab's user can read it."""
    return {"PYTHONPATH": str(lab.code)}


def _stores(lab: Lab) -> tuple[Part, ...]:
    database = lab.layout.database
    redis = lab.root / "redis"
    ports = lab.ports
    return (
        Part(
            "postgres-files",
            postgres.create_command(lab),
            prepare=partial(_remove_tree, database),
            fingerprint="1",
        ),
        Part(
            "postgres",
            postgres.command(lab),
            folder="postgres",
            prepare=partial((database / "postmaster.pid").unlink, missing_ok=True),
            is_ready=partial(probe.postgres_ready, database),
            after=("postgres-files",),
            port=ports["postgres"],
            # Fast shutdown: does not wait for clients to leave.
            stop_signal=signal.SIGINT,
        ),
        Part(
            "redis",
            ("redis-server", str(redis / "redis.conf")),
            folder="redis",
            prepare=partial(write_atomically, redis / "redis.conf", _redis(redis, ports["redis"])),
            is_ready=partial(probe.redis_answers, ports["redis"]),
            port=ports["redis"],
        ),
    )


def _redis(folder: Path, port: int) -> str:
    return (
        f"port {port}\nbind 127.0.0.1\ndir {folder}\nappendonly yes\nsave ''\n"
        "maxmemory-policy noeviction\nappendfsync everysec\n"
    )


def _port(lab: Lab, part: str, alteration: Alteration) -> int:
    """Where the server itself listens."""
    return lab.ports[storage.behind(part) if alteration.manners else part]


def _whole_storage(
    lab: Lab, element: storage.StorageElement, alteration: Alteration = HEALTHY
) -> Part:
    """The storage, behind a front where something has to stand before it."""
    part = _storage(lab, element, alteration)
    if alteration.manners or element.kind.wants_tokens:
        return _behind_front(lab, part, alteration, element)
    return part


def _storage(lab: Lab, element: storage.StorageElement, alteration: Alteration) -> Part:
    port = storage.own_port(lab, element, alteration)
    return Part(
        element.rse,
        storage.command(lab, element),
        storage.server_environment(lab, element),
        folder=f"storage/{element.rse}",
        prepare=partial(storage.prepare, lab, element, alteration),
        # Without authorisation to list, any answer shows that it speaks HTTP.
        is_ready=partial(probe.answers, port, storage.PREFIX, None),
        port=lab.ports[element.rse],
    )


def _identity_node(lab: Lab, node: str, alteration: Alteration = HEALTHY) -> Part:
    port = lab.ports[node]
    return Part(
        node,
        nodes.node_command(lab, node),
        dltest_environment(lab),
        folder="identity",
        prepare=partial(nodes.prepare, lab, node, alteration),
        is_ready=partial(probe.answers, port, nodes.DISCOVERY, tls=True),
        port=port,
    )


def _balancer(lab: Lab, alteration: Alteration = HEALTHY) -> Part:
    port = _port(lab, nodes.BALANCER, alteration)
    return Part(
        nodes.BALANCER,
        nodes.balancer_command(lab, port),
        dltest_environment(lab),
        folder="identity",
        is_ready=partial(probe.listens, port),
        port=lab.ports[nodes.BALANCER],
    )


def _transfers(lab: Lab, alteration: Alteration = HEALTHY) -> Part:
    port = _port(lab, "transfers", alteration)
    file = lab.layout.etc / "transfers.json"
    authority = Authority(lab.layout.authority)
    settings = {
        "host": "127.0.0.1",
        "port": port,
        "state_dir": str(lab.root / "transfers"),
        "ca_file": str(authority.certificate),
        "ca_dir": str(authority.folder),
        "log_file": str(lab.layout.log("transfers")),
        "tls_port": lab.ports["transfers-tls"],
        "certificate": str(authority.host_certificate),
        "key": str(authority.host_key),
        "issuer": nodes.issuer(lab),
        "client_id": nodes.TRANSFERS,
        "client_secret": lab.passwords[nodes.secret_of(nodes.TRANSFERS)],
        **alteration.settings,
    }
    return Part(
        "transfers",
        (str(lab.dltest_python), "-m", "dltest.lab.transfer_service", "--config", str(file)),
        dltest_environment(lab),
        folder="transfers",
        prepare=partial(write_atomically, file, json.dumps(settings), mode=0o600),
        is_ready=partial(probe.answers, port, "/"),
        port=lab.ports["transfers"],
    )


def _rucio(lab: Lab) -> tuple[Part, ...]:
    environment = rucio_server.environment(lab)
    request = json.dumps(rucio_server.lake_request(lab), sort_keys=True)
    return (
        Part(
            "rucio-schema",
            rucio_server.schema_command(lab),
            environment,
            prepare=partial(rucio_server.write_configuration, lab),
            after=("postgres",),
            fingerprint=lab.release,
        ),
        _rucio_server(lab),
        Part(
            "rucio-lake",
            rucio_server.lake_command(lab),
            environment | {"RUCIO_CLIENT_MODE": "1"},
            prepare=partial(rucio_server.write_lake_request, lab),
            after=("rucio",),
            fingerprint=request,
        ),
        Part(
            NURSERY,
            rucio_server.nursery_command(lab, 0),
            environment,
            prepare=partial(rucio_server.write_nursery_plan, lab),
            is_ready=rucio_server.nursery_mark(lab).exists,
            after=("rucio-schema",),
        ),
    )


def _rucio_server(lab: Lab, alteration: Alteration = HEALTHY) -> Part:
    port = _port(lab, "rucio", alteration)
    return Part(
        "rucio",
        rucio_server.command(lab, port),
        rucio_server.environment(lab),
        prepare=partial(rucio_server.write_configuration, lab),
        is_ready=partial(probe.answers, port, "/ping"),
        after=("rucio-schema",),
        port=lab.ports["rucio"],
        # Quick shutdown: does not wait for idle connections.
        stop_signal=signal.SIGQUIT,
    )


def _daemon(lab: Lab, daemon: Daemon) -> Part:
    """After the token issuer: Rucio reads what it says of itself once, and never again.

    A daemon that found no issuer then has no tokens until it is started anew
    (`rucio.core.oidc.request_token`, up to release 41.5.1 at least).
    """
    return Part(
        daemon.name,
        is_ready=(lab.layout.rounds / daemon.name).exists,
        after=(NURSERY, "rucio-lake", *nodes.NODES, nodes.BALANCER),
        daemon=daemon,
    )


def _dltest(
    lab: Lab,
    name: str,
    *arguments: str,
    port: int | None = None,
    is_ready: Callable[[], bool] = _always,
) -> Part:
    return Part(
        name,
        (str(lab.dltest_python), "-m", "dltest.cli.main", *arguments),
        dltest_environment(lab) | storage.environment(lab),
        is_ready=is_ready,
        after=("rucio-lake", "redis", "transfers"),
        port=port,
    )


def _remove_tree(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
