import stat
from pathlib import Path

import pytest

from dltest.errors import LabError
from dltest.lab.description import PartSeen, State, Wish
from dltest.lab.layout import write_atomically


def state(*states: str) -> State:
    parts = tuple(PartSeen(name=str(n), state=one) for n, one in enumerate(states))  # type: ignore[arg-type]
    return State(supervisor=1, started_at=0.0, parts=parts)


@pytest.mark.parametrize(
    ("states", "ready"),
    [
        (("ready", "done"), True),
        (("ready", "starting"), False),
        (("ready", "down"), False),
        ((), False),
    ],
)
def test_a_lab_is_ready_when_all_of_its_parts_are(states: tuple[str, ...], ready: bool) -> None:
    assert state(*states).is_ready is ready


def test_a_damaged_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "wish.json").write_text('{"service": tr')
    with pytest.raises(LabError, match=r"wish\.json is damaged.*--purge"):
        Wish.read(tmp_path / "wish.json")


def test_no_file_is_no_document(tmp_path: Path) -> None:
    assert Wish.read(tmp_path / "wish.json") is None


def test_documents_are_for_their_owner_only(tmp_path: Path) -> None:
    Wish(service=True).write(tmp_path / "wish.json")
    assert stat.S_IMODE((tmp_path / "wish.json").stat().st_mode) == 0o600
    assert Wish.read(tmp_path / "wish.json") == Wish(service=True)


def test_a_write_that_fails_leaves_the_old_text_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_atomically(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(file, "\udc80")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]
