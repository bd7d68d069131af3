"""The transfers port: what every adapter of it promises. See test_catalogue for finished jobs."""

import pytest
from trial import Trial

from dltest.errors import TransferError
from dltest.lake.simulated import TRANSFERS_DOWN
from dltest.model import FTS

NO_JOB = "00000000-0000-0000-0000-000000000000"


def host(trial: Trial) -> str:
    attributes = trial.ports.catalogue.inventory().rse(trial.source).attributes
    return attributes.get("fts", "https://fts.simulated:8446")


def dead_host(trial: Trial) -> str:
    """Where nothing listens; port 9 (discard) is served nowhere."""
    if trial.simulated:
        trial.simulated.fall_ill(TRANSFERS_DOWN)
    return "https://localhost:9"


def test_a_living_service_answers(trial: Trial) -> None:
    trial.ports.transfers.ping(host(trial))


def test_an_unknown_job_has_no_files(trial: Trial) -> None:
    assert trial.ports.transfers.files(host(trial), NO_JOB) == []


def test_a_dead_service_is_told_from_an_unknown_job(trial: Trial) -> None:
    dead = dead_host(trial)
    for ask in (trial.ports.transfers.ping, lambda h: trial.ports.transfers.files(h, NO_JOB)):
        with pytest.raises(TransferError) as silent:
            ask(dead)
        assert silent.value.code == "transfer-service-unreachable"
        assert silent.value.blame == FTS
        assert not silent.value.answered
