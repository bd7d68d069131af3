"""What there is to know of a lab, for people and for tests."""

from pathlib import Path
from typing import Any

from dltest.lab import rucio_server, storage
from dltest.lab.authority import Authority
from dltest.lab.census import MIB, lab_processes, pss_bytes
from dltest.lab.control import is_running
from dltest.lab.description import Lab, PartSeen, State, Wish, read_lab
from dltest.lab.identity import nodes
from dltest.lab.postgres import database_url


def status(asked: Path) -> dict[str, Any] | None:
    """The lab in JSON's types, or nothing where there is no lab."""
    lab = read_lab(asked)
    if lab is None:
        return None
    running = is_running(lab.layout)
    state = State.read(lab.layout.state) if running else None
    wish = Wish.read(lab.layout.wish) or Wish()
    return {
        "ready": bool(state and state.is_ready and not wish.broken),
        "supervised": running,
        "dir": str(asked.absolute()),
        "root": str(lab.root),
        "broken": [thing.model_dump(mode="json") for thing in wish.broken],
        "rucio_version": lab.release,
        "parts": _parts(state),
        "left_over_processes": [] if running else sorted(lab_processes(lab.root)),
        "endpoints": _endpoints(lab, state),
        "rses": [_rse(lab, one, state) for one in storage.ELEMENTS],
        "credentials": _credentials(lab),
        "lake_file": str(lab.layout.lake_file),
        "trouble": state.trouble if state else None,
    }


def _parts(state: State | None) -> list[dict[str, Any]]:
    parts = state.parts if state else ()
    memory = pss_bytes({part.name: part.pid for part in parts if part.pid is not None})
    return [_part(part, memory.get(part.name)) for part in parts]


def _part(part: PartSeen, pss: int | None) -> dict[str, Any]:
    return {
        "name": part.name,
        "state": part.state,
        "pid": part.pid,
        "port": part.port,
        "log": str(part.log),
        "restarts": part.restarts,
        "pss_mib": None if pss is None else round(pss / MIB, 1),
        "message": part.message,
    }


def _endpoints(lab: Lab, state: State | None) -> dict[str, str | None]:
    web = lab.url("web") if state and state.service else None
    return {
        "rucio": lab.url("rucio"),
        "identity": nodes.issuer(lab),
        "transfers": lab.url("transfers"),
        "redis": f"redis://127.0.0.1:{lab.ports['redis']}/0",
        "database": database_url(lab, "dltest"),
        "rucio_database": database_url(lab, "rucio"),
        "web": web,
        "metrics": f"{web}/metrics" if web else None,
    }


def _rse(lab: Lab, one: storage.StorageElement, state: State | None) -> dict[str, Any]:
    part = state.part(one.rse) if state else None
    return {
        "name": one.rse,
        "site": one.site,
        "kind": one.kind.title,
        "pid": part.pid if part else None,
        "port": lab.ports[one.rse],
        "folder": str(storage.files_folder(lab, one.rse)),
        "protocols": storage.protocols(lab, one.rse),
        "attributes": one.all_attributes,
    }


def _credentials(lab: Lab) -> dict[str, Any]:
    authority = Authority(lab.layout.authority)
    return {
        "accounts": {
            "root": {"username": "root", "password": lab.passwords["root"]},
            rucio_server.ACCOUNT: {
                "username": rucio_server.ACCOUNT,
                "password": lab.passwords["dltest"],
            },
        },
        "clients": {
            client: {"client_id": client, "client_secret": lab.passwords[nodes.secret_of(client)]}
            for client in nodes.CLIENTS
        },
        "users": {nodes.USER: {"password": lab.passwords[nodes.USER]}},
        "scope": rucio_server.SCOPE,
        "ca_file": str(authority.certificate),
        "ca_dir": str(authority.folder),
        "host_certificate": str(authority.host_certificate),
    }
