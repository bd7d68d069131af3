"""Secrets in words of others are taken out, and nothing else is."""

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from dltest.model.redaction import HIDDEN, redacted, redacted_json

TOKEN = jwt.encode({"alg": "ES256"}, {"sub": "canary"}, ECKey.generate_key("P-256"))
CANARY = "c4n4ry-value"


@pytest.mark.parametrize(
    "text",
    [
        f"the token {TOKEN} has run out",
        f"GET /file?authz=Bearer%20{TOKEN} HTTP/1.1",
        "curl -H 'Authorization: Bearer c4n4ry-value'",
        "authorization: basic YzRuNHJ5LXZhbHVl and c4n4ry-value"[:40],
        "postgresql://dltest:c4n4ry-value@db.example/dltest: refused",
        '{"client_secret": "c4n4ry-value", "error": "x"}',
        "grant_type=password&password=c4n4ry-value&scope=a",
        "X-Rucio-Auth-Token: c4n4ry-value",
        "https://s3.example/b?X-Amz-Signature=c4n4ry-value&X-Amz-Date=1",
        "-----BEGIN EC PRIVATE KEY-----\nc4n4ry-value\n-----END EC PRIVATE KEY-----",
        "token dltest-dltest-unknown-0123456789abcdef0123456789abcdef is not known",
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str) -> None:
    told = redacted(text)
    assert HIDDEN in told
    for secret in (TOKEN, TOKEN.split(".")[1], CANARY, "YzRuNHJ5", "0123456789abcdef0123"):
        assert secret not in told


@pytest.mark.parametrize(
    "text",
    [
        "davs://localhost:1094/rucio/dltest/ab/cd/dltest.0123-4567.bin",
        "dltest.replicate.0123456789abcdef0123456789abcdef.1",
        "HTTP 403 : Permission refused, basic authentication is off",
        "the password is another",
        "adler32 0a1b2c3d, md5 0123456789abcdef0123456789abcdef",
        "12c5f1a0-5e0c-4d5e-9c1c-111111111111",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redacted(text) == text


def test_all_strings_of_a_value_are_looked_at() -> None:
    value = {"a": [{"b": f"x {TOKEN}"}, 1, None], "c": "d"}
    assert redacted_json(value) == {"a": [{"b": f"x {HIDDEN}"}, 1, None], "c": "d"}
