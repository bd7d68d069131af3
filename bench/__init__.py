"""Measurements of dltest against the raw tools beneath it: `python -m bench NAME [--json]`.

A bench prints figures and exits 0 whatever they are; whoever reads them judges. A bench measures
dltest and its reference in the same run on the same lab, in turns, and takes medians.
"""
