"""Scripts that run inside the Rucio server's own environment.

They import Rucio and the standard library only, never dltest, and run on every Rucio release
that the lab supports.
"""
