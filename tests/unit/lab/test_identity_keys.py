"""The issuer's keys: kept, published without their private half, rotated without an outage."""

import stat
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import KeySet

from dltest.lab.identity.keys import ALGORITHM, ensure_keys, public_keys, rotate


def test_keys_are_made_once_and_kept(tmp_path: Path) -> None:
    first = ensure_keys(tmp_path / "identity").as_dict(private=True)
    assert ensure_keys(tmp_path / "identity").as_dict(private=True) == first
    mode = (tmp_path / "identity" / "keys.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_nothing_private_is_published(tmp_path: Path) -> None:
    published = public_keys(tmp_path)["keys"]
    assert len(published) == 2
    assert all("d" not in key and key["kid"] for key in published)


def test_rotation_signs_with_a_key_that_was_published_before(tmp_path: Path) -> None:
    before = public_keys(tmp_path)
    old = _signed(tmp_path)
    rotate(tmp_path)
    assert jwt.decode(_signed(tmp_path), KeySet.import_key_set(before), [ALGORITHM]).claims
    assert jwt.decode(old, KeySet.import_key_set(public_keys(tmp_path)), [ALGORITHM]).claims
    assert public_keys(tmp_path)["keys"][0]["kid"] == before["keys"][1]["kid"]


def _signed(folder: Path) -> str:
    key = ensure_keys(folder).keys[0]
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, {"sub": "somebody"}, key)
