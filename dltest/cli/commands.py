"""The commands by name. Each is imported when it is asked for: none needs all of dltest."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

# Which module of this package registers which commands, in the order of the help.
MODULES: Mapping[str, tuple[str, ...]] = {
    "check": ("check",),
    "plan": ("plan",),
    "run": ("run",),
    "history": ("list", "show", "watch", "cancel"),
    "why": ("why",),
    "second_thoughts": ("annul", "rejudge"),
    "sweep": ("sweep",),
    "schema": ("schema",),
    "steps": ("steps",),
    "doctor": ("doctor",),
    "drill": ("drill",),
    "serve": ("serve",),
    "worker": ("worker",),
    "beat": ("beat",),
    "schedule": ("schedule",),
    "downtime": ("downtime",),
    "lab": ("lab",),
}
_MODULE_OF = {name: module for module, names in MODULES.items() for name in names}


class Commands(TyperGroup):
    """A group whose commands are on a `Shelf`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = Shelf()  # type: ignore[assignment]


class Shelf(Mapping[str, Any]):
    """Every command by name, made when it is taken down."""

    def __getitem__(self, name: str) -> Any:
        return _made(_MODULE_OF[name])[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULE_OF)

    def __len__(self) -> int:
        return len(_MODULE_OF)


@cache
def _made(module: str) -> dict[str, Any]:
    """The commands that the module registers."""
    own = typer.Typer(rich_markup_mode=None)
    import_module(f"dltest.cli.{module}").register(own)
    return dict(typer.main.get_group(own).commands)
