"""The bench's own arithmetic and its face; what it measures is measured by running it."""

import json
import subprocess
import sys
from pathlib import Path

from bench.figure import compared

ROOT = Path(__file__).resolve().parents[2]


def test_a_figure_compares_medians_and_keeps_its_samples() -> None:
    figure = compared("upload", "B/s", [9.0, 1.0, 8.0], [10.0, 10.0, 40.0], aim=0.9)
    told = json.loads(figure.to_json())
    assert told == {
        "name": "upload",
        "value": 8.0,
        "unit": "B/s",
        "reference": 10.0,
        "ratio": 0.8,
        "aim": 0.9,
        "samples": [
            {"value": 9.0, "reference": 10.0},
            {"value": 1.0, "reference": 10.0},
            {"value": 8.0, "reference": 40.0},
        ],
    }


def test_the_benches_are_listed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "bytes: " in done.stdout


def test_an_unknown_bench_is_refused_with_the_known_ones() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "bites"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "there are bytes" in done.stderr
