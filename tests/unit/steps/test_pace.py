from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from dltest.steps.pace import LATEST, SOONEST, pause


@given(st.timedeltas(timedelta(0), timedelta(days=2)))
def test_what_is_seen_is_late_by_a_twentieth_at_most_within_bounds(waited):
    assert SOONEST <= pause(waited) <= LATEST
    assert pause(waited) <= max(waited / 20, SOONEST)
