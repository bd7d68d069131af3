"""What can go wrong in a set-up, each said in one sentence that ends with the remedy."""

from __future__ import annotations

import re
from collections.abc import Sequence

NETWORK = (
    "{source} cannot be reached: connect this machine "
    "(or set http_proxy and https_proxy), then run `make setup` again"
)
DISK = "the disk is full: make room (about {mib} MiB), then run `make setup` again"

# What the programs say, in the order in which it is looked for: a full disk also breaks downloads.
CAUSES = (
    (r"No space left on device|have enough free space|Disk quota exceeded", DISK),
    (
        r"certificate verify failed|UnknownIssuer|invalid peer certificate|self.signed certificate",
        "the certificate of {source} is not trusted: point SSL_CERT_FILE at the authority that "
        "signed it (your proxy's?), then run `make setup` again",
    ),
    (
        r"Could not resolve|Temporary failure|Name or service not known|dns error|Could not connect"
        r"|Network is unreachable|Connection refused|timed out|NewConnectionError"
        r"|error sending request|Failed to fetch|Unable to fetch"
        r"|Could not find a version|No matching distribution",
        NETWORK,
    ),
    (
        r"Could not get lock|Unable to acquire the dpkg|is another process using it",
        "another program is installing packages: wait for it to end, then run `make setup` again",
    ),
    (
        r"Unable to locate package|has no installation candidate",
        "Debian's package lists do not name all of packages.debian: enable the section `main` of "
        "your distribution in /etc/apt, then run `make setup` again",
    ),
    (
        r"lockfile at .* needs to be updated",
        "uv.lock is older than pyproject.toml: run `.tools/bin/uv lock`, then `make setup` again",
    ),
    (
        r"Permission denied|Read-only file system|Operation not permitted",
        "a file of the set-up belongs to another user: run `make clean` as that user (or as root), "
        "then run `make setup` again",
    ),
)


class SetupError(Exception):
    """The set-up cannot go on; the message says why in one sentence, and what to do."""

    def __init__(self, message: str, last_lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.last_lines = last_lines


def explain(output: str, source: str, mib: int) -> str | None:
    """Say in one sentence why a program that printed `output` failed, or None if it is not known.

    `source` is where it fetched from; `mib` is the room that this part needs.
    """
    for pattern, sentence in CAUSES:
        if re.search(pattern, output, re.IGNORECASE):
            return sentence.format(source=source, mib=mib)
    return None
