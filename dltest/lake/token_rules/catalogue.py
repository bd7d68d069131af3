"""The rules: what the token says, what is asked with it, and what must come of that.

Rights and paths as in the WLCG Common JWT Profiles 1.2: `storage.read` reads and lists,
`storage.create` makes what is not there, `storage.modify` changes, moves and deletes; each holds
for the path that follows it and all below. Registered claims as in RFC 7519, and their checks as
in RFC 8725 (JSON Web Token Best Current Practices) and RFC 9068.

A refusal proves nothing where nothing would be accepted: each rule that must be refused names
its `mirror`, which differs in the one thing and must be accepted.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from dltest.lake.token_rules.forgery import Forgery


class Must(StrEnum):
    """What a storage must do; the words are those of its answers too."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class Action(StrEnum):
    """What is asked. CREATE and COPY find nothing in the file's place, the others the file.

    COPY has the storage fetch the file from beside, by HTTP third-party copy. UPLOAD and DOWNLOAD
    are slow, and outlast their token.
    """

    READ = "read"
    LIST = "list"
    CREATE = "create"
    OVERWRITE = "overwrite"
    DELETE = "delete"
    MOVE = "move"
    COPY = "copy"
    UPLOAD = "upload"
    DOWNLOAD = "download"


FOREIGN_AUDIENCE = "https://elsewhere.dltest.invalid/"
GROUP = "wlcg.groups"
SHORT_SECONDS = 2
SOON_SECONDS = 60
LATER_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token to be asked for, and what is done to it then.

    Scopes hold places: `{file}` is the rule's file, `{folder}` where it lies, `{stem}` its path
    without the last three letters, `{beside}` another file of the run, in the folder `{other}`.
    """

    scopes: tuple[str, ...] = ("storage.read:{file}",)
    audience: str | None = None
    lifetime: int | None = None
    not_before: int | None = None
    forgery: Forgery | None = None
    outlived: bool = False
    """It is shown only after its end."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One cell's row. `says` is the rule as a sentence, with the section that demands it.

    `path` is how the request spells the file's path: `{escape}` is the way to it from `{other}`,
    by `..`; `{encoded}` the same with dots as `%2e`; `{packed}` with slashes as `%2f` too.
    """

    name: str
    must: Must
    does: Action
    bearer: Bearer | None
    says: str
    mirror: str | None = None
    path: str = "{file}"

    def spelled(self, path: str) -> "Rule":
        """The same with another spelling of the path in its request."""
        return replace(self, path=path)


def _yes(name: str, does: Action, bearer: Bearer, says: str) -> Rule:
    return Rule(name, Must.ACCEPTED, does, bearer, says)


def _no(name: str, mirror: str, does: Action, bearer: Bearer | None, says: str) -> Rule:
    return Rule(name, Must.REFUSED, does, bearer, says, mirror)


_READ = ("storage.read:{file}",)
_CREATE = ("storage.create:{file}",)
_MODIFY = ("storage.modify:{file}",)
_WRITES = (*_READ, *_CREATE, *_MODIFY)
_READ_OTHER = ("storage.read:{other}",)

ACCEPTED = (
    _yes("reads", Action.READ, Bearer(), "storage.read on a file reads it"),
    _yes(
        "reads-below",
        Action.READ,
        Bearer(("storage.read:{folder}",)),
        "storage.read on a folder reads what lies below it",
    ),
    _yes(
        "lists",
        Action.LIST,
        Bearer(("storage.read:{folder}",)),
        "storage.read on a folder lists it",
    ),
    _yes("creates", Action.CREATE, Bearer(_CREATE), "storage.create makes a new file"),
    _yes(
        "overwrites",
        Action.OVERWRITE,
        # With storage.create, since many clients write by way of a new file.
        Bearer((*_CREATE, *_MODIFY)),
        "storage.modify writes over a file",
    ),
    _yes(
        "deletes",
        Action.DELETE,
        # With storage.read, since some storages look before they delete.
        Bearer((*_READ, *_MODIFY)),
        "storage.modify deletes a file",
    ),
    _yes(
        "moves",
        Action.MOVE,
        Bearer((*_WRITES, "storage.create:{beside}", "storage.modify:{beside}")),
        "storage.modify moves a file to where the token may make one",
    ),
    _yes(
        "ends-soon",
        Action.READ,
        Bearer(lifetime=SOON_SECONDS),
        "a token serves until its end (RFC 7519, 4.1.4)",
    ),
    _yes(
        "has-begun",
        Action.READ,
        Bearer(not_before=0),
        "a token serves from its begin on (RFC 7519, 4.1.5)",
    ),
    _yes(
        "group-and-path",
        Action.READ,
        Bearer((*_READ, GROUP)),
        "a token with groups serves for the paths that it names",
    ),
)

REFUSED = (
    _no("no-token", "reads", Action.READ, None, "who shows nothing gets nothing"),
    _no("no-token-write", "creates", Action.CREATE, None, "who shows nothing may make nothing"),
    _no(
        "garbage",
        "reads",
        Action.READ,
        Bearer(forgery=Forgery.GARBAGE),
        "what is no JWT is no token",
    ),
    _no(
        "alg-none",
        "reads",
        Action.READ,
        Bearer(forgery=Forgery.ALG_NONE),
        "a token without a signature is refused (RFC 8725, 3.2)",
    ),
    _no(
        "alg-none-write",
        "creates",
        Action.CREATE,
        Bearer(_CREATE, forgery=Forgery.ALG_NONE),
        "a token without a signature may write nothing (RFC 8725, 3.2)",
    ),
    _no(
        "bad-signature",
        "reads",
        Action.READ,
        Bearer(forgery=Forgery.BAD_SIGNATURE),
        "a signature that does not fit is refused (RFC 7515, 5.2)",
    ),
    _no(
        "altered-claims",
        "reads",
        Action.READ,
        Bearer(_READ_OTHER, forgery=Forgery.ALTERED_CLAIMS),
        "rights that were written in after the signature are refused (RFC 7515, 5.2)",
    ),
    _no(
        "unknown-key",
        "reads",
        Action.READ,
        Bearer(forgery=Forgery.UNKNOWN_KEY),
        "a key that the issuer does not publish signs nothing (RFC 8725, 3.8)",
    ),
    _no(
        "borrowed-key-id",
        "reads",
        Action.READ,
        Bearer(forgery=Forgery.BORROWED_KEY_ID),
        "a foreign key under the name of the issuer's signs nothing (RFC 8725, 3.8)",
    ),
    _no(
        "wrong-issuer",
        "reads",
        Action.READ,
        Bearer(forgery=Forgery.WRONG_ISSUER),
        "an issuer that nobody trusts is refused (RFC 7519, 4.1.1)",
    ),
    _no(
        "other-vo",
        "reads",
        Action.READ,
        Bearer(forgery=Forgery.OTHER_VO),
        "a token of another VO opens nothing of this one (WLCG profile, issuer)",
    ),
    _no(
        "wrong-audience",
        "reads",
        Action.READ,
        Bearer(audience=FOREIGN_AUDIENCE),
        "a token made out to another service is refused (RFC 7519, 4.1.3)",
    ),
    _no(
        "wrong-audience-write",
        "creates",
        Action.CREATE,
        Bearer(_CREATE, audience=FOREIGN_AUDIENCE),
        "a token made out to another service may write nothing (RFC 7519, 4.1.3)",
    ),
    _no(
        "not-yet-valid",
        "has-begun",
        Action.READ,
        Bearer(not_before=LATER_SECONDS),
        "a token does not serve before its begin (RFC 7519, 4.1.5)",
    ),
    _no(
        "expired",
        "ends-soon",
        Action.READ,
        Bearer(lifetime=SHORT_SECONDS, outlived=True),
        "a token does not serve after its end (RFC 7519, 4.1.4)",
    ),
    _no(
        "expired-write",
        "creates",
        Action.CREATE,
        Bearer(_CREATE, lifetime=SHORT_SECONDS, outlived=True),
        "a token writes nothing after its end (RFC 7519, 4.1.4)",
    ),
    _no(
        "scope-without-path",
        "reads",
        Action.READ,
        Bearer(("storage.read",)),
        "a right without a path is none (WLCG profile, storage scopes)",
    ),
    _no(
        "path-outside",
        "reads-below",
        Action.READ,
        Bearer(_READ_OTHER),
        "a right ends at its path (WLCG profile, storage scopes)",
    ),
    _no(
        "path-outside-write",
        "creates",
        Action.CREATE,
        Bearer(("storage.create:{other}", "storage.modify:{other}")),
        "a right to write ends at its path (WLCG profile, storage scopes)",
    ),
    _no(
        "path-outside-list",
        "lists",
        Action.LIST,
        Bearer(_READ_OTHER),
        "a right to list ends at its path (WLCG profile, storage scopes)",
    ),
    _no(
        "path-outside-move",
        "moves",
        Action.MOVE,
        Bearer(_WRITES),
        "a file is not moved to where the token may make nothing",
    ),
    _no(
        "path-dots",
        "reads-below",
        Action.READ,
        Bearer(_READ_OTHER),
        "`..` does not lead out of a path (RFC 3986, 6.2.2.3)",
    ).spelled("{other}/{escape}"),
    _no(
        "path-dots-write",
        "creates",
        Action.CREATE,
        Bearer(("storage.create:{other}", "storage.modify:{other}")),
        "`..` does not lead out of a path that may be written (RFC 3986, 6.2.2.3)",
    ).spelled("{other}/{escape}"),
    _no(
        "path-encoded-dots",
        "reads-below",
        Action.READ,
        Bearer(_READ_OTHER),
        "`%2e%2e` does not lead out of a path (RFC 3986, 6.2.2.2)",
    ).spelled("{other}/{encoded}"),
    _no(
        "path-encoded-slashes",
        "reads-below",
        Action.READ,
        Bearer(_READ_OTHER),
        "`%2e%2e%2f` does not lead out of a path (RFC 3986, 6.2.2.2)",
    ).spelled("{other}/{packed}"),
    _no(
        "path-slashes",
        "reads-below",
        Action.READ,
        Bearer(_READ_OTHER),
        "`//` does not make another path of it",
    ).spelled("{folder}//{name}"),
    _no(
        "path-prefix",
        "reads",
        Action.READ,
        Bearer(("storage.read:{stem}",)),
        "a right on /foo is none on /foobar (WLCG profile, storage scopes)",
    ),
    _no("read-creates", "creates", Action.CREATE, Bearer(_READ), "storage.read makes no file"),
    _no(
        "read-overwrites",
        "overwrites",
        Action.OVERWRITE,
        Bearer(_READ),
        "storage.read writes over no file",
    ),
    _no("read-deletes", "deletes", Action.DELETE, Bearer(_READ), "storage.read deletes no file"),
    _no("create-reads", "reads", Action.READ, Bearer(_CREATE), "storage.create reads no file"),
    _no(
        "create-overwrites",
        "overwrites",
        Action.OVERWRITE,
        Bearer(_CREATE),
        "storage.create writes over no file (WLCG profile, storage.create)",
    ),
    _no(
        "create-deletes",
        "deletes",
        Action.DELETE,
        Bearer((*_READ, *_CREATE)),
        "storage.create deletes no file (WLCG profile, storage.create)",
    ),
    _no("modify-reads", "reads", Action.READ, Bearer(_MODIFY), "storage.modify reads no file"),
    _no(
        "group-outside",
        "group-and-path",
        Action.READ,
        Bearer((GROUP,)),
        "a group opens nothing outside its own area (WLCG profile, groups)",
    ),
)

RULES = {rule.name: rule for rule in (*ACCEPTED, *REFUSED)}
