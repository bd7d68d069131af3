"""Runs a case step by step, writes down what happens, and cleans up, whatever happens.

A run passes these phases, each saved before the next begins:

1. planned: the row exists, before anything is done, so that an outage leaves a row too;
2. exercising: for each step `begin`, then `look` until it is done, refused, overdue or unknown;
   the first step that does not come to what its scenario expects ends the exercise;
3. concluded: the records are judged; the verdict stands from here on;
4. cleaning: all that the ledger lists is removed, and its absence verified;
5. ended: what could not be removed is counted, kept in the ledger, and swept later.

`machine` is pure and decides; `driver` carries out; `local` drives runs in one process.
"""

from dltest.engine.driver import advance, context_of
from dltest.engine.house import House
from dltest.engine.local import LocalDriver
from dltest.engine.poll import poll
from dltest.engine.rejudge import judged_again
from dltest.engine.rest import Rules
from dltest.engine.sweep import reopen, reopen_unclean

__all__ = [
    "House",
    "LocalDriver",
    "Rules",
    "advance",
    "context_of",
    "judged_again",
    "poll",
    "reopen",
    "reopen_unclean",
]
