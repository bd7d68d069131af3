"""When runs are born, and when they may begin.

`campaigns` is the one door through which plans become rows. `slots` keeps the schedules of the
scenario folder and opens a campaign for each slot. `admission` (pure) and `gate` let planned runs
begin, within the paces of their scenarios, the installation's limits and the lake's own queue.
`windows` (pure) and `downtimes` say which RSEs are in downtime.
"""

from dltest.scheduling.campaigns import campaign_of
from dltest.scheduling.downtimes import closed_rses, downtime_skips, skip
from dltest.scheduling.folder import Folder, Reading
from dltest.scheduling.gate import admit
from dltest.scheduling.sights import remembered
from dltest.scheduling.slots import keep_schedules, settle

__all__ = [
    "Folder",
    "Reading",
    "admit",
    "campaign_of",
    "closed_rses",
    "downtime_skips",
    "keep_schedules",
    "remembered",
    "settle",
    "skip",
]
