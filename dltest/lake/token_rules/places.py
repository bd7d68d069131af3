"""The paths that rules speak of, as requests spell them and as tokens do."""

from posixpath import basename, dirname, relpath
from urllib.parse import urlsplit

STEM_SHORTER = 3


def path_of(url: str) -> str:
    """The path of a file's URL, with a single slash at its begin."""
    return f"/{urlsplit(url).path.lstrip('/')}"


def in_requests(url: str, other_url: str) -> dict[str, str]:
    """What stands for the placeholders of a rule's request path."""
    path, other = path_of(url), dirname(path_of(other_url))
    escape = relpath(path, other)
    encoded = escape.replace("..", "%2e%2e")
    return {
        "file": path,
        "folder": dirname(path),
        "name": basename(path),
        "other": other,
        "escape": escape,
        "encoded": encoded,
        "packed": encoded.replace("/", "%2f"),
    }


def in_tokens(url: str, other_url: str, base: str) -> dict[str, str]:
    """What stands for the placeholders of scopes.

    Storages map an issuer to an area; its path, the RSE attribute `oidc_base_path`, is left out
    of the paths in tokens, as Rucio leaves it out.
    """
    path, other = (token_path(path_of(one), base) for one in (url, other_url))
    return {
        "file": path,
        "folder": dirname(path),
        "stem": path[:-STEM_SHORTER],
        "beside": other,
        "other": dirname(other),
    }


def token_path(path: str, base: str) -> str:
    """The path as scopes spell it."""
    return f"/{path.removeprefix(base.rstrip('/')).lstrip('/')}"
