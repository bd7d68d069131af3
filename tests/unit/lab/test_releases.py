from pathlib import Path

import pytest

from dltest.errors import LabError
from dltest.lab.releases import RECIPE, ensure_release, is_whole


def test_an_interrupted_installation_is_not_whole(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    assert not is_whole(tmp_path)
    (tmp_path / "COMPLETE").write_text(RECIPE)
    assert is_whole(tmp_path)


@pytest.mark.parametrize("release", ["latest", "41", "41.5.1; rm", "../41.5.1"])
def test_only_a_release_is_taken_for_one(release: str) -> None:
    with pytest.raises(LabError, match="is not a Rucio release"):
        ensure_release(release, print)
