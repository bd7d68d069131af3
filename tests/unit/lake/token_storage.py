"""A small WebDAV that checks WLCG tokens, with holes to be opened; and an issuer in memory."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from posixpath import dirname, normpath
from threading import Thread
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from pydantic import SecretStr

from dltest.lake.ports import IssuedToken, TokenRequest
from dltest.lake.token_rules.forgery import parts

ISSUER = "https://issuer.test/"
BASE = "/data"
HOLES = {
    "anybody",
    "alg-none",
    "signature",
    "issuer",
    "audience",
    "not-before",
    "expiry",
    "path",
    "dots",
    "prefix",
    "rights",
    "changes-first",
}
NEEDED = {
    "GET": {"read"},
    "PROPFIND": {"read"},
    "PUT": {"create"},
    "DELETE": {"modify"},
    "MOVE": {"modify"},
    "COPY": {"create"},
}


class Issuer:
    """`ports.Tokens`, as far as rules need it. `generous` gives no lifetimes that are chosen."""

    issuer = ISSUER

    def __init__(self, *, generous: bool = False) -> None:
        self.key = ECKey.generate_key("P-256", auto_kid=True)
        self.issued: list[str] = []
        self._generous = generous

    def issue(self, request: TokenRequest) -> IssuedToken:
        now = time.time()
        lifetime = 3600.0
        if request.lifetime is not None and not self._generous:
            lifetime = request.lifetime.total_seconds()
        begin = request.not_before.total_seconds() if request.not_before else 0.0
        claims = {
            "wlcg.ver": "1.0",
            "iss": ISSUER,
            "sub": "dltest",
            "aud": request.audiences[0],
            "scope": " ".join(one for one in request.scopes if one.startswith("storage.")),
            "iat": int(now),
            "nbf": int(now + begin),
            "exp": now + lifetime,
            "jti": uuid4().hex,
        }
        if "wlcg.groups" in request.scopes:
            claims["wlcg.groups"] = ["/dltest"]
        token = jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key)
        self.issued.append(token)
        return IssuedToken(value=SecretStr(token), claims=claims, seconds=0.0)


class TokenStorage(ThreadingHTTPServer):
    """Files in memory at `url`; `holes` are those of `HOLES` that are open."""

    daemon_threads = True

    def __init__(self, issuer: Issuer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.issuer = issuer
        self.holes: set[str] = set()
        self.grace = 0.0
        self.fate = "goes-on"  # of an upload whose token has run out while its bytes came
        self._known: dict[str, float] = {}
        self.files: dict[str, bytes] = {}
        self.folders: set[str] = {"/"}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def allows(self, method: str, path: str, token: str | None) -> bool:
        if "anybody" in self.holes:
            return True
        claims = self._claims(token) if token else None
        if claims is None or not (self._is_known(str(token)) or self._is_ours(claims)):
            return False
        self._known.setdefault(str(token), time.time())
        needed = set(NEEDED[method])
        if method == "PUT" and path in self.files:
            needed = {"modify"}
        return any(self._grants(scope, needed, path) for scope in str(claims["scope"]).split())

    def _claims(self, token: str) -> dict[str, object] | None:
        try:
            header, claims, _ = parts(token)
            if header["alg"] == "none":
                return claims if "alg-none" in self.holes else None
            if "signature" not in self.holes:
                jwt.decode(token, self.issuer.key, algorithms=["ES256"])
        except (ValueError, JoseError):
            return None
        return claims

    def _is_known(self, token: str) -> bool:
        return time.time() < self._known.get(token, 0.0) + self.grace

    def _is_ours(self, claims: dict[str, object]) -> bool:
        now = time.time()
        return (
            ("issuer" in self.holes or claims["iss"] == ISSUER)
            and ("audience" in self.holes or claims["aud"] == "127.0.0.1")
            and ("not-before" in self.holes or float(str(claims["nbf"])) <= now)
            and ("expiry" in self.holes or now < float(str(claims["exp"])))
        )

    def _grants(self, scope: str, needed: set[str], path: str) -> bool:
        right, _, area = scope.removeprefix("storage.").partition(":")
        if not area or ("rights" not in self.holes and right not in needed):
            return False
        if "path" in self.holes:
            return True
        place = (path if "dots" in self.holes else normpath(path)).removeprefix(BASE)
        if "prefix" in self.holes:
            return place.startswith(area)
        return place == area or place.startswith(f"{area}/")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: TokenStorage

    def _serve(self) -> None:
        storage, method = self.server, self.command
        asked = unquote(urlsplit(f"http://x{self.path}").path)
        path = normpath(asked)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ") or None
        was_good = self._is_good(token)
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if method == "PUT" and was_good and not self._is_good(token):
            return self._meet_fate(path, content)
        if method == "MKCOL":
            storage.folders.add(path)
            return self._answer(201)
        if not self._is_allowed(method, asked, token):
            if "changes-first" in storage.holes and method == "DELETE":
                storage.files.pop(path, None)
            return self._answer(403, b"permission denied")
        return self._do(method, path, content)

    do_GET = do_COPY = do_PUT = do_DELETE = do_MOVE = do_PROPFIND = do_MKCOL = _serve  # noqa: N815

    def _is_good(self, token: str | None) -> bool:
        """Whether it is a token that has not run out yet."""
        try:
            return token is not None and time.time() < float(parts(token)[1]["exp"])
        except ValueError:
            return False

    def _meet_fate(self, path: str, content: bytes) -> None:
        """The end of an upload whose token has run out meanwhile."""
        fate = self.server.fate
        if fate in {"goes-on", "refused-and-torso"}:
            self.server.files[path] = content if fate == "goes-on" else content[:100]
        if fate == "breaks-off":
            self.close_connection = True
            return None
        return self._answer({"goes-on": 201, "error": 500}.get(fate, 403))

    def _is_allowed(self, method: str, asked: str, token: str | None) -> bool:
        storage = self.server
        if method == "MOVE" and not storage.allows("PUT", self._destination(), token):
            return False
        return storage.allows(method, asked, token)

    def _destination(self) -> str:
        return urlsplit(self.headers["Destination"]).path

    def _do(self, method: str, path: str, content: bytes) -> None:
        files = self.server.files
        if method == "PROPFIND":
            self._answer(207, json.dumps(sorted(files)).encode())
        elif method == "PUT" and dirname(path) not in self.server.folders:
            self._answer(409)
        elif method == "PUT":
            files[path] = content
            self._answer(201)
        elif method == "COPY":
            files[path] = files[urlsplit(self.headers["Source"]).path]
            self._answer(201, b"success: Created")
        elif path not in files:
            self._answer(404)
        else:
            self._do_with_file(method, path)

    def _do_with_file(self, method: str, path: str) -> None:
        files = self.server.files
        content = files[path]
        if method != "GET":
            del files[path]
        if method == "MOVE":
            files[self._destination()] = content
        self._answer(200, content)

    def _answer(self, status: int, content: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing to stderr."""


@contextmanager
def token_storage(issuer: Issuer) -> Iterator[TokenStorage]:
    with TokenStorage(issuer) as storage:
        thread = Thread(target=storage.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield storage
        finally:
            storage.shutdown()
            thread.join()
