from collections.abc import Iterator

import pytest
from issuer_rig import Rig, issuer_rig


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with issuer_rig(tmp_path_factory.mktemp("issuer")) as rig:
        yield rig


@pytest.fixture
def whole(rig: Rig) -> Iterator[Rig]:
    """As it was before, whatever the test did to it."""
    yield rig
    rig.mend()
