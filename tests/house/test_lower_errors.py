"""Every error that a library below can raise has a meaning of ours."""

import errno
import inspect

import pytest
from rucio.common import exception as rucio_exceptions

from dltest.errors import LakeError
from dltest.lake.rucio.errors import KNOWN, from_rucio
from dltest.lake.storage.errors import CODES

# gfal2's HTTP plugin turns davix's status into one of these (gfal_http_plugin.cpp, davix2errno).
FROM_DAVIX = (
    "EIO EPERM EHOSTUNREACH EHOSTDOWN ETIMEDOUT ENOENT EISDIR ENOTDIR EACCES EEXIST EINVAL ENOSYS"
    " ECANCELED ECOMM EBUSY ENOSPC EPROTONOSUPPORT"
)
# XRootD's client turns the server's kXR codes into these (XProtocol.hh, toErrno).
FROM_XROOTD = (
    "EINVAL ENAMETOOLONG EDEADLK EBADF ENODEV EIO ENOMEM ENOSPC EACCES ENOENT EFAULT ENOSYS"
    " EHOSTUNREACH ENOTBLK EISDIR ECANCELED EEXIST EDOM EINPROGRESS EDQUOT EILSEQ ERANGE EUSERS"
    " EROFS ENODATA EPROTOTYPE EADDRNOTAVAIL EBADE EIDRM ENOTTY ETOOMANYREFS ETIMEDOUT ETIME EBUSY"
    " EREMOTEIO ECONNREFUSED ECONNRESET ENOTCONN EPIPE EPROTO"
)
# gfal2 itself, and the local file's side of a copy.
FROM_GFAL2 = "EPROTONOSUPPORT EINVAL ENOMEM EMFILE EFBIG EXDEV ENOTSUP EAGAIN EINTR EOVERFLOW"


@pytest.mark.parametrize("name", sorted({*f"{FROM_DAVIX} {FROM_XROOTD} {FROM_GFAL2}".split()}))
def test_every_errno_of_gfal2_is_mapped(name: str) -> None:
    assert getattr(errno, name) in CODES


RUCIO = [
    one
    for _, one in inspect.getmembers(rucio_exceptions, inspect.isclass)
    if issubclass(one, rucio_exceptions.RucioException)
]


def test_every_exception_of_rucio_is_mapped() -> None:
    assert {one.__name__ for one in RUCIO} - KNOWN == set()


@pytest.mark.parametrize("kind", RUCIO)
def test_every_exception_of_rucio_becomes_a_lake_error_that_says_what_we_did(
    kind: type[Exception],
) -> None:
    lake_error = from_rucio(raised(kind), "list RSEs", "XRD1")
    assert isinstance(lake_error, LakeError)
    assert str(lake_error).startswith("list RSEs: ")
    assert lake_error.code
    assert lake_error.operation == "list RSEs"


def raised(kind: type[Exception]) -> Exception:
    """One of the kind, with a word for whatever it demands."""
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    words = ["word" for one in parameters if one.default is one.empty and one.kind <= 1]
    # What the client passes on from the server; one class insists on it.
    return kind(*words or ["its own words"])
