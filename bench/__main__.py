"""The command line of the benches."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import chaos, health, moving_bytes
from bench.engine.measure import measure as measure_engine
from bench.figure import Figure

BENCHES: dict[str, Callable[[Path | None, int], Iterator[Figure]]] = {
    "bytes": moving_bytes.measure,
    "chaos": chaos.measure,
    "engine": measure_engine,
    "health": health.measure,
}
TITLES = {
    "bytes": "upload and copy of 1 x 1 GiB and 1,000 x 64 KiB against gfal2 alone",
    "chaos": "1,000 runs on a simulated lake, or 60 on --lab, while all of dltest is killed",
    "engine": "steps a second against plain Celery, 10,000 waiting runs, and 10^6 stored ones",
    "health": "200 runs of all scenarios on a healthy lab: false alarms and leftovers",
}


def main() -> None:
    """Run the benches that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="benches [default: all]")
    parser.add_argument("--json", action="store_true", help="one JSON object a figure")
    parser.add_argument("--list", action="store_true", help="name the benches")
    parser.add_argument("--lab", type=Path, help="folder of a running lab [default: an own one]")
    parser.add_argument("--samples", type=int, default=3, help="measurements of each [3]")
    options = parser.parse_args()
    if options.list:
        for name, title in TITLES.items():
            print(f"{name}: {title}")
        return
    if unknown := set(options.names) - set(BENCHES):
        parser.error(f"no bench {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    for name in options.names or BENCHES:
        for figure in BENCHES[name](options.lab, options.samples):
            print(figure.to_json() if options.json else figure, flush=True)


if __name__ == "__main__":
    main()
