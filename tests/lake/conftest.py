"""What tests of scenarios on the lab share."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from lake_runs import Runs, dltest, run_on, what_is_left


@pytest.fixture
def run(lab, tmp_path) -> Callable[..., Runs]:
    """`dltest run` on the lab; gives the JSON objects of the runs."""
    return partial(run_on, lab, state=tmp_path)


@pytest.fixture
def broken(lab, tmp_path) -> Iterator[Callable[..., None]]:
    """Breaks the lab; afterwards it is healed, swept, and seen to be empty."""
    yield lab.break_
    lab.heal()
    swept = dltest("sweep", "--lab", str(lab.dir), state=tmp_path)
    assert swept.returncode == 0, swept.stdout + swept.stderr
    assert what_is_left(lab) == []
