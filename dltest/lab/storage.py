"""Six XRootD storage elements, different as real sites are.

Four let in whoever is on this machine, and speak root://, davs:// and dav:// on one port: XRootD
cannot bind to one address, so its authorisation refuses all others. Two want WLCG tokens, and speak
davs:// alone, each at an address of its own: Rucio has a token made out to a storage's host name,
and a token for one of the two must be worth nothing at the other.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from dltest.lab import scitokens
from dltest.lab.alteration import HEALTHY, Alteration
from dltest.lab.authority import Authority
from dltest.lab.description import Lab
from dltest.lab.layout import write_atomically

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class StorageKind:
    """What a storage element can do; tape and caches will be further kinds."""

    title: str
    http_third_party_copy: bool = True
    quota_bytes: int | None = None
    wants_tokens: bool = False


DISK = StorageKind("disk")
PASSIVE = StorageKind(
    "disk that cannot drive an HTTP third-party copy", http_third_party_copy=False
)
QUOTA = StorageKind("disk with a quota, which it reports", quota_bytes=4 * GIB)
TOKENS = StorageKind("disk that wants WLCG tokens", wants_tokens=True)


@dataclass(frozen=True, slots=True)
class StorageElement:
    """One RSE of the lab and what Rucio shall know of it."""

    rse: str
    site: str
    kind: StorageKind
    attributes: dict[str, str] = field(default_factory=dict)
    host: str = "localhost"

    @property
    def all_attributes(self) -> dict[str, str]:
        own = {"type": "disk", "site": self.site, "dltest-faults": "True", "greedyDeletion": "True"}
        return own | (FOR_TOKENS if self.kind.wants_tokens else FOR_ALL) | self.attributes

    @property
    def schemes(self) -> tuple[str, ...]:
        """In the order in which third-party copies shall prefer them."""
        return ("davs",) if self.kind.wants_tokens else ("davs", "root")


PREFIX = scitokens.BASE_PATH
FOR_ALL = {"dltest": "True"}
# Rucio's own words: it may ask for tokens, whose paths are relative to this one.
FOR_TOKENS = {"dltest-tokens": "True", "oidc_support": "True", "oidc_base_path": PREFIX}

ELEMENTS = (
    StorageElement("XRD1", "SITE1", DISK),
    StorageElement("XRD2", "SITE2", DISK),
    StorageElement("XRD3", "SITE3", PASSIVE),
    StorageElement("XRD4", "SITE4", QUOTA, {"greedyDeletion": "False"}),
    StorageElement("XRD5", "SITE5", TOKENS, host="127.0.0.5"),
    StorageElement("XRD6", "SITE6", TOKENS, host="127.0.0.6"),
)
OPEN_RSES = tuple(one.rse for one in ELEMENTS if not one.kind.wants_tokens)
TOKEN_RSES = tuple(one.rse for one in ELEMENTS if one.kind.wants_tokens)


def element(rse: str) -> StorageElement:
    return next(one for one in ELEMENTS if one.rse == rse)


def protocols(lab: Lab, rse: str) -> list[dict[str, str]]:
    """The ways to reach an element: scheme and URL of the folder that holds Rucio's files."""
    one, port = element(rse), lab.ports[rse]
    # An absolute path follows a root:// host after a second slash.
    before = {"root": "/"}
    return [
        {"scheme": scheme, "url": f"{scheme}://{one.host}:{port}{before.get(scheme, '')}{PREFIX}"}
        for scheme in (*one.schemes, *(() if one.kind.wants_tokens else ("dav",)))
    ]


def files_folder(lab: Lab, rse: str) -> Path:
    """Where the element's files lie on disk, laid out as Rucio names them."""
    return export(lab, rse) / PREFIX[1:]


def export(lab: Lab, rse: str) -> Path:
    """The folder on disk that clients see as the element's root."""
    return lab.layout.storage / rse / "data"


def prepare(lab: Lab, one: StorageElement, altered: Alteration = HEALTHY) -> None:
    """Write the element's configuration and make its folders; changes no file it stores."""
    home = lab.layout.storage / one.rse
    for folder in ("admin", "run", "space"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    files_folder(lab, one.rse).mkdir(parents=True, exist_ok=True)
    write_atomically(home / "authdb", altered.settings.get("authdb", "h localhost / a\n"))
    if one.kind.wants_tokens:
        scitokens.prepare(lab, home, [one.host, f"https://{one.host}:{lab.ports[one.rse]}"])
    if one.kind.quota_bytes is not None:
        write_atomically(home / "quota", f"public {one.kind.quota_bytes}\n")
    write_atomically(home / "xrootd.cfg", configuration(lab, one, altered))


def command(lab: Lab, one: StorageElement) -> tuple[str, ...]:
    """XRootD in the foreground, on IPv4: third-party copies by root:// compare host names."""
    home = lab.layout.storage / one.rse
    # No -l: the log is the process's own output, which the supervisor keeps. With -s, the file
    # of its environment lies beside the pid file; without, it stays in /tmp for ever.
    pid_file = str(home / "run" / "xrootd.pid")
    return ("xrootd", "-I", "v4", "-c", str(home / "xrootd.cfg"), "-n", one.rse, "-s", pid_file)


def server_environment(lab: Lab, one: StorageElement) -> dict[str, str]:
    cache = scitokens.environment(lab.layout.storage / one.rse) if one.kind.wants_tokens else {}
    return environment(lab) | cache


def environment(lab: Lab) -> dict[str, str]:
    """What makes a client or server trust the lab's authority, and give up in time."""
    authority = Authority(lab.layout.authority)
    return {
        "X509_CERT_DIR": str(authority.folder),
        "SSL_CERT_FILE": str(authority.certificate),
        "SSL_CERT_DIR": str(authority.folder),
        **CLIENT_PATIENCE,
    }


CLIENT_PATIENCE = {
    "XRD_CONNECTIONWINDOW": "10",
    "XRD_CONNECTIONRETRY": "1",
    "XRD_REQUESTTIMEOUT": "60",
    "XRD_STREAMTIMEOUT": "30",
    "XRD_TIMEOUTRESOLUTION": "1",
}


def own_port(lab: Lab, one: StorageElement, altered: Alteration = HEALTHY) -> int:
    """Where XRootD itself listens."""
    fronted = altered.manners or one.kind.wants_tokens
    return lab.ports[behind(one.rse) if fronted else one.rse]


def configuration(lab: Lab, one: StorageElement, altered: Alteration = HEALTHY) -> str:
    """XRootD's own; an alteration's `lines` replace those of the same directive, or come anew.

    A directive that is replaced by nothing (`lines: {"http.exthandler": None}`) is left out.
    """
    port = own_port(lab, one, altered)
    lines = _server_lines(lab, one, port, altered) + _http_lines(lab, one, port)
    lines += _authorisation_lines(lab, one)
    if one.kind.quota_bytes is not None:
        home = lab.layout.storage / one.rse
        lines += [f"oss.space public {home}/space", f"oss.usage nolog quotafile {home}/quota"]
    replaced: dict[str, str | None] = altered.settings.get("lines", {})
    kept = [line for line in lines if line.split(" ", 1)[0] not in replaced]
    new = [f"{directive} {rest}" for directive, rest in replaced.items() if rest is not None]
    return "\n".join(kept + new) + "\n"


def behind(part: str) -> str:
    """The name of the port that a server takes while a front stands on its own."""
    return f"behind-{part}"


def _server_lines(lab: Lab, one: StorageElement, port: int, altered: Alteration) -> list[str]:
    authority = Authority(lab.layout.authority)
    home = lab.layout.storage / one.rse
    certificate, key = authority.host(altered.settings.get("certificate"))
    return [
        f"xrd.port {port}",
        f"all.sitename DLTEST-{one.site}",
        f"all.adminpath {home}/admin",
        f"all.pidpath {home}/run",
        f"oss.localroot {export(lab, one.rse)}",
        "all.export /",
        f"xrd.tls {certificate} {key}",
        f"xrd.tlsca certdir {authority.folder}",
        "xrootd.chksum max 2 adler32 md5 crc32c",
        "ofs.tpc ttl 60 60 xfr 20 streams 4 autorm pgm /usr/bin/xrdcp --server",
    ]


def _authorisation_lines(lab: Lab, one: StorageElement) -> list[str]:
    home = lab.layout.storage / one.rse
    if one.kind.wants_tokens:
        return ["ofs.authorize 1", scitokens.authorisation(home)]
    return ["ofs.authorize 1", f"acc.authdb {home}/authdb"]


def _http_lines(lab: Lab, one: StorageElement, port: int) -> list[str]:
    authority = Authority(lab.layout.authority)
    lines = [
        f"xrd.protocol http:{port} libXrdHttp.so",
        f"http.cadir {authority.folder}",
        "http.header2cgi Authorization authz",
        "http.listingdeny no",
    ]
    if one.kind.http_third_party_copy:
        lines.append("http.exthandler xrdtpc libXrdHttpTPC.so")
    return lines


def free_bytes(folder: Path) -> int:
    """Bytes that an ordinary user can still write there."""
    numbers = os.statvfs(folder)
    return numbers.f_bavail * numbers.f_frsize
