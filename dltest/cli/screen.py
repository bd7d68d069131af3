"""The two consoles of every command: results on stdout, everything else on stderr.

rich honours NO_COLOR and drops colour and movement when the output is not a terminal.
"""

import sys

from rich.console import Console

# A pipe or a log has no width: tables must not be broken for one that nobody has.
WIDE = 240

output = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
errors = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDE)
