"""The issuer's signing keys, as a private JWK set in its folder (RFC 7517).

The first key signs. The second is published with it from the beginning, so that whoever caches
public keys knows it before it signs anything; the former one stays published, so that what it has
signed stays good.
"""

import json
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey, Key, KeySet

from dltest.lab.layout import exclusively, write_atomically

ALGORITHM = "ES256"


def ensure_keys(folder: Path) -> KeySet:
    """The private keys; made where there are none."""
    folder.mkdir(parents=True, exist_ok=True)
    with exclusively(folder / "keys.lock"):
        if not _file(folder).exists():
            _write(folder, [new_key(), new_key()])
    return _read(folder)


def public_keys(folder: Path) -> dict[str, Any]:
    """What the issuer publishes: a JWKS without anything private."""
    return dict(ensure_keys(folder).as_dict(private=False))


def rotate(folder: Path) -> None:
    """From now on the next key signs; another one is published to follow it."""
    ensure_keys(folder)
    with exclusively(folder / "keys.lock"):
        former, following, *_ = _read(folder).keys
        _write(folder, [following, new_key(), former])


def new_key() -> ECKey:
    """A key whose `kid` is its thumbprint (RFC 7638)."""
    return ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)


def _file(folder: Path) -> Path:
    return folder / "keys.json"


def _read(folder: Path) -> KeySet:
    return KeySet.import_key_set(json.loads(_file(folder).read_text()))


def _write(folder: Path, keys: list[Key]) -> None:
    document = {"keys": [key.as_dict(private=True) for key in keys]}
    write_atomically(_file(folder), json.dumps(document), mode=0o600)
