"""The two consoles of every command: results on stdout, everything else on stderr.

rich honours NO_COLOR and drops colour and movement when the output is not a terminal.
"""

from rich.console import Console

output = Console(highlight=False)
errors = Console(stderr=True, highlight=False)
