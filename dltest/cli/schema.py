"""`dltest schema`: the JSON Schema that editors complete scenario files from."""

import json
from pathlib import Path
from typing import Annotated

import typer

from dltest.cli.screen import errors, output
from dltest.errors import SettingsError
from dltest.scenario import json_schema
from dltest.steps import registry


def schema(
    file: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it to this file, not to stdout.")
    ] = None,
) -> None:
    """Print the JSON Schema of scenario files, with the step types installed here.

    Editors complete keys, show what they mean, and underline mistakes when a file begins with

    \b
      # yaml-language-server: $schema=../scenario.schema.json

    \b
    Examples:
      dltest schema -o scenarios/scenario.schema.json
    """
    text = schema_text()
    if file is None:
        output.print(text, markup=False, soft_wrap=True, end="")
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"cannot write {file}: {error.strerror}") from None
    errors.print(f"the schema is in {file}", markup=False, soft_wrap=True)


def schema_text() -> str:
    """The schema as the committed file holds it."""
    return json.dumps(json_schema(registry()), indent=2, ensure_ascii=False) + "\n"


def register(app: typer.Typer) -> None:
    app.command()(schema)
