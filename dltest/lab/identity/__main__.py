"""`python -m dltest.lab.identity NODE.json`: one node of the issuer, on the loopback, by TLS."""

import sys
from pathlib import Path

import uvicorn
from a2wsgi import WSGIMiddleware

from dltest.errors import SettingsError
from dltest.lab.identity.configuration import NodeConfig
from dltest.lab.identity.web import application

THREADS = 8


def main() -> int:
    try:
        config = NodeConfig.load(Path(sys.argv[1]))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    uvicorn.run(
        # Two spellings of one WSGI.
        WSGIMiddleware(application(config), workers=THREADS),  # type: ignore[arg-type]
        host="127.0.0.1",
        port=config.port,
        ssl_certfile=config.certificate,
        ssl_keyfile=config.key,
        log_level="info",
        lifespan="off",
        # A query may hold a code, and logs hold no secrets.
        access_log=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
