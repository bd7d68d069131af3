"""Reading scenario files: YAML text to `Scenario`, or every mistake with its line and column.

`parse` reads one text, `load` files and folders, `json_schema` writes what editors complete from,
`dump` writes a scenario back, `with_values` sets what a person may set for one run.
"""

from dltest.scenario.dump import dump
from dltest.scenario.load import load
from dltest.scenario.parse import Registry, parse
from dltest.scenario.rse_expression import ExpressionError, parse_expression
from dltest.scenario.scenario import Limits, Scenario, Target
from dltest.scenario.schema import json_schema
from dltest.scenario.setting import with_values

__all__ = [
    "ExpressionError",
    "Limits",
    "Registry",
    "Scenario",
    "Target",
    "dump",
    "json_schema",
    "load",
    "parse",
    "parse_expression",
    "with_values",
]
