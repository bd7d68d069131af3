"""Jinja2 with everything escaped and every missing name an error; templates lie in `html/`."""

from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from dltest.model import FACES
from dltest.units import human_size

COLOURS = "".join(
    f".{verdict.value} {{ background: {face.colour}; }}\n" for verdict, face in FACES.items()
)


def render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)


def stylesheet() -> str:
    """The style, with the verdicts' colours from their one table."""
    return _environment().get_template("style.css").render(colours=COLOURS)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("dltest.web", "html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = _moment
    environment.filters["amount"] = _amount
    return environment


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "not yet"


def _amount(value: float, name: str) -> str:
    """A measurement with the unit that the end of its name tells."""
    if name.endswith("bytes_per_second"):
        return f"{human_size(value)}/s"
    if name.endswith("bytes"):
        return human_size(value)
    return f"{value:g} s" if name.endswith("_seconds") else f"{value:g}"
