import ast
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETUP = ROOT / "scripts" / "setup"
NOBODY = 65534
OUTPUTS = {
    "E: You don't have enough free space in /var/cache/apt/archives/.": "disk",
    "OSError: [Errno 28] No space left on device": "disk",
    "error: failed to write to file `x`: No space left on device (os error 28)": "disk",
    "E: Failed to fetch http://mirror/x.deb  Temporary failure resolving 'mirror'": "cannot be reached",
    "ERROR: No matching distribution found for uv==0.1": "cannot be reached",
    "  Caused by: dns error: failed to lookup address information": "cannot be reached",
    "  Caused by: error sending request for url (https://index/simple/rich/)": "cannot be reached",
    "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate "
    "verify failed: unable to get local issuer certificate": "certificate",
    "  Caused by: invalid peer certificate: UnknownIssuer": "certificate",
    "E: Unable to locate package xrootd-server": "package lists",
    "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7": "wait for it",
    "error: The lockfile at `uv.lock` needs to be updated, but `--locked` was": "uv lock",
    "error: failed to remove file: Permission denied (os error 13)": "another user",
}


@pytest.fixture
def checkout() -> Iterator[Path]:
    """What a set-up needs of a checkout, without anything set up, where any user may go."""
    home = Path(tempfile.mkdtemp(prefix="dltest-setup-"))
    home.chmod(0o755)
    copy = home / "dltest"
    shutil.copytree(SETUP, copy / "scripts" / "setup", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "dltest", copy / "dltest", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("packages.debian", "pyproject.toml", "uv.lock", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    yield copy
    shutil.rmtree(home)


def _set_up(checkout: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **changes}
    return subprocess.run(
        ["/usr/bin/python3", "-B", str(checkout / "scripts" / "setup")],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
        env=environment, user=NOBODY if os.geteuid() == 0 and "HOME" in changes else None,
    )  # fmt: skip


def test_a_checkout_that_is_set_up_is_recognised_at_once() -> None:
    if not (ROOT / ".venv" / ".set-up").exists():
        pytest.skip("this environment was not made by `make setup`")
    began_at = time.monotonic()
    ended = _set_up(ROOT)
    assert ended.stdout.splitlines()[-1] == "setup: everything is in place", ended.stderr
    assert time.monotonic() - began_at < 5


def test_missing_packages_without_root_or_sudo_are_named_with_the_remedy(checkout: Path) -> None:
    with (checkout / "packages.debian").open("a") as packages:
        packages.write("no-such-package-for-dltest  # tests: cannot be installed\n")
    programs = checkout.parent / "bin"
    programs.mkdir()
    for name in ("apt-get", "dpkg-query"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    ended = _set_up(checkout, PATH=str(programs), HOME=str(checkout))
    assert ended.returncode == 1
    (sentence,) = ended.stderr.splitlines()
    assert "1 system packages are missing (no-such-package-for-dltest)" in sentence
    assert f"{checkout}/scripts/setup --only-packages` as root" in sentence


def test_no_network_is_said_in_one_sentence(checkout: Path) -> None:
    ended = _set_up(
        checkout,
        http_proxy="http://127.0.0.1:9", https_proxy="http://127.0.0.1:9", all_proxy="",
        PIP_RETRIES="0", PIP_NO_CACHE_DIR="1",
    )  # fmt: skip
    assert ended.returncode == 1
    (sentence,) = ended.stderr.splitlines()
    assert "the Python package index cannot be reached: connect" in sentence


def test_a_disk_without_room_is_noticed_before_anything_is_written(checkout: Path) -> None:
    part = checkout / "scripts" / "setup" / "environment.py"
    before = part.read_text()
    part.write_text(re.sub(r"^(TOOLS_MIB, .* =) \d+", r"\1 10**12", before, flags=re.MULTILINE))
    assert part.read_text() != before
    ended = _set_up(checkout)
    assert ended.returncode == 1
    (sentence,) = ended.stderr.splitlines()
    assert "MiB are needed: make room there" in sentence
    assert not (checkout / ".tools" / "bin").exists()


@pytest.mark.parametrize(("output", "word"), OUTPUTS.items(), ids=OUTPUTS.values())
def test_what_programs_say_becomes_a_sentence_with_the_remedy(
    output: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(SETUP))
    from trouble import explain

    sentence = explain(output, "the mirror", 42) or ""
    assert word in sentence
    assert "`make setup` again" in sentence


def test_the_package_list_is_sorted_and_says_why_of_each() -> None:
    lines = (ROOT / "packages.debian").read_text(encoding="utf-8").splitlines()
    entries = [line for line in lines if line and not line.startswith("#")]
    names = [entry.split()[0] for entry in entries]
    assert names == sorted(set(names))
    assert [entry for entry in entries if not entry.partition("#")[2].strip()] == []


def test_older_pythons_get_a_sentence_and_not_a_syntax_error() -> None:
    for source in sorted(SETUP.glob("*.py")):
        ast.parse(source.read_text(encoding="utf-8"), str(source), feature_version=(3, 7))
