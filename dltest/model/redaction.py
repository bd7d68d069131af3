"""What looks like a secret is taken out of words that others said.

dltest's own secrets do not print in the first place. A server may repeat in an error what it was
sent, and a client library may show the request that failed.
"""

import re

from pydantic import JsonValue

HIDDEN = "<redacted>"

_TOKEN = r"eyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?"  # noqa: S105 - JSON Web Tokens begin like this
# Rucio's own: account, identity, application (clients do not say theirs), and this.
_RUCIO_TOKEN = r"(?<=-unknown-)[0-9a-f]{32}\b"  # noqa: S105
# Words have no digits; credentials have some.
_SCHEME = r"(?i)\b(?P<scheme>bearer|basic)(?P<space>(?:\s|%20|\+)+)(?=[\w.~+/=-]*\d)[\w.~+/=-]{6,}"
_NAMED = (
    r"(?i)(?P<name>\b(?:authz|access_token|refresh_token|subject_token|client_secret|passw(?:or)?d"
    r"|rucio_pwd|x-rucio-auth-token|x-rucio-password|x-amz-signature|x-amz-credential)"
    r"[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;}]+"
)
_USER = r"(?P<before>://[^/\s:@]*:)[^/\s@]+(?=@)"
_PRIVATE_KEY = r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"

_PATTERNS = (
    (re.compile(_PRIVATE_KEY, re.DOTALL), HIDDEN),
    (re.compile(_TOKEN), HIDDEN),
    (re.compile(_RUCIO_TOKEN), HIDDEN),
    (re.compile(_SCHEME), rf"\g<scheme>\g<space>{HIDDEN}"),
    (re.compile(_NAMED), rf"\g<name>{HIDDEN}"),
    (re.compile(_USER), rf"\g<before>{HIDDEN}"),
)


def redacted(text: str) -> str:
    """The text without tokens, passwords, signed queries or private keys."""
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def redacted_json(value: JsonValue) -> JsonValue:
    """The same for all strings in a JSON value."""
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, list):
        return [redacted_json(one) for one in value]
    if isinstance(value, dict):
        return {key: redacted_json(one) for key, one in value.items()}
    return value
