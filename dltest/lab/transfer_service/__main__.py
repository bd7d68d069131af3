"""`python -m dltest.lab.transfer_service --config FILE.json`."""

import argparse
import sys
from pathlib import Path

from dltest.lab.transfer_service.nursery import Nursery


def main() -> int:
    parser = argparse.ArgumentParser(prog="dltest.lab.transfer_service")
    parser.add_argument("--config", type=Path, required=True)
    file: Path = parser.parse_args().config
    nursery = Nursery.start()  # before anything big is imported: it is forked many times
    from dltest.errors import DltestError, SettingsError  # noqa: PLC0415 - see above
    from dltest.lab.transfer_service.configuration import ServiceConfig  # noqa: PLC0415
    from dltest.lab.transfer_service.service import serve  # noqa: PLC0415

    try:
        serve(ServiceConfig.load(file), nursery)
    except DltestError as error:
        sys.stderr.write(f"{error}\n")
        nursery.close()
        return 2 if isinstance(error, SettingsError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
