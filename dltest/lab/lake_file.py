"""Writes `lake.yaml`, by which dltest's adapters find and enter the lab's lake."""

import json

from dltest.lab import rucio_server, storage
from dltest.lab.authority import Authority
from dltest.lab.description import Lab
from dltest.lab.identity import nodes
from dltest.lab.layout import write_atomically
from dltest.lab.postgres import database_url


def write_lake_file(lab: Lab) -> None:
    """Readable by the lab's owner only, since it holds a password."""
    lines = ["# Written by `dltest lab up`; changes are lost."]
    for key, value in lake_settings(lab).items():
        # JSON is YAML: every value stands on one line, quoted without doubt.
        lines.append(f"{key}: {json.dumps(value)}")
    write_atomically(lab.layout.lake_file, "\n".join(lines) + "\n", mode=0o600)


def lake_settings(lab: Lab) -> dict[str, object]:
    authority = Authority(lab.layout.authority)
    return {
        "name": "lab",
        "rucio": {
            "url": lab.url("rucio"),
            "auth-url": lab.url("rucio"),
            "account": rucio_server.ACCOUNT,
            "auth-type": "userpass",
            "username": rucio_server.ACCOUNT,
            "password": lab.passwords["dltest"],
            "scope": rucio_server.SCOPE,
            "operator": {
                "account": "root",
                "username": "root",
                "password": lab.passwords["root"],
            },
            "stranger": {
                "account": rucio_server.STRANGER,
                "username": rucio_server.STRANGER,
                "password": lab.passwords[rucio_server.STRANGER],
            },
        },
        "storage": {
            "ca-file": str(authority.certificate),
            "ca-dir": str(authority.folder),
            # Any bearer makes XRootD's third-party copy real instead of streamed.
            "bearer": "anonymous",
            "environment": storage.CLIENT_PATIENCE,
            "disks": {one.rse: str(storage.export(lab, one.rse)) for one in storage.ELEMENTS},
        },
        "identity": {
            "issuer": nodes.issuer(lab),
            "nodes": [f"https://localhost:{lab.ports[node]}/" for node in nodes.NODES],
            "client-id": nodes.DLTEST,
            "client-secret": lab.passwords[nodes.secret_of(nodes.DLTEST)],
            "audience": rucio_server.AUDIENCE,
            "ca-file": str(authority.certificate),
        },
        "database": database_url(lab, "dltest"),
        "broker": f"redis://127.0.0.1:{lab.ports['redis']}/0",
        "web": lab.url("web"),
        "lab": str(lab.root),
        "rses": [
            {"name": one.rse, "site": one.site, "attributes": one.all_attributes}
            for one in storage.ELEMENTS
        ],
    }
