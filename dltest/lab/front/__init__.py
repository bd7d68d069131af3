"""A server put before a server of the lab, which passes everything on and misbehaves on order.

It speaks TLS and HTTP, and passes on bytes of anything else. Started as
`python -m dltest.lab.front CONFIG.json`, it takes the port that clients know, and starts the
real server behind it, on another port, in its own process group.
"""
