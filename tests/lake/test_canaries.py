"""Secrets are planted in every place that dltest reads; all that it writes is searched for them."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lake_runs import dltest
from ruamel.yaml import YAML

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

CANARY = "c4n4ry"
JSON_WEB_TOKEN = re.compile(rb"eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}")
RUCIO_TOKEN = re.compile(rb"-unknown-[0-9a-f]{32}")


@pytest.fixture
def lake(lab: Any) -> dict[str, Any]:
    return dict(YAML(typ="safe").load(lab.lake_file.read_text()))


def planted(lake: dict[str, Any], folder: Path, **rucio: Any) -> Path:
    """A lake file in which every secret that is not needed is a canary."""
    (folder / "password").write_text(lake["rucio"]["password"])
    (folder / "client-secret").write_text(lake["identity"]["client-secret"])
    secret = {
        "client-secret": f"{CANARY}-client",
        "client-secret-file": str(folder / "client-secret"),
    }
    changed = {
        **lake,
        "rucio": {
            **lake["rucio"],
            "password": f"{CANARY}-password",
            "password-file": str(folder / "password"),
            **rucio,
        },
        "identity": {**lake["identity"], **secret},
        "storage": {**lake["storage"], "bearer": f"{CANARY}-bearer"},
        # Where we can look into it.
        "database": f"sqlite:///{folder / 'store.sqlite3'}",
    }
    file = folder / "lake.yaml"
    file.write_text(json.dumps(changed))
    return file


def secrets_of(lab: Any) -> dict[str, bytes]:
    described = json.loads((lab.lake_file.parent / "lab.json").read_text())
    return {name: value.encode() for name, value in described["passwords"].items()}


def written(folder: Path, told: list[str]) -> Iterator[tuple[str, bytes]]:
    """What commands said, and every file that they left: results, reports, the store, the spool."""
    yield from ((f"output {number}", text.encode()) for number, text in enumerate(told))
    ours = {"password", "client-secret", "lake.yaml", "wrong.yaml"}
    for file in folder.rglob("*"):
        if file.is_file() and file.name not in ours:
            yield str(file), file.read_bytes()


def test_no_secret_is_written_anywhere(
    lab: Any, lake: dict[str, Any], tmp_path: Path, broken: Callable[..., None]
) -> None:
    told: list[str] = []
    environment = {
        "BEARER_TOKEN": f"{CANARY}-discovered",
        "DLTEST_BROKER": f"redis://:{CANARY}-broker@127.0.0.1:9/0",
    }

    def say(*arguments: str, exits: int | None = None, **more: str) -> None:
        done = dltest(*arguments, state=tmp_path / "state", **{**environment, **more})
        assert exits in (None, done.returncode), done.stdout + done.stderr
        told.extend((done.stdout, done.stderr))

    good = str(planted(lake, tmp_path))
    out = ("--json", "--junit", str(tmp_path / "junit.xml"))
    # One storage refuses, and another is shown tokens of every kind.
    broken("storage-refuses", "XRD1")
    say("run", "upload", "token-rules", "--rse", "XRD1|XRD5", "--lake", good, *out, exits=1)
    # Nobody is let in: by a password, by a client secret.
    for name, rucio in (
        ("by-password", {"password-file": None}),
        ("by-token", {"auth-type": "oidc"}),
    ):
        folder = tmp_path / name
        folder.mkdir()
        file = planted(lake, folder, **rucio)
        document = json.loads(file.read_text())
        document["identity"].pop("client-secret-file")
        file.write_text(json.dumps(document))
        say("run", "upload", "--lake", str(file), *out, exits=3, DLTEST_PATIENCE="PT1S")
        say("doctor", "--lake", str(file), exits=1)
    # A file that is wrong, and a database that is not there.
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(json.dumps({**lake, "identity": {"client-secret": f"{CANARY}-wrong"}}))
    say("run", "upload", "--lake", str(wrong), exits=2)
    nowhere = f"postgresql+psycopg://dltest:{CANARY}-database@127.0.0.1:9/dltest"
    say("run", "upload", "--lake", good, exits=4, DLTEST_DATABASE=nowhere)

    secrets = {"canary": CANARY.encode(), **secrets_of(lab)}
    for name, text in written(tmp_path, told):
        leaked = [secret for secret, value in secrets.items() if value in text]
        assert leaked == [], name
        assert not JSON_WEB_TOKEN.search(text), name
        assert not RUCIO_TOKEN.search(text), name
    seen = b"".join(text for _, text in written(tmp_path, told))
    # All that the search is for would be there, were it not kept out.
    assert seen.count(b"storage.modify:/") > 1
    assert {"junit.xml", "store.sqlite3"} <= {Path(name).name for name, _ in written(tmp_path, [])}
