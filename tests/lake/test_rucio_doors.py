"""Signing in to a real Rucio, and what is said when it cannot be done."""

import stat
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from dltest.errors import CatalogueError, CredentialError
from dltest.lake.rucio import RucioCatalogue
from dltest.model import IDENTITY, RUCIO
from dltest.settings import LakeSettings

pytestmark = pytest.mark.lab


@pytest.fixture
def settings(lab: Any) -> LakeSettings:
    return LakeSettings.load(lab.lake_file)


def changed(settings: LakeSettings, **facts: object) -> LakeSettings:
    return settings.model_copy(update={"rucio": settings.rucio.model_copy(update=facts)})


def test_a_wrong_password_is_a_matter_of_identity(
    settings: LakeSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    catalogue = RucioCatalogue(changed(settings, password=SecretStr("not-the-password")))
    with pytest.raises(CredentialError) as refused:
        catalogue.inventory()
    assert refused.value.blame == IDENTITY
    assert not refused.value.answered
    assert "not-the-password" not in str(refused.value)


def test_a_rucio_that_does_not_answer_is_not_known_to_be_wrong(
    settings: LakeSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    nowhere = "http://127.0.0.1:9"
    catalogue = RucioCatalogue(changed(settings, url=nowhere, auth_url=nowhere))
    with pytest.raises(CatalogueError) as silent:
        catalogue.ping()
    assert silent.value.code == "rucio-unreachable"
    assert silent.value.blame == RUCIO
    assert not silent.value.answered
    assert silent.value.retryable


def by_token(settings: LakeSettings, **facts: object) -> LakeSettings:
    assert settings.identity is not None
    oidc = changed(settings, auth_type="oidc", username=None, password=None)
    return oidc.model_copy(update={"identity": settings.identity.model_copy(update=facts)})


def test_a_token_of_the_issuer_signs_in_and_goes_on_while_the_issuer_is_gone(
    lab: Any, settings: LakeSettings
) -> None:
    catalogue = RucioCatalogue(by_token(settings))
    assert len(catalogue.inventory().rses) == len(lab.status()["rses"])
    lab.break_("identity-down")
    try:
        assert catalogue.dids("") is not None
        with pytest.raises(CredentialError) as caught:
            RucioCatalogue(by_token(settings)).inventory()
    finally:
        lab.heal("identity-down")
    assert (caught.value.code, caught.value.blame) == ("issuer-unreachable", IDENTITY)
    assert not caught.value.answered


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"audience": "somebody-else"}, "sign-in-failed"),
        ({"client_secret": SecretStr("not-the-secret")}, "client-refused"),
        ({"client_id": None, "token_file": Path("/nowhere/token")}, "token-unavailable"),
    ],
)
def test_a_token_that_is_not_taken_says_nothing_of_the_lake(
    settings: LakeSettings, facts: dict[str, object], code: str
) -> None:
    with pytest.raises(CredentialError) as caught:
        RucioCatalogue(by_token(settings, **facts)).inventory()
    assert (caught.value.code, caught.value.answered) == (code, False)
    assert "not-the-secret" not in str(caught.value)


def test_tokens_lie_where_nobody_else_can_read_them_and_end_with_the_session(
    settings: LakeSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    catalogue = RucioCatalogue(settings)
    catalogue.dids("dltest.nothing-")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        folders = [parent for parent in path.parents if tmp_path in parent.parents]
        assert any(stat.S_IMODE(folder.stat().st_mode) == 0o700 for folder in folders)
    del catalogue
    assert list(tmp_path.iterdir()) == []


def test_many_threads_may_ask_at_once(settings: LakeSettings) -> None:
    catalogue = RucioCatalogue(settings)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: catalogue.dids("dltest.nothing-"), range(24)))
    assert answers == [[]] * 24


def test_signing_in_leaves_the_process_as_it_was(
    settings: LakeSettings, capfd: pytest.CaptureFixture[str]
) -> None:
    RucioCatalogue(settings).ping()
    assert capfd.readouterr() == ("", "")


def test_files_that_never_came_into_a_dataset_are_ended_too(settings: LakeSettings) -> None:
    catalogue = RucioCatalogue(settings)
    prefix = f"dltest.lost{uuid.uuid4().hex[:8]}"
    names = [f"{prefix}.{index}" for index in range(2)]
    replicas = [
        {"scope": settings.rucio.scope, "name": name, "bytes": 1, "adler32": "00010001"}
        for name in names
    ]
    catalogue._session.call("register", lambda client: client.add_replicas("XRD1", replicas))
    assert catalogue.dids(prefix) == names
    catalogue.expire_files(names)
    deadline = time.monotonic() + 60
    while left := catalogue.dids(prefix):
        assert time.monotonic() < deadline, left
        time.sleep(1)
