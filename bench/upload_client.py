"""Rucio's own UploadClient in a loop of one file a call, as predecessors of dltest upload.

`python -m bench.upload_client`, with an order in JSON on stdin and the file that `RUCIO_CONFIG`
names; prints the seconds. The client's sign-in and its first call are not counted.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rucio.client import Client
from rucio.client.uploadclient import UploadClient

from dltest.lake.payload import write_payload


def measure(order: dict[str, Any]) -> float:
    """Seconds for uploading the files one after the other."""
    client = Client()
    client.whoami()
    uploader = UploadClient(client)
    with tempfile.TemporaryDirectory() as folder:
        items = [_item(Path(folder), index, order) for index in range(len(order["names"]))]
        began = time.perf_counter()
        for item in items:
            uploader.upload([item])
        return time.perf_counter() - began


def _item(folder: Path, index: int, order: dict[str, Any]) -> dict[str, Any]:
    name = order["names"][index]
    path = folder / name
    with path.open("wb", buffering=0) as target:
        write_payload(target.fileno(), "bench", index, order["size_bytes"])
    return {
        "path": str(path),
        "rse": order["rse"],
        "did_scope": order["scope"],
        "did_name": name,
        "force_scheme": order["scheme"],
    }


if __name__ == "__main__":
    print(json.dumps({"seconds": measure(json.load(sys.stdin))}))
