"""Doors to a data lake: ports that steps know, and adapters that keep Rucio and gfal2 inside."""
