import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "dltest"

# A third-party library and the only places that may import it.
ROOMS = {
    "typer": {"cli"},
    "rich": {"cli"},
    "celery": {"worker"},
    "redis": {"worker"},
    "fastapi": {"web", "lab/transfer_service"},
    "uvicorn": {"cli", "web", "lab/identity", "lab/transfer_service"},
    "authlib": {"lab/identity"},
    "flask": {"lab/identity"},
    "joserfc": {"lake", "lab"},
    "rucio": {"lake", "lab/rucio_side"},
    "gfal2": {"lake", "lab/transfer_service", "cli"},
    "sqlalchemy": {"store", "lab/rucio_side"},
    "alembic": {"store", "lab/rucio_side"},
    "cronsim": {"scenario"},
    "ruamel": {"scenario", "settings.py", "lab"},
    "prometheus_client": {"metrics"},
}


def _imports(source: Path) -> set[str]:
    """The top-level names that a module imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("library", sorted(ROOMS))
def test_a_library_is_touched_only_in_its_room(library: str) -> None:
    strangers = [
        str(source.relative_to(PACKAGE))
        for source in sorted(PACKAGE.rglob("*.py"))
        if library in _imports(source)
        and not any(source.is_relative_to(PACKAGE / room) for room in ROOMS[library])
    ]
    assert strangers == []


def test_no_package_imports_from_above() -> None:
    lint = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    checked = subprocess.run(
        lint, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert checked.returncode == 0, checked.stdout[-3000:]
