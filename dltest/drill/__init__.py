"""The drill: every fault of the lab is made, and dltest must notice it, say who must act, and stop.

For each fault: before it all cases passed; with it the cases that must notice do so, blame the
right party, and no case that shares nothing with it turns red; after it all pass again. dltest runs
through its ordinary engine, and sees what any client of the lake sees: it is never told.
"""

from dltest.drill.conductor import Conductor, Ground
from dltest.drill.judging import Outcome, Seen, judged
from dltest.drill.schedule import Wave, waves
from dltest.drill.trial import Trial, bystanders, needs, trials_of

__all__ = [
    "Conductor",
    "Ground",
    "Outcome",
    "Seen",
    "Trial",
    "Wave",
    "bystanders",
    "judged",
    "needs",
    "trials_of",
    "waves",
]
