"""What a run tells while it lasts: a bar on the terminal, a JSON line now and then, a curve, sheets."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_LOG = "log.jsonl"


class Journal:
    """The records in a run's folder. Ranks other than the first keep quiet."""

    def __init__(self, run: Path, total: int, seen: int, quiet: bool = False):
        self.run, self.quiet = run, quiet
        self.begin, self.first = time.perf_counter(), seen
        if not quiet:
            trim(run / _LOG, seen)
        self.bar = tqdm(total=total, initial=seen, unit=" photos", smoothing=0.05, disable=quiet or None)

    def advance(self, photos: int) -> None:
        self.bar.update(photos)

    def spent(self) -> float:
        """Seconds since this process began to train."""
        return time.perf_counter() - self.begin

    def log(self, seen: int, **values: Any) -> None:
        """One JSON line; where stderr is no terminal also a line there."""
        record = {"seen": seen, **values, "rate": round((seen - self.first) / max(self.spent(), 1e-9), 2)}
        if "loss" in values:
            self.bar.set_postfix(loss=f"{values['loss']:.4g}", refresh=False)
        if self.quiet:
            return
        with (self.run / _LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": round(time.time()), **record}) + "\n")
        if self.bar.disable:
            self.say("  ".join(f"{key} {value}" for key, value in record.items()))

    def say(self, text: str) -> None:
        """A line on stderr, above the bar."""
        if not self.quiet:
            tqdm.write(text, file=sys.stderr)

    def close(self) -> None:
        self.bar.close()


def trim(log: Path, seen: int) -> None:
    """Drop the lines of steps that a resumed run will do again, and a line cut short by a kill."""
    kept = [line for line in _records(log) if line["seen"] <= seen]
    if kept or log.exists():
        log.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")


def _records(log: Path) -> Iterable[dict[str, Any]]:
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else ():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and "seen" in record:
            yield record


def losses(run: Path) -> tuple[list[int], list[float]]:
    """Photos seen and loss, as far as the log goes."""
    lines = [line for line in _records(run / _LOG) if "loss" in line]
    return [line["seen"] for line in lines], [line["loss"] for line in lines]


def draw_curve(run: Path, target: Path, title: str) -> None:
    """The loss over the photos seen, with a running median where the log is long."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    seen, loss = losses(run)
    if not seen:
        return
    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    long = len(loss) > 100
    axes.plot(seen, loss, color="#9db8d2" if long else "#1f5fa8", linewidth=0.8 if long else 1.6)
    if long:
        axes.plot(seen, _running_median(loss, max(9, len(loss) // 60)), color="#1f5fa8", linewidth=1.6)
    axes.set(xlabel="photos seen", ylabel="loss", title=title)
    if min(loss) > 0 and max(loss) / min(loss) > 20:
        axes.set_yscale("log")
    axes.grid(alpha=0.3)
    figure.savefig(target, dpi=110)


def _running_median(values: Sequence[float], width: int) -> NDArray[np.float64]:
    """The median of `width` values around each, fewer at the ends."""
    half = width // 2
    array = np.asarray(values, np.float64)
    return np.array([np.median(array[max(0, i - half) : i + half + 1]) for i in range(len(array))])


def save_picture(picture: NDArray[np.uint8], target: Path) -> None:
    """A PNG of (H, W, 3) or (H, W) uint8."""
    Image.fromarray(picture).save(target)
