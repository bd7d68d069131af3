"""Rucio's exceptions, each translated at the door.

A table by class name, since the classes differ between releases. `tests/unit/lake` lists
`rucio.common.exception` and fails on a class that is not named here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from requests.exceptions import ConnectionError as HTTPConnectionError
from requests.exceptions import RequestException
from requests.exceptions import Timeout as HTTPTimeout
from rucio.common.exception import RucioException

from dltest.errors import CatalogueError, CredentialError, LakeError
from dltest.model import DLTEST, RUCIO, Blame

SILENT = {
    "ServerConnectionException",
    "ServiceUnavailable",
    "ResourceTemporaryUnavailable",
    "DatabaseException",
    "ReplicationRuleCreationTemporaryFailed",
}
"""Rucio did not really answer: it may do so in a moment."""

CREDENTIALS = {
    "CannotAuthenticate",
    "CannotAuthorize",
    "ErrorLoadingCredentials",
    "IdentityError",
    "IdentityNotFound",
    "NoAuthInformation",
}

NOT_PERMITTED = {"AccessDenied", "ScopeAccessDenied", "RSEAccessDenied", "SourceAccessDenied"}

REFUSALS = {
    "DestinationNotAccessible": "rse-blocked",
    "FullStorage": "no-space",
    "InsufficientAccountLimit": "quota-exceeded",
    "InsufficientTargetRSEs": "no-target-rse",
    "ManualRuleApprovalBlocked": "approval-needed",
    "RSENotFound": "no-such-rse",
    "RSEOverQuota": "rse-over-quota",
    "RSEWriteBlocked": "rse-blocked",
    "ReplicaIsLocked": "replica-locked",
    "ReplicaUnAvailable": "replica-not-available",
    "ScopeNotFound": "no-such-scope",
    "SourceNotFound": "file-missing",
    "FileConsistencyMismatch": "checksum-mismatch",
    "AccountNotFound": "no-such-account",
    "NoDistance": "no-distance",
}

OUR_FAULT = {
    "ClientParameterMismatch",
    "ClientProtocolNotFound",
    "ClientProtocolNotSupported",
    "ConfigLoadingError",
    "ConfigNotFound",
    "ConfigurationError",
    "ConnectionParameterNotFound",
    "DeprecationError",
    "InputValidationError",
    "InvalidMetadata",
    "InvalidObject",
    "InvalidPath",
    "InvalidRequest",
    "InvalidType",
    "InvalidValueForKey",
    "MissingClientParameter",
    "MissingDependency",
    "MissingModuleException",
    "NameTypeError",
    "UnsupportedRequestedContentType",
}
"""Rucio or its client refuses the question: dltest asked it wrongly."""

PLAIN = {
    "ChecksumCalculationError",
    "CounterNotFound",
    "DIDError",
    "DIDFilterSyntaxError",
    "DataIdentifierAlreadyExists",
    "DataIdentifierNotFound",
    "Duplicate",
    "DuplicateContent",
    "DuplicateCriteriaInDIDFilter",
    "DuplicateFileTransferSubmission",
    "DuplicateRule",
    "ErrorLoadingPolicyPackage",
    "FileAlreadyExists",
    "FileReplicaAlreadyExists",
    "FilterEngineGenericError",
    "InvalidAccountType",
    "InvalidAlgorithmName",
    "InvalidPolicyPackageAlgorithmType",
    "InvalidRSEExpression",
    "InvalidReplicationRule",
    "InvalidRuleWeight",
    "InvalidSourceReplicaExpression",
    "KeyNotFound",
    "LifetimeExceptionDuplicate",
    "LifetimeExceptionNotFound",
    "MetadataSchemaMismatchError",
    "MetalinkJsonParsingError",
    "MissingSourceReplica",
    "NoFilesDownloaded",
    "NoFilesUploaded",
    "NotAllFilesDownloaded",
    "NotAllFilesUploaded",
    "OpenDataDataIdentifierAlreadyExists",
    "OpenDataDataIdentifierNotFound",
    "OpenDataDuplicateDOI",
    "OpenDataDuplicateRecordID",
    "OpenDataError",
    "OpenDataInvalidState",
    "OpenDataInvalidStateUpdate",
    "PolicyPackageBaseException",
    "PolicyPackageIsNotVersioned",
    "PolicyPackageNotFound",
    "PolicyPackageVersionError",
    "RSEAttributeNotFound",
    "RSEChecksumUnavailable",
    "RSEFileNameNotSupported",
    "RSENotConnected",
    "RSEOperationNotSupported",
    "RSEProtocolDomainNotSupported",
    "RSEProtocolNotSupported",
    "RSEProtocolPriorityError",
    "ReplicaNotFound",
    "RequestNotFound",
    "RucioException",
    "RuleNotFound",
    "RuleReplaceFailed",
    "ScratchDiskLifetimeConflict",
    "SortingAlgorithmNotSupported",
    "StagingAreaRuleRequiresLifetime",
    "SubscriptionDuplicate",
    "SubscriptionNotFound",
    "SubscriptionWrongParameter",
    "TraceValidationSchemaNotFound",
    "TransferToolTimeout",
    "TransferToolWrongAnswer",
    "UndefinedPolicy",
    "UnsupportedAccountName",
    "UnsupportedDIDType",
    "UnsupportedKeyType",
    "UnsupportedMetadataPlugin",
    "UnsupportedOperation",
    "UnsupportedStatus",
    "UnsupportedValueType",
    "VONotFound",
}
"""Answers that have no meaning of their own for a test: refused, in Rucio's words."""

KNOWN = SILENT | CREDENTIALS | NOT_PERMITTED | set(REFUSALS) | OUR_FAULT | PLAIN

LONGEST = 500


@contextmanager
def translated(operation: str, rse: str | None = None) -> Iterator[None]:
    """Everything that rucio-clients raises leaves as a `LakeError`."""
    try:
        yield
    except RucioException as error:
        raise from_rucio(error, operation, rse) from error
    except (HTTPTimeout, HTTPConnectionError) as error:
        raise _silent(f"Rucio does not answer: {error}", operation, rse) from error
    except RequestException as error:
        raise _silent(f"Rucio's answer cannot be read: {error}", operation, rse) from error
    except (EOFError, SystemExit) as error:
        # The client asks for a person when a sign-in needs one; nobody is there.
        message = f"{operation}: signing in to Rucio needs a person"
        raise _not_signed_in(message, operation) from error


def from_rucio(error: RucioException, operation: str, rse: str | None = None) -> LakeError:
    """The lake error for one of Rucio's own."""
    name = type(error).__name__
    message = f"{operation}: {name}: {str(error)[:LONGEST].strip()}"
    if name in SILENT or _is_server_failure(name, str(error)):
        return _silent(message, operation, rse)
    if name in CREDENTIALS:
        return _not_signed_in(message, operation)
    return CatalogueError(
        message, code=_code(name), operation=operation, rse=rse, blame=_blame(name)
    )


def _code(name: str) -> str:
    if name in NOT_PERMITTED:
        return "not-permitted"
    return "dltest-error" if name in OUR_FAULT else REFUSALS.get(name, "rucio-refused")


def _blame(name: str) -> Blame:
    return DLTEST if name in OUR_FAULT else RUCIO


def _is_server_failure(name: str, text: str) -> bool:
    """A bare RucioException with a 5xx is an answer without content."""
    return name == "RucioException" and any(
        f"http status code: {status}" in text for status in (500, 502, 503, 504)
    )


def _not_signed_in(message: str, operation: str) -> CredentialError:
    """Whether our credentials are wrong or the sign-in is: of the lake we know nothing then."""
    return CredentialError(message, code="sign-in-failed", operation=operation, answered=False)


def _silent(message: str, operation: str, rse: str | None) -> CatalogueError:
    return CatalogueError(
        message[:LONGEST],
        code="rucio-unreachable",
        operation=operation,
        rse=rse,
        retryable=True,
        answered=False,
    )
