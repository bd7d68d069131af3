"""Nobody here has a container engine, so what can be checked without one is checked here."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from dltest.cli.main import app
from dltest.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
OURS = ("web", "worker", "transfer", "beat")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(
        (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    )
    return document


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_a_command_that_exists(compose: dict[str, Any], name: str) -> None:
    word, *arguments = compose["services"][name]["command"]
    command = typer.main.get_command(app).commands[word]  # type: ignore[attr-defined]
    known = {option: param for param in command.params for option in param.opts}
    options = {argument for argument in arguments if argument.startswith("--")}
    assert options <= set(known)


@pytest.mark.parametrize("name", OURS)
def test_a_service_sets_only_variables_that_are_read(compose: dict[str, Any], name: str) -> None:
    prefix = str(Settings.model_config["env_prefix"])
    read = {prefix + field.upper() for field in Settings.model_fields}
    assert set(compose["services"][name]["environment"]) <= read
    assert {"DLTEST_LAKE", "DLTEST_DATABASE", "DLTEST_BROKER"} <= set(
        compose["services"][name]["environment"]
    )


def test_the_image_sets_only_variables_that_are_read() -> None:
    prefix = str(Settings.model_config["env_prefix"])
    read = {prefix + field.upper() for field in Settings.model_fields}
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"\b(DLTEST_[A-Z_]+)=", text)) <= read


def test_services_wait_for_those_they_need(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        for needed, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert "healthcheck" in services[needed]


def test_images_are_pinned_and_ours_has_the_package_s_version(compose: dict[str, Any]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for name, service in compose["services"].items():
        tag = service["image"].rpartition(":")[2]
        assert re.match(r"\d", tag), service["image"]
        if name in OURS:
            assert tag == version


def test_no_service_of_ours_runs_as_root_or_is_open_to_the_world(compose: dict[str, Any]) -> None:
    stages = (ROOT / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")
    assert re.search(r"^USER dltest$", stages[-1], re.MULTILINE)
    for service in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_the_image_gets_its_packages_from_the_list() -> None:
    listed = {
        line.split()[0]
        for line in (ROOT / "packages.debian").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    installed = re.findall(r"--no-install-recommends ([a-z0-9 .+-]+)", text)
    named = {word for words in installed for word in words.split()}
    assert named - {"ca-certificates", "python3"} <= listed


def test_everything_the_image_copies_is_let_into_the_build() -> None:
    let_in = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    copied = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    for name in {word for words in copied for word in words.split()}:
        assert name in let_in
        assert (ROOT / name).exists()
