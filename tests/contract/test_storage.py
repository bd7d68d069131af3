"""The storage port: what every adapter of it promises."""

from trial import Trial

from dltest.lake.damage import Damage
from dltest.lake.payload import adler32_of
from dltest.lake.ports import FileRef, JobKind, JobState
from dltest.lake.simulated import storage_down


def test_what_was_put_is_there_and_is_the_payload(trial: Trial) -> None:
    files = trial.refs(trial.source)
    put = trial.do(JobKind.PUT, files)
    assert put.state is JobState.DONE
    assert [outcome.url for outcome in put.outcomes] == [file.url for file in files]
    expected = [adler32_of(trial.run, file.index, file.size_bytes) for file in files]
    assert [outcome.adler32 for outcome in put.outcomes] == expected
    for kind in (JobKind.READ, JobKind.GET):
        back = trial.do(kind, files)
        assert [outcome.code for outcome in back.outcomes] == [None] * 3
        assert [outcome.adler32 for outcome in back.outcomes] == expected
        assert back.progress.bytes_done == 3000
        assert back.progress.files_done == 3


def test_a_large_file_is_the_payload_too(trial: Trial) -> None:
    """Large enough to be made while it is copied, and no multiple of any piece."""
    [file] = trial.refs(trial.source, count=1, size=(33 << 20) + 7)
    [put] = trial.do(JobKind.PUT, (file,)).outcomes
    assert (put.code, put.adler32) == (None, adler32_of(trial.run, 0, file.size_bytes))
    [back] = trial.do(JobKind.READ, (file,)).outcomes
    assert (back.code, back.size_bytes, back.adler32) == (None, file.size_bytes, put.adler32)


def test_presence_is_asked_of_the_storage(trial: Trial) -> None:
    files = trial.refs(trial.source)
    trial.do(JobKind.PUT, files[:1])
    outcomes = trial.do(JobKind.STAT, files).outcomes
    assert [(o.present, o.size_bytes) for o in outcomes] == [
        (True, 1000),
        (False, None),
        (False, None),
    ]
    assert {outcome.code for outcome in outcomes} == {None}


def test_removing_leaves_nothing_and_can_be_repeated(trial: Trial) -> None:
    files = trial.refs(trial.source)
    trial.do(JobKind.PUT, files)
    for _ in range(2):
        assert {o.code for o in trial.do(JobKind.UNLINK, files).outcomes} == {None}
    assert {o.present for o in trial.do(JobKind.STAT, files).outcomes} == {False}


def test_damage_is_what_lies_there_afterwards_and_no_check_lets_it_pass(trial: Trial) -> None:
    """Of eight files each is damaged in another way, the last two by changing places."""
    files = trial.refs(trial.source, count=9, protocol="root")
    put = trial.do(JobKind.PUT, files).outcomes
    known = [
        file.model_copy(update={"adler32": o.adler32}) for file, o in zip(files, put, strict=True)
    ]
    ways = [way for way in Damage if way is not Damage.SWAP_TWO_FILES]
    ways += [Damage.SWAP_TWO_FILES] * 2
    indexes = [*range(7), 8, 7]
    order = tuple(
        file.model_copy(update={"damage": way, "index": index})
        for file, way, index in zip(known, ways, indexes, strict=True)
    )
    for _ in range(2):
        assert [o.code for o in trial.do(JobKind.DAMAGE, order).outcomes] == [None] * 9
    codes = {
        Damage.REMOVE: "file-missing",
        Damage.TRUNCATE: "size-mismatch",
        Damage.APPEND: "size-mismatch",
        Damage.ZERO_LENGTH: "size-mismatch",
    }
    for kind in (JobKind.READ, JobKind.GET):
        found = {
            way: o.code for way, o in zip(ways, trial.do(kind, tuple(known)).outcomes, strict=True)
        }
        assert found == {way: codes.get(way, "checksum-mismatch") for way in ways}
    trial.do(JobKind.UNLINK, files)


def test_damage_behind_the_servers_back_leaves_its_word_as_it_was(trial: Trial) -> None:
    files = trial.refs(trial.source)
    trial.do(JobKind.PUT, files)
    order = tuple(
        f.model_copy(update={"damage": Damage.FLIP_ONE_BIT, "behind": True}) for f in files
    )
    assert {o.code for o in trial.do(JobKind.DAMAGE, order).outcomes} == {None}
    assert {o.code for o in trial.do(JobKind.READ, files).outcomes} == {"checksum-mismatch"}


def test_damage_that_changes_nothing_is_none(trial: Trial) -> None:
    [file] = trial.refs(trial.source, count=1, size=0)
    [put] = trial.do(JobKind.PUT, (file,)).outcomes
    order = file.model_copy(update={"damage": Damage.TRUNCATE, "adler32": put.adler32})
    [outcome] = trial.do(JobKind.DAMAGE, (order,)).outcomes
    assert outcome.code == "not-damaged"


def test_a_missing_file_does_not_stop_the_others(trial: Trial) -> None:
    files = trial.refs(trial.source)
    trial.do(JobKind.PUT, files[1:])
    for kind in (JobKind.READ, JobKind.GET):
        outcomes = trial.do(kind, files).outcomes
        assert [outcome.code for outcome in outcomes] == ["file-missing", None, None]
        assert all(outcome.answered for outcome in outcomes)


def test_other_bytes_are_noticed_and_located(trial: Trial) -> None:
    files = trial.refs(trial.source)
    trial.do(JobKind.PUT, files)
    shifted = tuple(
        file.model_copy(update={"index": other.index})
        for file, other in zip(files, files[1:] + files[:1], strict=True)
    )
    for kind in (JobKind.READ, JobKind.GET):
        for outcome, file in zip(trial.do(kind, shifted).outcomes, files, strict=True):
            assert outcome.code == "checksum-mismatch"
            assert "first wrong byte at " in outcome.detail
            assert outcome.adler32 == adler32_of(trial.run, file.index, 1000)


def test_another_length_is_noticed(trial: Trial) -> None:
    files = trial.refs(trial.source)
    trial.do(JobKind.PUT, files)
    longer = tuple(file.model_copy(update={"size_bytes": 1001}) for file in files)
    assert {o.code for o in trial.do(JobKind.READ, longer).outcomes} == {"size-mismatch"}


def test_a_job_started_again_is_the_same_job(trial: Trial) -> None:
    files = trial.refs(trial.source)
    job = trial.job(JobKind.PUT, files)
    trial.ports.storage.start(job)
    end = trial.end_of(job.id)
    trial.do(JobKind.UNLINK, files)
    trial.ports.storage.start(job)
    assert trial.end_of(job.id) == end
    assert {o.present for o in trial.do(JobKind.STAT, files).outcomes} == {False}


def test_the_same_files_can_be_put_again(trial: Trial) -> None:
    files = trial.refs(trial.source)
    for _ in range(2):
        assert {o.code for o in trial.do(JobKind.PUT, files).outcomes} == {None}
    assert {o.code for o in trial.do(JobKind.READ, files).outcomes} == {None}


def test_a_job_nobody_knows_is_lost(trial: Trial) -> None:
    trial.ports.storage.cancel("unknown")
    assert trial.ports.storage.look("unknown").state is JobState.LOST


OF_BYTES = (
    JobKind.PUT,
    JobKind.GET,
    JobKind.READ,
    JobKind.STAT,
    JobKind.UNLINK,
    JobKind.DAMAGE,
)


def test_a_refused_connection_is_an_answer(trial: Trial) -> None:
    [file] = trial.refs(trial.source, count=1)
    dead = refusing(trial, file)
    for kind in OF_BYTES:
        [outcome] = trial.do(kind, (dead.model_copy(update={"damage": Damage.TRUNCATE}),)).outcomes
        assert outcome.code == "storage-unreachable", kind
        assert outcome.answered
        assert outcome.detail


def refusing(trial: Trial, file: FileRef) -> FileRef:
    """The same file where nothing listens; port 9 (discard) is served nowhere."""
    if trial.simulated:
        trial.simulated.fall_ill(storage_down(trial.source))
        return file
    scheme, _, rest = file.url.partition("://")
    path = rest.partition("/")[2]
    return file.model_copy(update={"url": f"{scheme}://localhost:9/{path}"})
