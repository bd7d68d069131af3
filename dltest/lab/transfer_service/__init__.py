"""The lab's transfer service: FTS3's REST interface over gfal2 third-party copies.

Rucio's conveyor talks to it as to an FTS 3.13: the same calls, states, codes and words, and
the bytes really move, storage to storage. Start it with

    python -m dltest.lab.transfer_service --config FILE.json

A submission (`submission`) becomes one job and its files (`records`), kept in SQLite
(`database`) so that a killed service goes on where it stood. `queues` holds a queue per link,
`scheduler` hands the next file to a warm copying process (`movers`, `nursery`, `copier`),
`lifecycle` writes down what became of it, `staging` waits for tape, and `web` answers HTTP
(`answers`, `storages`). No module but `copier` and `nursery` touches gfal2.

What differs from FTS on purpose: one user without credentials instead of certificates and
delegation, no optimizer, and a link is told apart by host *and port*, because all storages of a
lab share one host name (`source_se` and `dest_se` in answers carry none, as in FTS).
"""
