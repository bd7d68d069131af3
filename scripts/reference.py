"""Write the pages of docs/reference and the scenario schema from the code they describe.

`tests/house/test_reference.py` fails when a committed page is not what this would write.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from dltest.cli.main import app
from dltest.lab.faults import CATALOGUE, FAULTS
from dltest.lab.faults.fault import OTHER, RSE, Drill, Fault
from dltest.lake.token_rules.at_rucio import SIGN_INS
from dltest.lake.token_rules.catalogue import ACCEPTED, REFUSED
from dltest.lake.token_rules.uses import EXPIRIES, GRACE_SECONDS
from dltest.metrics.catalogue import CATALOGUE as METRICS
from dltest.scenario import json_schema
from dltest.settings import Settings
from dltest.steps import registry

ROOT = Path(__file__).resolve().parent.parent
NOTE = "<!-- Written by `make docs`; do not edit. -->\n\n"
WIDTH = 100

Json = Mapping[str, Any]


def pages() -> dict[Path, str]:
    """Every generated file's path below the root, and what it must hold."""
    schema = json_schema(registry())
    return {
        Path("docs/reference/cli.md"): NOTE + cli_page(),
        Path("docs/reference/faults.md"): NOTE + faults_page(),
        Path("docs/reference/metrics.md"): NOTE + metrics_page(),
        Path("docs/reference/scenario.md"): NOTE + scenario_page(schema),
        Path("docs/reference/settings.md"): NOTE + settings_page(),
        Path("docs/reference/token-rules.md"): NOTE + token_rules_page(),
        Path("scenarios/scenario.schema.json"): json.dumps(schema, indent=2) + "\n",
    }


def cli_page() -> str:
    """What `--help` prints, for every command."""
    helps = [f"## {name}\n\n```text\n{text}\n```\n" for name, text in _helps("dltest", _group(app))]
    return "# Commands\n\nWhat `dltest COMMAND --help` prints.\n\n" + "\n".join(helps)


def _group(typer_app: typer.Typer) -> Any:
    return typer.main.get_command(typer_app)


def _helps(name: str, command: Any, parent: Any = None) -> Iterator[tuple[str, str]]:
    context = command.make_context(
        name.rpartition(" ")[2], [], parent, resilient_parsing=True, max_content_width=WIDTH
    )
    context.terminal_width = WIDTH
    yield name, "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    for word, part in sorted(getattr(command, "commands", {}).items()):
        yield from _helps(f"{name} {word}", part, context)


def faults_page() -> str:
    """Every fault of the lab, and what must notice it."""
    held = sum(len(fault.drills) for fault in FAULTS)
    rows = [_fault_row(fault, drill) for fault in FAULTS for drill in fault.drills]
    waiting = [
        f"| `{one.name}` | {one.title} | {one.waits_for} |\n" for one in CATALOGUE if one.waits_for
    ]
    return (
        "# Faults of a lab\n\n"
        "What `dltest lab break` does to a lab, and what `dltest drill` demands of dltest for each:"
        f" {held} drills. `{RSE}` is the broken RSE, `{OTHER}` another one, `{{0}}` the case's"
        " first and so on. *effect*: `down` is killed and stays dead; `hung` stands still with its"
        " port open; `altered` runs with other settings or behind a front that misbehaves; `data`"
        " is a change in Rucio's database.\n\n"
        "| fault | what is wrong | effect | noticed by | at step | verdict | blame | finding |\n"
        "|---|---|---|---|---|---|---|---|\n"
        + "".join(rows)
        + "\n## Not yet\n\nThe lab cannot have these until it has what they wait for.\n\n"
        "| fault | what is wrong | waits for |\n|---|---|---|\n" + "".join(waiting)
    )


def token_rules_page() -> str:
    """Every token rule: what the storage must do, and why."""
    accepted = "".join(f"| `{one.name}` | {one.does} | {one.says} |\n" for one in ACCEPTED)
    refused = "".join(
        f"| `{one.name}` | {one.does} | {one.says} | `{one.mirror}` |\n" for one in REFUSED
    )
    return (
        "# Token rules\n\n"
        "What the step `token-rules` holds storages to. Each rule is tried at a file of its own, by"
        " plain HTTP with nothing but the rule's token; before and after, dltest looks with a token"
        " of its own at what lies there. Rights and paths are those of the WLCG Common JWT Profiles"
        " 1.2. A rule for which the issuer gives no token, as with a lifetime of seconds, is not"
        " tried.\n\n"
        "## Must be accepted\n\n| rule | request | what holds |\n|---|---|---|\n"
        + accepted
        + "\n## Must be refused\n\nA refusal leaves the storage as it was, and proves something"
        " only where its mirror is accepted.\n\n"
        "| rule | request | what holds | mirror |\n|---|---|---|---|\n"
        + refused
        + "\n## At Rucio\n\nWhat the step `rucio-sign-in` holds Rucio's server to.\n\n"
        "| rule | must be | what holds | mirror |\n|---|---|---|---|\n"
        + "".join(
            f"| `{one.name}` | {one.must} | {one.says} | {_code(one.mirror)} |\n"
            for one in SIGN_INS.values()
        )
        + "\n## After its end\n\nWhat the step `token-expiry` uses tokens for, until their end and"
        f" on: {', '.join(EXPIRIES)}. Implementations that document how long they go on accepting a"
        " token that they have seen good: "
        + ", ".join(f"{name} {grace:g} s" for name, grace in GRACE_SECONDS.items())
        + "; all others have no such time, unless the scenario says so.\n"
    )


def _code(word: str | None) -> str:
    return f"`{word}`" if word else ""


def _fault_row(fault: Fault, drill: Drill) -> str:
    name = f"{fault.name} {drill.target or fault.kind or ''}".strip()
    cells = [
        (
            f"`{notice.scenario}[{'->'.join(notice.at)}]`",
            f"`{notice.step}`",
            notice.verdict.value,
            notice.blame,
            ", ".join(f"`{code}`" for code in notice.codes),
        )
        for notice in drill.notices
    ]
    told = " | ".join("<br>".join(column) for column in zip(*cells, strict=True))
    return f"| `{name}` | {fault.title} | {fault.effect} | {told} |\n"


def metrics_page() -> str:
    """Every metric of `/metrics`."""
    rows = ["| metric | kind | labels | meaning |\n|---|---|---|---|\n"]
    for metric in sorted(METRICS, key=lambda metric: metric.name):
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        rows.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |\n")
    return "# Metrics\n\nWhat `dltest serve` exports at `/metrics`.\n\n" + "".join(rows)


def scenario_page(schema: Json) -> str:
    """Every key of a scenario file, then every step."""
    steps = schema["properties"]["steps"]["items"]["properties"]
    keys = {key: value for key, value in schema["properties"].items() if key != "steps"}
    parts = ["# Scenario files\n\n## Keys\n\n", _key_table(keys, schema)]
    for name, definition in sorted(schema["$defs"].items()):
        if not name.startswith("step-") and "properties" in definition:
            parts.append(f"\n### {name}\n\n{definition.get('description', '')}\n\n")
            parts.append(_key_table(definition["properties"], definition))
    parts.append("\n## Steps\n")
    for name, call in steps.items():
        body = schema["$defs"][f"step-{name}"]
        parts.append(f"\n### {name}\n\n{call['description']}.\n\n")
        parts.append(_key_table(body["properties"], body))
    return "".join(parts)


def _key_table(properties: Json, owner: Json) -> str:
    rows = ["| key | meaning | default | example |\n|---|---|---|---|\n"]
    for key, about in properties.items():
        default = "required" if key in owner.get("required", []) else _code(about.get("default"))
        example = _code(next(iter(about.get("examples", [])), None))
        rows.append(f"| `{key}` | {about.get('description', '')} | {default} | {example} |\n")
    return "".join(rows)


def _code(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return f"`{text}`".replace("|", "\\|")


def settings_page() -> str:
    """Every environment variable that dltest reads."""
    prefix = Settings.model_config["env_prefix"]
    rows = ["| variable | meaning | default |\n|---|---|---|\n"]
    for name, field in sorted(Settings.model_fields.items()):
        default = "" if field.default is None or field.default_factory else f"`{field.default}`"
        rows.append(f"| `{prefix}{name.upper()}` | {field.description} | {default} |\n")
    return "# Settings\n\nEnvironment variables.\n\n" + "".join(rows)


def main() -> None:
    for path, text in pages().items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
