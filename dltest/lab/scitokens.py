"""XRootD with SciTokens: what it takes to accept the tokens of the lab's issuer.

Debian's SciTokens library trusts the system's certificate authorities alone, and so cannot ask the
lab's issuer for its keys. It keeps what it was told in a cache, which is filled here beforehand.
"""

import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from dltest.lab.description import Lab
from dltest.lab.identity import nodes
from dltest.lab.identity.keys import public_keys
from dltest.lab.layout import write_atomically

BASE_PATH = "/rucio"
_FOR_EVER_SECONDS = 10**9

CONFIGURATION = """\
[Global]
audience = {audiences}
onmissing = deny
[Issuer lab]
issuer = {issuer}
base_path = {base_path}
default_user = xrootd
"""


def prepare(lab: Lab, home: Path, audiences: Sequence[str]) -> None:
    """Write down whose tokens the storage accepts, made out to which names, by which keys."""
    text = CONFIGURATION.format(
        audiences=", ".join(audiences), issuer=nodes.issuer(lab), base_path=BASE_PATH
    )
    write_atomically(home / "scitokens.cfg", text)
    remember_keys(home, nodes.issuer(lab), public_keys(lab.layout.identity))


def authorisation(home: Path) -> str:
    """The line of XRootD's configuration that leaves all decisions to SciTokens."""
    return f"ofs.authlib libXrdAccSciTokens.so config={home}/scitokens.cfg"


def environment(home: Path) -> dict[str, str]:
    """Where the library finds its cache."""
    return {"XDG_CACHE_HOME": str(home / "cache")}


def remember_keys(home: Path, name: str, jwks: dict[str, Any]) -> None:
    """Put the issuer's public keys into the library's cache; a running server heeds it at once."""
    cache = home / "cache" / "scitokens"
    cache.mkdir(parents=True, exist_ok=True)
    until = int(time.time()) + _FOR_EVER_SECONDS
    keys = json.dumps({"expires": until, "next_update": until, "jwks": jwks})
    file = cache / "scitokens_cpp.sqllite"  # codespell:ignore - the library's own name
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "CREATE TABLE IF NOT EXISTS keycache "
            "(issuer text UNIQUE PRIMARY KEY NOT NULL, keys text NOT NULL)"
        )
        database.execute("INSERT OR REPLACE INTO keycache VALUES (?, ?)", (name, keys))
