"""Makes the lab's accounts, scope, RSEs, protocols, distances and limits in Rucio.

Takes one argument, a JSON file (see `dltest.lab.rucio_server.lake_request`). Can be repeated
at any time: what is there already is left, what is outdated (protocols) is replaced.
"""

import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rucio.client import Client
from rucio.common.exception import Duplicate, RSEProtocolNotSupported


def once(call: Callable[..., Any], *args: Any, **options: Any) -> None:
    """Call; that the thing exists already is fine."""
    with contextlib.suppress(Duplicate):
        call(*args, **options)


def connect(wanted: dict[str, Any]) -> Client:
    return Client(
        rucio_host=wanted["url"],
        auth_host=wanted["url"],
        account="root",
        auth_type="userpass",
        creds={"username": "root", "password": wanted["root_password"]},
    )


def make_account(client: Client, wanted: dict[str, Any]) -> None:
    name = wanted["account"]
    known = {account["account"] for account in client.list_accounts()}
    if name not in known:
        client.add_account(name, "SERVICE", "dltest@localhost")
    identities = {identity["identity"] for identity in client.list_identities(name)}
    if name not in identities:
        client.add_identity(name, name, "USERPASS", "dltest@localhost", password=wanted["password"])
    if wanted["oidc_identity"] not in identities:
        client.add_identity(name, wanted["oidc_identity"], "OIDC", "dltest@localhost", default=True)
    attributes = {item["key"] for item in next(client.list_account_attributes(name))}
    if "admin" not in attributes:
        client.add_account_attribute(name, "admin", "True")
    if wanted["scope"] not in client.list_scopes():
        client.add_scope(name, wanted["scope"])


def make_stranger(client: Client, wanted: dict[str, Any]) -> None:
    """An account with a password, and nothing else."""
    name = wanted["stranger"]
    if name in {account["account"] for account in client.list_accounts()}:
        return
    client.add_account(name, "USER", "stranger@localhost")
    password = wanted["stranger_password"]
    client.add_identity(name, name, "USERPASS", "stranger@localhost", password=password)


def make_rse(client: Client, rse: dict[str, Any]) -> None:
    name = rse["name"]
    once(client.add_rse, name, deterministic=True, rse_type="DISK", volatile=False)
    replace_protocols(client, rse)
    for key, value in rse["attributes"].items():
        if client.list_rse_attributes(name).get(key) != value:
            client.add_rse_attribute(name, key, value)
    client.set_local_account_limit(rse["account"], name, rse["limit"])
    client.set_local_account_limit("root", name, rse["limit"])


def replace_protocols(client: Client, rse: dict[str, Any]) -> None:
    name = rse["name"]
    wanted = {(item["scheme"], item["port"]) for item in rse["protocols"]}
    try:
        known = client.get_protocols(name)
    except RSEProtocolNotSupported:
        known = []
    if {(item["scheme"], item["port"]) for item in known} == wanted:
        return
    for item in known:
        client.delete_protocols(name, item["scheme"], hostname=item["hostname"], port=item["port"])
    for item in rse["protocols"]:
        client.add_protocol(name, item)


def make_distances(client: Client, links: list[list[str]]) -> None:
    for source, destination in links:
        if not client.get_distance(source, destination):
            once(client.add_distance, source, destination, {"distance": 1})


def main() -> None:
    wanted = json.loads(Path(sys.argv[1]).read_text())
    client = connect(wanted)
    make_account(client, wanted)
    make_stranger(client, wanted)
    for rse in wanted["rses"]:
        make_rse(client, rse)
    make_distances(client, wanted["links"])


if __name__ == "__main__":
    main()
