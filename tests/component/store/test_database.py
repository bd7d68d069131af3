"""Tables: migrated by many at once, equal to the code's, and honest when out of reach."""

import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text

from dltest.errors import StoreError
from dltest.store import Store
from dltest.store.migrate import config_for
from dltest.store.tables import metadata

# All start at the same word, or the first would be done before the last has imported anything.
MIGRATE = """
import sys
from dltest.store import Store
store = Store.open(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
store.migrate()
"""


def test_migrated_tables_are_those_of_the_code(store: Store) -> None:
    with store._database.writing("compare") as connection:
        command.check(config_for(connection))


def test_migrating_again_changes_nothing(store: Store) -> None:
    store.migrate()
    with store._database.reading("count") as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1


def test_every_word_of_every_vocabulary_is_allowed_and_no_other(store: Store) -> None:
    """A word that was added to the model without a migration fails here."""
    columns = [
        (table.name, column.name, column.type.enums)
        for table in metadata.tables.values()
        for column in table.columns
        if hasattr(column.type, "enums")
    ]
    assert len(columns) > 10
    with store._database.reading("read constraints") as connection:
        dialect = connection.dialect
        for table, column, words in columns:
            checks = " ".join(
                check["sqltext"]
                for check in dialect.get_check_constraints(connection, table)  # type: ignore[attr-defined]
                if check["name"] == f"ck_{table}_{column}"
            )
            assert {word for word in words if f"'{word}'" in checks} == set(words), (table, column)
            assert checks.count("'") == 2 * len(words), (table, column)


def test_downgrade_leaves_no_table(store: Store) -> None:
    with store._database.writing("downgrade") as connection:
        command.downgrade(config_for(connection), "base")
        names = connection.dialect.get_table_names(connection)  # type: ignore[attr-defined]
    assert names == ["alembic_version"]


def test_many_processes_migrate_at_once(empty_database_url: str) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, empty_database_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0] * 4, said
    with Store.open(empty_database_url) as store, store._database.reading("count") as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).all() == [
            (ScriptDirectory.from_config(config_for(connection)).get_current_head(),)
        ]


def test_tables_of_a_newer_dltest_are_left_alone(store: Store) -> None:
    with store._database.writing("pretend") as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"of another dltest.*upgrade"):
        store.migrate()


def whole_story(action: Callable[[], object]) -> str:
    with pytest.raises(StoreError) as caught:
        action()
    return "".join(traceback.format_exception(caught.value)) + repr(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:h0le-secret@127.0.0.1:1/x",
        "postgresql://u:h0le-secret@[broken/x",
        "mysql://u:h0le-secret@host/x",
        "h0le-secret",
        "sqlite://",
    ],
)
def test_no_error_tells_the_password(url: str) -> None:
    story = whole_story(lambda: Store.open(url).runs())
    assert "h0le-secret" not in story


def test_a_server_that_does_not_answer_is_named(servers_dir: Path) -> None:
    story = whole_story(Store.open("postgresql://u:pw@127.0.0.1:1/x").campaigns)
    assert "cannot list campaigns" in story
    assert "127.0.0.1" in story


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    story = whole_story(lambda: Store.open(f"sqlite:///{tmp_path}/file/x.sqlite3"))
    assert "cannot make the store's folder" in story


def test_statements_that_take_too_long_are_ended(postgresql_url: str) -> None:
    store = Store.open(postgresql_url, statement_seconds=1)

    def sleep() -> None:
        with store._database.reading("sleep") as connection:
            connection.execute(text("SELECT pg_sleep(10)"))

    with pytest.raises(StoreError, match="statement timeout"):
        sleep()
    store.close()


@pytest.fixture
def at_rest(postgresql_url: str) -> Iterator[tuple[Store, int]]:
    """A store with a connection at rest, and which it is."""
    with Store.open(postgresql_url) as store:
        with store._database.reading("ask") as connection:
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        yield store, pid


def end_connection(url: str, pid: int) -> None:
    with Store.open(url) as other, other._database.reading("end it") as connection:
        assert connection.execute(text("SELECT pg_terminate_backend(:p, 5000)"), {"p": pid})


def ask(store: Store) -> int:
    with store._database.reading("ask again") as connection:
        return int(connection.execute(text("SELECT 1")).scalar_one())


def test_a_connection_that_died_at_rest_is_not_used(
    at_rest: tuple[Store, int], postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, pid = at_rest
    end_connection(postgresql_url, pid)
    monkeypatch.setattr("dltest.store.database.IDLE_SECONDS", 0)
    assert ask(store) == 1


def test_a_connection_that_died_in_use_costs_one_call(
    at_rest: tuple[Store, int], postgresql_url: str
) -> None:
    store, pid = at_rest
    end_connection(postgresql_url, pid)
    with pytest.raises(StoreError, match=r"terminating connection|closed"):
        ask(store)
    assert ask(store) == 1


# An open run that had begun, a case and a total.
FIRST_ROWS = (
    "INSERT INTO campaign VALUES ('c1', 'lab', 'manual', 'service', 't', CURRENT_TIMESTAMP)",
    """INSERT INTO run (id, campaign_id, position, lake, scenario, case_id, source, destination,
    rse, phase, leftovers, cancelled, planned_at, step_index, case_definition, version)
    VALUES ('r1', 'c1', 0, 'lab', 'write', 'write[XRD1]', '', '', 'XRD1', 'exercising', 0, FALSE,
    CURRENT_TIMESTAMP, 0, '{}', 3)""",
    """INSERT INTO case_state VALUES ('lab', 'write[XRD1]', 'write', '', '', 'XRD1', 'failed',
    'site XRD1', 'r0', CURRENT_TIMESTAMP, NULL)""",
    """INSERT INTO run_total VALUES ('lab', 'write[XRD1]', 'failed', 'site XRD1', 'write', '', '',
    'XRD1', 7)""",
)


def test_rows_of_the_first_release_are_kept_and_can_be_read(empty_database_url: str) -> None:
    with Store.open(empty_database_url) as store:
        with store._database.writing("make the first tables") as connection:
            command.upgrade(config_for(connection), "0001")
            for row in FIRST_ROWS:
                connection.exec_driver_sql(row)
        store.migrate()
        assert store.due(datetime.now(UTC)) == ["r1"]
        (state,) = store.cases()
        assert (state.status, state.recent) == (None, ())
        (total,) = store.snapshot().runs
        assert (total.runs, total.annulled) == (7, 0)
