"""A proxy that is no good is said before a storage is asked."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dltest.errors import CredentialError
from dltest.lab.authority import Authority
from dltest.lake.storage.environment import mover_environment
from dltest.lake.storage.proxy import check_proxy
from dltest.settings import StorageSettings

LONG_AFTER = datetime.now(UTC) + timedelta(days=3000)


@pytest.fixture
def proxy(tmp_path: Path) -> Path:
    """As proxies are: a certificate, the one behind it, and a key."""
    authority = Authority(tmp_path)
    authority.ensure()
    file = tmp_path / "proxy"
    parts = (authority.host_certificate, authority.host_key, authority.certificate)
    file.write_bytes(b"".join(part.read_bytes() for part in parts))
    return file


def test_a_good_one_is_shown_by_movers(proxy: Path) -> None:
    check_proxy(proxy)
    check_proxy(None)
    environment = mover_environment(StorageSettings(proxy=proxy), {"X509_USER_PROXY": "/other"})
    assert environment["X509_USER_PROXY"] == str(proxy)


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_one_that_cannot_be_read_is_ours_to_mend(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "proxy"
    if content is not None:
        file.write_text(content)
    with pytest.raises(CredentialError) as caught:
        check_proxy(file)
    assert (caught.value.code, str(caught.value.blame)) == ("proxy-unusable", "dltest")
    assert not caught.value.answered


def test_one_that_has_run_out_says_when(proxy: Path) -> None:
    with pytest.raises(CredentialError, match="has run out, at 20"):
        check_proxy(proxy, LONG_AFTER)
