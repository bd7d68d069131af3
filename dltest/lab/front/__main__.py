"""`python -m dltest.lab.front CONFIG.json`: the server behind, and the front before it."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from dltest.lab.front.front import Front, Place
from dltest.lab.front.gate import Gate
from dltest.lab.front.manners import Manners
from dltest.lab.process import die_with_parent


def main() -> int:
    config = json.loads(Path(sys.argv[1]).read_text())
    front = Front(_place(config), Manners.of(config["manners"]))
    listener = front.listen()
    # In our process group, so that both are killed, stopped and woken as one.
    server = subprocess.Popen(
        config["command"],
        env={**os.environ, **config["environment"]},
        preexec_fn=die_with_parent(config["signal"]),  # noqa: PLW1509 - no other thread yet
    )
    threading.Thread(target=front.serve, args=(listener,), daemon=True).start()
    code = server.wait()
    # Without what is behind it the front is nothing; the supervisor starts both anew.
    os._exit(code or 1)


def _place(config: dict[str, Any]) -> Place:
    gate = config.get("gate")
    return Place(
        port=config["port"],
        behind=config["behind"],
        certificate=Path(config["certificate"]),
        key=Path(config["key"]),
        host=config["host"],
        gate=Gate(Path(gate["keys"]), gate["audience"], gate["base_path"]) if gate else None,
    )


if __name__ == "__main__":
    sys.exit(main())
