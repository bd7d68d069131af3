"""`dltest` with leases of a few seconds, so that a test sees what follows a death without waiting."""

import os
from datetime import timedelta

from dltest.cli.main import main
from dltest.worker import moving, tasks

moving.LEASE = timedelta(seconds=4)
moving.RENEW_EVERY = timedelta(seconds=0.5)
tasks.MESSAGE_LOST_AFTER = timedelta(seconds=3)
os.environ["DLTEST_TICK_SECONDS"] = "2"
main()
