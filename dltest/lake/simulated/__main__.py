"""`python -m dltest.lake.simulated`: serve a simulated lake until told to stop."""

import argparse
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from dltest.lake.simulated.server import FILE_SECONDS, LakeServer


def main() -> None:
    """Serve. The lake, and all that lies in it, is gone with this process."""
    parser = argparse.ArgumentParser(
        prog="python -m dltest.lake.simulated", description=main.__doc__
    )
    parser.add_argument("--socket", type=Path, required=True, help="where to listen")
    parser.add_argument("--rses", type=int, default=4, help="how many RSEs there are [4]")
    parser.add_argument("--journal", type=Path, help="write every change of the lake to this file")
    parser.add_argument(
        "--file-seconds", type=float, default=FILE_SECONDS, help="time that a file's bytes take"
    )
    options = parser.parse_args()
    with ExitStack() as stack:
        journal = stack.enter_context(options.journal.open("a")) if options.journal else None
        server = stack.enter_context(
            LakeServer(options.socket, options.rses, journal, options.file_seconds)
        )

        def end(_number: int, _frame: FrameType | None) -> None:
            threading.Thread(target=server.shutdown).start()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        sys.stderr.write(f"a lake of {options.rses} RSEs is at {options.socket}\n")
        server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
