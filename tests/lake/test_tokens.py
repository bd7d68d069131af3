"""Tokens on a real lake: what must be refused is, what must be accepted is, and holes are named."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lake_runs import RUN_SECONDS, run_on, verdicts

from dltest.lake.ports import Deed
from dltest.lake.token_rules.at_rucio import SIGN_INS
from dltest.lake.token_rules.catalogue import RULES
from dltest.lake.token_rules.uses import EXPIRIES

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

# XRootD forgets what it found out about a token a minute after it did.
MOST_GRACE_SECONDS = 65.0


@pytest.fixture
def expiring(lab, tmp_path) -> Iterator[subprocess.Popen[str]]:
    """`token-expiry` at XRD6: mostly waits, so other things are done meanwhile."""
    arguments = ["run", "token-expiry", "--rse", "XRD6", "--json", "--lab", str(lab.dir)]
    with subprocess.Popen(
        [sys.executable, "-m", "dltest.cli.main", *arguments],
        env={**os.environ, "DLTEST_STATE_DIR": str(tmp_path / "expiring")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def evidence(runs: list[dict[str, Any]], scenario: str, key: str) -> list[dict[str, Any]]:
    """What the steps of a scenario's runs have under the key, one after the other."""
    steps = [step for run in runs if run["scenario"] == scenario for step in run["steps"]]
    return [one for step in steps for one in step["evidence"].get(key, [])]


def test_tokens_and_access_from_end_to_end(lab, tmp_path, expiring, broken):
    names = ("token-rules", "token-issuer", "token-revocation", "rucio-sign-in", "rucio-access")
    runs = run_on(lab, *names, state=tmp_path)
    assert set(verdicts(runs).values()) == {"passed"}
    assert len(evidence(runs, "token-rules", "token_rules")) == 2 * len(RULES)
    assert len(evidence(runs, "rucio-sign-in", "token_rules")) == len(SIGN_INS)
    assert len(evidence(runs, "rucio-access", "access")) == 4 * len(Deed)

    # Told its token is over by 401, and not before its end.
    (session,) = evidence(runs, "rucio-sign-in", "token_expiry")
    assert session["before_its_end_seconds"] > 0
    assert session["after"].startswith("401 ")

    # A hole is found at its own storage, and named by the rules that it breaks.
    broken("storage-audience-unchecked", "XRD5")
    holed = run_on(lab, "token-rules", "--rse", "XRD5", state=tmp_path, exits=1)
    told = [(one["code"], one["blame"]) for one in holed[0]["findings"]]
    assert told == [("token-not-refused", "site XRD5")] * 2
    assert all("wrong-audience" in one["title"] for one in holed[0]["findings"])

    said, errors = expiring.communicate(timeout=RUN_SECONDS)
    assert expiring.returncode == 0, said + errors
    uses = evidence([json.loads(said)], "token-expiry", "token_expiry")
    assert [use["use"] for use in uses] == list(EXPIRIES)
    graces = [use["grace_seconds"] for use in uses if "grace_seconds" in use]
    assert all(0 < grace < MOST_GRACE_SECONDS for grace in graces)
    # XRootD looks at a token when it opens a file: what is under way comes to its end.
    transfers = [use for use in uses if "whole" in use]
    assert len(graces) + len(transfers) == len(EXPIRIES)
    assert all(use["ended_after_its_end_seconds"] > 0 and use["whole"] for use in transfers)

    # Nothing that was written down holds a token: each begins with an encoded `{"alg"`.
    kept = b"".join(path.read_bytes() for path in Path(tmp_path).rglob("*") if path.is_file())
    assert b"eyJ" not in kept + json.dumps(runs).encode() + said.encode()
