"""Damage behind the server's back stays below the storage's folder, and can be done again."""

from pathlib import Path

import pytest

from dltest.lake.damage import Damage
from dltest.lake.storage.operations import _damage_on_disk, _place_on
from dltest.lake.storage.order import FileOrder, Order


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A stored file, and another beside the storage's folder."""
    (tmp_path / "disk" / "rucio").mkdir(parents=True)
    (tmp_path / "outside").write_text("somebody else's")
    stored = tmp_path / "disk" / "rucio" / "file"
    stored.write_bytes(bytes(1000))
    return stored


def test_a_file_lies_where_its_url_says(file: Path, tmp_path: Path) -> None:
    assert _place_on(tmp_path / "disk", "davs://host:1094/rucio/file") == file
    assert _place_on(tmp_path / "disk", "root://host:1094//rucio/file") == file


def test_no_url_leads_out_of_the_storage(file: Path, tmp_path: Path) -> None:
    (file.parent / "link").symlink_to(tmp_path)
    for path in ("/../outside", "/rucio/../../outside", "/rucio/link/outside", "/rucio/.."):
        with pytest.raises(PermissionError, match="outside"):
            _place_on(tmp_path / "disk", f"davs://host:1094{path}")


def test_a_storage_with_spaces_keeps_its_bytes_behind_links(file: Path, tmp_path: Path) -> None:
    (file.parent / "spaced").symlink_to(tmp_path / "outside")
    assert _place_on(tmp_path / "disk", "davs://host/rucio/spaced") == file.parent / "spaced"


@pytest.mark.parametrize("how", [Damage.REMOVE, Damage.FLIP_ONE_BIT, Damage.TRUNCATE])
def test_done_twice_is_done_once(file: Path, how: Damage) -> None:
    order, one = (
        Order(
            kind="damage",
            seed="run",
            files=(),
            spool=str(file.parent),
            parallel_files=1,
            limit_seconds=10,
            parent=1,
        ),
        FileOrder(url="davs://host/rucio/file", index=0, size_bytes=1000),
    )
    _damage_on_disk(file, order, one, how)
    once = file.read_bytes() if file.exists() else None
    _damage_on_disk(file, order, one, how)
    assert (file.read_bytes() if file.exists() else None) == once
    assert once != bytes(1000)
