"""How long the report takes: python benchmarks/evaluate.py [FOLDER] [--photos N].

Measures N photos (all without N) with the settings of the report: hints 0, 1, 10, 100; hint metrics and
old film on 100 photos or all there are, sizes on 4; no baselines. Wall time means something on a quiet
machine, processor time on any.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from photochrom.colorizer import Colorizer
from photochrom.evaluation.evaluator import evaluate
from photochrom.evaluation.measure import spaced
from photochrom.evaluation.photos import PhotoSet
from photochrom.evaluation.predictors import ModelPredictor
from photochrom.evaluation.protocols import PROTOCOLS
from photochrom.evaluation.report import write_report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="color photos, a subfolder a source")
    parser.add_argument("--photos", type=int)
    options = parser.parse_args()
    if options.folder is None:
        print("skipped: give a folder of color photos")
        return
    every = PhotoSet.open(options.folder, PROTOCOLS["photos"]).keys
    keys = [every[number] for number in spaced(len(every), options.photos or len(every))]
    photos = PhotoSet.open(options.folder, PROTOCOLS["photos"], keys)
    wall, processor = time.perf_counter(), time.process_time()
    result = evaluate(photos, ModelPredictor("photochrom", Colorizer(threads=1)))
    with tempfile.TemporaryDirectory() as folder:
        write_report(result, Path(folder))
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"{len(keys)} photos, report written: {wall:.1f} s on {os.cpu_count()} processors,")
    print(f"{processor:.1f} s of processor time, {1000 * processor / len(keys):.0f} ms a photo")


if __name__ == "__main__":
    main()
