"""The environment of a mover: whom it trusts, how long it waits, and nothing it need not know."""

import os
from collections.abc import Mapping

from dltest.settings import StorageSettings

# Without these a dead xrootd server is tried for eight minutes, and a hung one for ever.
PATIENCE = {
    "XRD_CONNECTIONWINDOW": "15",
    "XRD_CONNECTIONRETRY": "1",
    "XRD_REQUESTTIMEOUT": "60",
    "XRD_STREAMTIMEOUT": "30",
    "XRD_TIMEOUTRESOLUTION": "1",
}

_PASSED_ON = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR", "TZ", "PYTHONPATH", "LD_LIBRARY_PATH"}
)
_PASSED_ON_PREFIXES = ("LC_", "XRD_", "X509_", "SSL_CERT_", "DAVIX_", "GFAL_", "KRB5", "SYSTEMD_")


def mover_environment(
    settings: StorageSettings, inherited: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Ours over the lake file's over what was inherited, of which only what clients read.

    With a CA file the client trusts that one alone, and loads it quickly: davix reads the
    system's whole bundle for every new connection otherwise.
    """
    passed_on = {
        name: value
        for name, value in inherited.items()
        if name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)
    }
    return PATIENCE | passed_on | _trust(settings) | _identity(settings) | settings.environment


def _trust(settings: StorageSettings) -> dict[str, str]:
    trust = {}
    if settings.ca_file is not None:
        trust["SSL_CERT_FILE"] = str(settings.ca_file)
    if settings.ca_dir is not None:
        trust["X509_CERT_DIR"] = trust["SSL_CERT_DIR"] = str(settings.ca_dir)
    return trust


def _identity(settings: StorageSettings) -> dict[str, str]:
    return {} if settings.proxy is None else {"X509_USER_PROXY": str(settings.proxy)}
