"""Faults that the lab cannot have yet, each with what it waits for."""

from dltest.lab.faults.fault import Fault

FAULTS: tuple[Fault, ...] = (
    Fault("token-expired", "the bearer token of transfers has run out", waits_for="tokens"),
    Fault("token-scope-missing", "tokens lack the right to write", waits_for="tokens"),
    Fault("token-audience-wrong", "tokens are made out to another storage", waits_for="tokens"),
    Fault("tape-recall-stuck", "files on tape are never brought online", waits_for="tape"),
)
