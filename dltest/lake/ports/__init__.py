"""What dltest asks of a lake, as Protocols: steps know these and nothing of Rucio or gfal2.

Every method raises `LakeError` alone. All times are aware UTC. Every method that makes something
outside may be repeated with the same arguments and makes it once.
"""

from dltest.lake.ports.answers import (
    FileFacts,
    Replica,
    ReplicaState,
    Rule,
    RuleState,
    TransferRequest,
    rule_seen,
)
from dltest.lake.ports.bad_replicas import BadReplica, BadReplicas, BadState
from dltest.lake.ports.catalogue import Catalogue
from dltest.lake.ports.deletion import Deletion
from dltest.lake.ports.diagnosis import Diagnosis, Heartbeat, Operation, Usage
from dltest.lake.ports.faults import Faults
from dltest.lake.ports.lake import (
    LakePorts,
    Ledger,
)
from dltest.lake.ports.storage import (
    Carrier,
    FileOutcome,
    FileRef,
    JobKind,
    JobState,
    JobStatus,
    Storage,
    StorageJob,
    TokenTrial,
)
from dltest.lake.ports.strangers import Attempt, Belongings, Deed, Stranger
from dltest.lake.ports.tokens import IssuedToken, NodeHealth, TokenRequest, Tokens
from dltest.lake.ports.transfers import (
    TransferFile,
    Transfers,
)

__all__ = [
    "Attempt",
    "BadReplica",
    "BadReplicas",
    "BadState",
    "Belongings",
    "Carrier",
    "Catalogue",
    "Deed",
    "Deletion",
    "Diagnosis",
    "Faults",
    "FileFacts",
    "FileOutcome",
    "FileRef",
    "Heartbeat",
    "IssuedToken",
    "JobKind",
    "JobState",
    "JobStatus",
    "LakePorts",
    "Ledger",
    "NodeHealth",
    "Operation",
    "Replica",
    "ReplicaState",
    "Rule",
    "RuleState",
    "Storage",
    "StorageJob",
    "Stranger",
    "TokenRequest",
    "TokenTrial",
    "Tokens",
    "TransferFile",
    "TransferRequest",
    "Transfers",
    "Usage",
    "rule_seen",
]
