"""What a lab is for: a rule made now is carried out, over every link, by a third-party copy."""

import time
import zlib
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from lab_command import until
from rucio.client import Client

from dltest.lab import control
from dltest.lab.status import status

# The oldest line that the lab promises to run beside the default one.
OLDER = "39.4.2"
PAYLOAD = bytes(range(256)) * 400
CHECKSUM = f"{zlib.adler32(PAYLOAD):08x}"


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("older") / "lab"
    try:
        control.up(folder, release=OLDER)
        yield status(folder) or {}
    finally:
        control.down(folder, purge=True)


def client_of(told: dict[str, Any]) -> Client:
    url = told["endpoints"]["rucio"]
    account = told["credentials"]["accounts"]["dltest"]
    return Client(
        rucio_host=url, auth_host=url, account="dltest", auth_type="userpass", creds=account
    )


def on_disk(told: dict[str, Any], rse: str, pfn: str) -> Path:
    """Where the file of that PFN lies on the storage element's disk."""
    folder = next(one["folder"] for one in told["rses"] if one["name"] == rse)
    return Path(folder) / pfn.split("/rucio/", 1)[1]


def put(client: Client, told: dict[str, Any], rse: str, name: str) -> None:
    """The file is on the storage element, and Rucio knows and protects it."""
    import gfal2

    (pfn,) = client.lfns2pfns(rse, [f"dltest:{name}"], operation="write").values()
    source = Path(told["lake_file"]).parent / "tmp" / name
    source.write_bytes(PAYLOAD)
    context = gfal2.creat_context()
    parameters = context.transfer_parameters()
    parameters.create_parent = True
    context.filecopy(parameters, source.as_uri(), pfn)
    source.unlink()
    file = {"scope": "dltest", "name": name}
    client.add_replicas(rse, [file | {"bytes": len(PAYLOAD), "adler32": CHECKSUM}])
    client.add_replication_rule([file], 1, rse, lifetime=600)


def carry_out_everywhere(told: dict[str, Any], environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SSL_CERT_FILE", told["credentials"]["ca_file"])
    client = client_of(told)
    rses = sorted(rse["rse"] for rse in client.list_rses("dltest=True&type=disk"))
    assert len(rses) == 4
    stamp = time.time_ns()
    links = {f"link-{stamp}-{a}-{b}": (a, b) for a, b in permutations(rses, 2)}
    for name, (source, _) in links.items():
        put(client, told, source, name)
    rules = {
        client.add_replication_rule(
            [{"scope": "dltest", "name": name}], 1, destination, lifetime=600
        )[0]
        for name, (_, destination) in links.items()
    }
    until(lambda: {client.get_replication_rule(rule)["state"] for rule in rules} == {"OK"}, 120)
    for name, (_, destination) in links.items():
        (pfn,) = client.lfns2pfns(destination, [f"dltest:{name}"]).values()
        assert on_disk(told, destination, pfn).read_bytes() == PAYLOAD
    for name in links:
        client.set_metadata("dltest", name, "lifetime", 0.0001)
    until(lambda: not list(client.list_dids("dltest", {"name": f"link-{stamp}-*"}, "all")), 120)


def test_every_link_carries_a_rule_out_by_third_party_copy(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out_everywhere(lab.status(), monkeypatch)
    log = Path(lab.part("transfers")["log"]).read_text()
    assert "3rd pull" in log
    # XRD3 cannot drive a copy, so whatever goes there is pushed by its source.
    assert "3rd push" in log
    assert "streamed" not in log


def test_an_older_release_does_the_same(
    older: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client_of(older).ping()["version"] == OLDER
    carry_out_everywhere(older, monkeypatch)
