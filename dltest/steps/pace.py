"""How often a step asks the lake again: soon at first, and never so often that it is a burden."""

from datetime import timedelta

SOONEST = timedelta(milliseconds=500)
LATEST = timedelta(seconds=10)
SHARE = 20


def pause(waited: timedelta) -> timedelta:
    """A twentieth of the time waited so far, so what is seen is late by 5 % at most.

    Never less than half a second, which is the error of what takes a moment, nor more than ten.
    """
    return min(max(waited / SHARE, SOONEST), LATEST)
