"""What a run shows: sheets, gains, curves, logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photochrom.color import luminance, neutralize
from photochrom.evaluation.metrics import psnr
from photochrom.training import journal, validation
from photochrom.training.networks import build
from photochrom.training.networks.photochrom import PhotochromOptions
from photochrom.training.networks.seed import Alpha
from photochrom.training.validation import _Colored, color, gain, sheet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Picture = Callable[..., np.ndarray]

CPU = torch.device("cpu")


@pytest.mark.parametrize("kind", ["ab", "bins"])
@pytest.mark.parametrize("size", [(48, 64), (37, 51)])
def test_coloring_keeps_the_luminance(kind: str, size: tuple[int, int], picture: Picture) -> None:
    torch.manual_seed(0)
    network = Alpha() if kind == "ab" else build(PhotochromOptions(pretrained=False))
    true = picture(0, *size)
    result = color(network.eval(), true, CPU)
    assert all(part.shape == true.shape for part in result)
    assert (result.grey == result.grey[..., :1]).all()
    assert result.true is true
    kept = luminance(neutralize(result.colored)) - luminance(np.ascontiguousarray(result.grey[..., 0]))
    assert float(np.abs(kept).max()) < 1


def test_colors_are_the_networks(picture: Picture) -> None:
    class Red(Alpha):
        def chroma(self, luminance: torch.Tensor) -> torch.Tensor:
            return torch.stack([torch.full_like(luminance[:, 0], 0.2), luminance[:, 0] * 0], 1)

    red = color(Red(), picture(1), CPU).colored.astype(int)
    assert (red[..., 0] - red[..., 1]).mean() > 20


def test_psnr_against_skimage(picture: Picture) -> None:
    metrics = pytest.importorskip("skimage.metrics")
    a, b = picture(0), picture(1)
    assert psnr(a, b) == pytest.approx(metrics.peak_signal_noise_ratio(b, a, data_range=255))


def test_gain_is_zero_for_grey_and_large_for_the_truth(picture: Picture) -> None:
    true = picture(2)
    grey = np.repeat(true[..., 1:2], 3, axis=2)
    assert gain([_Colored(grey, grey, true)] * 2) == 0
    assert gain([_Colored(grey, true, true)]) > 50


@given(st.lists(st.tuples(st.integers(20, 90), st.integers(20, 90)), min_size=1, max_size=9))
def test_a_sheet_takes_any_pictures(sizes: list[tuple[int, int]]) -> None:
    results = [_Colored(*[np.zeros((h, w, 3), np.uint8)] * 3) for h, w in sizes]
    whole = sheet(results)
    rows = (len(sizes) + 1) // 2
    assert whole.shape[0] == rows * (validation.CELL + 4)
    assert whole.dtype == np.uint8


# --- the log -----------------------------------------------------------------------------------


def test_the_log_is_json_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = journal.Journal(tmp_path, 10, 0)
    kept.log(4, step=2, loss=0.5)
    kept.advance(4)
    kept.log(8, step=4, loss=0.25)
    kept.close()
    assert journal.losses(tmp_path) == ([4, 8], [0.5, 0.25])
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert all({"time", "seen", "step", "loss", "rate"} <= line.keys() for line in lines)
    told = capsys.readouterr().err
    assert "loss 0.5" in told


def test_the_log_goes_on_where_the_checkpoint_is(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(
        '{"seen": 2, "loss": 1.0}\n{"seen": 4, "loss": 0.9}\n{"seen": 6, "loss": 0.8}\n{"seen": 8, "lo'
    )
    journal.Journal(tmp_path, 10, 4, quiet=False).close()
    assert journal.losses(tmp_path) == ([2, 4], [1.0, 0.9])


def test_other_ranks_are_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = journal.Journal(tmp_path, 10, 0, quiet=True)
    kept.log(4, loss=0.5)
    kept.say("nothing")
    kept.close()
    assert not (tmp_path / "log.jsonl").exists()
    assert capsys.readouterr().err == ""


def test_the_curve_is_a_picture(tmp_path: Path) -> None:
    losses = [{"seen": n, "loss": 1 / n} for n in range(1, 300)]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in losses))
    journal.draw_curve(tmp_path, tmp_path / "loss.png", "title")
    drawn = np.asarray(Image.open(tmp_path / "loss.png").convert("L"))
    assert drawn.shape[0] > 300
    assert (drawn < 128).sum() > 1000


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=40), st.integers(1, 15))
def test_running_median(values: list[float], width: int) -> None:
    smooth = journal._running_median(values, width)
    assert len(smooth) == len(values)
    assert min(values) <= smooth.min() <= smooth.max() <= max(values)


def test_running_median_drops_a_spike() -> None:
    assert journal._running_median([1, 1, 9, 1, 1], 3).tolist() == [1, 1, 1, 1, 1]
