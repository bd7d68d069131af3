import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from dltest.lab import storage
from dltest.lab.authority import Authority, subject_hash


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path)
    made.ensure()
    return made


def openssl(*arguments: str | Path) -> str:
    return subprocess.run(
        ["openssl", *map(str, arguments)], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_authority_lies_under_the_name_by_which_openssl_looks_for_it(
    authority: Authority,
) -> None:
    expected = openssl("x509", "-noout", "-subject_hash", "-in", authority.certificate)
    assert [entry.name for entry in authority.folder.iterdir()] == [f"{expected}.0"]


def test_openssl_verifies_the_host_certificate_through_the_folder(authority: Authority) -> None:
    said = openssl(
        *("verify", "-CApath", authority.folder, "-verify_hostname", "localhost"),
        authority.host_certificate,
    )
    assert said.endswith("OK")


def test_the_host_certificate_is_good_for_every_address_of_a_storage(
    authority: Authority,
) -> None:
    for element in storage.ELEMENTS:
        kind = "hostname" if element.host == "localhost" else "ip"
        said = openssl(
            *("verify", "-CApath", authority.folder, f"-verify_{kind}", element.host),
            authority.host_certificate,
        )
        assert said.endswith("OK")


def test_keys_are_for_their_owner_only(authority: Authority) -> None:
    assert {key.stat().st_mode & 0o777 for key in (authority.key, authority.host_key)} == {0o400}


def test_what_is_there_is_kept_and_what_was_interrupted_is_made_anew(authority: Authority) -> None:
    before = authority.host_certificate.read_bytes()
    authority.ensure()
    assert authority.host_certificate.read_bytes() == before
    authority.host_certificate.unlink()
    authority.ensure()
    assert authority.host_certificate.read_bytes() != before


def test_the_hash_ignores_case_and_runs_of_spaces() -> None:
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("A  b", "a B")]
    assert subject_hash(names[0]) == subject_hash(names[1])
