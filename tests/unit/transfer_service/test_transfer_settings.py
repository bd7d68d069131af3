"""What the service is told, and what its orders say."""

import json
from pathlib import Path
from typing import Any

import pytest

from dltest.errors import SettingsError
from dltest.lab.transfer_service.configuration import ServiceConfig, client_environment
from dltest.lab.transfer_service.copier import size_timeout_seconds
from dltest.lab.transfer_service.orders import copy_order
from dltest.lab.transfer_service.records import File, Job

NEEDED = {"host": "127.0.0.1", "port": 1, "state_dir": "/s", "log_file": "/l"}


def written(folder: Path, **more: object) -> Path:
    file = folder / "config.json"
    file.write_text(json.dumps({**NEEDED, **more}))
    return file


def test_a_configuration_is_read_with_defaults(tmp_path: Path) -> None:
    config = ServiceConfig.load(written(tmp_path, ca_file="/ca.pem", workers=2))
    assert (config.workers, config.per_link, config.ca_dir) == (2, 4, None)
    assert client_environment(config)["SSL_CERT_FILE"] == "/ca.pem"


def test_a_wrong_key_is_named_together_with_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, wokers=2)
    with pytest.raises(SettingsError, match=f"{file}: unknown keys wokers"):
        ServiceConfig.load(file)


def test_a_missing_file_is_a_settings_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        ServiceConfig.load(tmp_path / "none.json")


def order(*, last_hop: bool = True, retry: int = 0, **job: Any) -> dict[str, Any]:
    filled: dict[str, Any] = {"job_type": "N", "internal_job_params": None, **job}
    ends = {"source_surl": "davs://a/x", "dest_surl": "davs://b/y"}
    file = File(
        job_id="j",
        file_index=0,
        file_state="SUBMITTED",
        source_se="davs://a",
        dest_se="davs://b",
        hashed_id=0,
        vo_name="vo",
        priority=3,
        retry=retry,
        **ends,
    )
    made = Job(
        job_id="j",
        job_state="ACTIVE",
        submit_time=0,
        job_metadata={},
        source_se=None,
        dest_se=None,
        vo_name="vo",
        user_dn="u",
        cred_id="c",
        submit_host="h",
        **filled,
    )
    return copy_order(made, file, last_hop=last_hop, overwrite_disk_enabled=False, seconds_per_mb=2)


@pytest.mark.parametrize(
    ("given", "overwrite"),
    [
        ({}, False),
        ({"overwrite_flag": "Y"}, True),
        ({"overwrite_flag": "R"}, False),
        ({"overwrite_flag": "R", "retry": 1}, True),
        ({"overwrite_flag": "M", "job_type": "H", "last_hop": False}, True),
        ({"overwrite_flag": "M", "job_type": "H", "last_hop": True}, False),
    ],
)
def test_overwriting_follows_the_flag(given: dict[str, Any], *, overwrite: bool) -> None:
    assert order(**given)["overwrite"] is overwrite


def test_disk_copies_make_way_only_where_the_job_ends() -> None:
    job = {"overwrite_flag": "Q", "job_type": "H", "archive_timeout": 9}
    assert order(**job, last_hop=True)["overwrite_disk"]
    assert not order(**job, last_hop=False)["overwrite_disk"]


def test_protocol_parameters_reach_the_copy() -> None:
    made = order(internal_job_params="nostreams:4,timeout:77,buffersize:9,strict")
    assert (made["streams"], made["timeout"], made["buffer_size"]) == (4, 77, 9)
    assert made["strict"]


def test_the_default_timeout_grows_with_the_size_as_in_fts() -> None:
    assert size_timeout_seconds(0, 2) == 600
    assert size_timeout_seconds(5, 2) == 601
    assert size_timeout_seconds(1 << 30, 2) == 600 + 2048
