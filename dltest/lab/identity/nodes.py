"""The issuer as parts of a lab: its nodes, the balancer before them, and who is known to it."""

import json
from pathlib import Path
from typing import Any

from dltest.lab.alteration import HEALTHY, Alteration
from dltest.lab.authority import Authority
from dltest.lab.description import Lab
from dltest.lab.identity.keys import ensure_keys
from dltest.lab.layout import write_atomically

BALANCER = "identity"
NODES = ("identity-1", "identity-2")
# What Rucio calls the issuer.
VO = "dltest"
# Programs that get tokens by credentials of their own; each has its secret in `lab.json`.
DLTEST, RUCIO, TRANSFERS = CLIENTS = ("dltest", "rucio", "transfers")
USER = "physicist"
GROUPS = {
    DLTEST: ("/dltest", "/dltest/operators"),
    RUCIO: ("/dltest", "/dltest/rucio"),
    USER: ("/dltest",),
}
DISCOVERY = "/.well-known/openid-configuration"


def issuer(lab: Lab) -> str:
    """Its name; whoever verifies tokens compares it to the letter, with the slash at its end."""
    return f"https://localhost:{lab.ports[BALANCER]}/"


def secret_of(client: str) -> str:
    """By what name `lab.json` holds the client's secret."""
    return f"client-{client}"


def node_command(lab: Lab, node: str) -> tuple[str, ...]:
    return (str(lab.dltest_python), "-m", "dltest.lab.identity", str(_file(lab, node)))


def balancer_command(lab: Lab, port: int) -> tuple[str, ...]:
    ports = [str(one) for one in (port, *(lab.ports[node] for node in NODES))]
    return (str(lab.dltest_python), "-m", "dltest.lab.identity.balancer", *ports)


def prepare(lab: Lab, node: str, alteration: Alteration = HEALTHY) -> None:
    ensure_keys(lab.layout.identity)
    authority = Authority(lab.layout.authority)
    config = {
        "issuer": issuer(lab),
        "port": lab.ports[node],
        "folder": str(lab.layout.identity),
        "certificate": str(authority.host_certificate),
        "key": str(authority.host_key),
        "clients": [_client(lab, name) for name in CLIENTS],
        "users": [{"name": USER, "password": lab.passwords[USER], "groups": GROUPS[USER]}],
        **alteration.settings,
    }
    write_atomically(_file(lab, node), json.dumps(config), mode=0o600)


def rucio_secrets(lab: Lab) -> str:
    """What Rucio calls `idpsecrets`: as which client it comes to the issuer."""
    client = {
        "issuer": issuer(lab),
        "client_id": RUCIO,
        "client_secret": lab.passwords[secret_of(RUCIO)],
        "client_name": RUCIO,
        "redirect_uris": _redirects(lab),
        # Where dynamic registration would be; Rucio wants to be told of one.
        "registration_access_token": "none",
    }
    return json.dumps({VO: {**client, "SCIM": client}})


def _client(lab: Lab, name: str) -> dict[str, Any]:
    return {
        "client_id": name,
        "secret": lab.passwords[secret_of(name)],
        "groups": GROUPS.get(name, ()),
        "redirect_uris": _redirects(lab) if name == RUCIO else (),
    }


def _redirects(lab: Lab) -> list[str]:
    return [f"{lab.url('rucio')}/auth/{page}" for page in ("oidc_code", "oidc_token")]


def _file(lab: Lab, node: str) -> Path:
    return lab.layout.etc / f"{node}.json"
