"""What FID and LPIPS say when they cannot be had, and that a stand-in of torchmetrics is used rightly."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING

import numpy as np
import pytest

from photochrom.errors import DataError, MissingExtra
from photochrom.evaluation.evaluator import evaluate
from photochrom.evaluation.predictors import Grey
from photochrom.evaluation.summary import summarize
from photochrom.evaluation.two_sample import _frechet

if TYPE_CHECKING:
    from pathlib import Path

    from photochrom.evaluation.photos import PhotoSet

features = pytest.importorskip("photochrom.evaluation.features", exc_type=MissingExtra)
pytestmark = pytest.mark.torch

INCEPTION, LPIPS = "torchmetrics.image.fid", "torchmetrics.functional.image.lpips"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"no weights at all")
    return path


def stand_in(monkeypatch: pytest.MonkeyPatch, name: str, **contents: object) -> None:
    """A module of that name, with its parents."""
    parts = name.split(".")
    for length in range(1, len(parts)):
        monkeypatch.setitem(sys.modules, ".".join(parts[:length]), types.ModuleType(parts[length - 1]))
    module = types.ModuleType(parts[-1])
    for key, value in contents.items():
        setattr(module, key, value)
    monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.parametrize("network", ["InceptionFeatures", "LpipsVgg"])
def test_missing_weights_and_missing_packages_are_told(
    network: str, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match="is not a file"):
        getattr(features, network)(weights / "none")
    for name in (INCEPTION, LPIPS):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DataError, match="needs torchmetrics, torch-fidelity and torchvision"):
        getattr(features, network)(weights)


def test_a_broken_torchvision_is_told(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        message = "operator torchvision::nms does not exist"
        raise RuntimeError(message)

    stand_in(monkeypatch, INCEPTION, NoTrainInceptionV3=broken)
    with pytest.raises(DataError, match="the one installed is broken"):
        features.InceptionFeatures(weights)


def test_foreign_weights_are_told(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    class Network(torch.nn.Module):
        def __init__(self, **_: object) -> None:
            super().__init__()
            self.net = torch.nn.Linear(2, 2)

    stand_in(monkeypatch, LPIPS, _LPIPS=Network)
    with pytest.raises(DataError, match="the weights of LPIPS do not fit"):
        features.LpipsVgg(weights)  # not even a pickle
    torch.save({"classifier.weight": torch.zeros(2)}, weights)
    with pytest.raises(DataError, match="the weights of LPIPS do not fit: KeyError"):
        features.LpipsVgg(weights)


def test_the_report_gives_reasons_and_no_numbers(photos: PhotoSet, weights: Path) -> None:
    options = {"hint_counts": (0,), "size_photos": 0, "features": False}
    result = evaluate(photos, Grey(), fid_weights=weights / "none", **options)  # type: ignore[arg-type]
    figures = summarize(result)["models"]["grey"]
    assert figures["fid_inception_tf2015"]["mean"] is None
    assert "is not a file" in figures["fid_inception_tf2015"]["not_available"]
    assert figures["lpips_vgg"]["not_available"] == "no weights given (--lpips-weights)"


def test_given_networks_fill_their_columns(
    photos: PhotoSet, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a stand-in that takes channel means, FID is the Fréchet distance of those means."""
    import torch

    class Means:
        def __init__(self, *_: object) -> None: ...

        def __call__(self, batch: torch.Tensor) -> torch.Tensor:
            assert batch.dtype == torch.uint8
            return batch.float().mean((2, 3))

    stand_in(monkeypatch, INCEPTION, NoTrainInceptionV3=Means)
    options = {"hint_counts": (0,), "size_photos": 0, "features": False}
    result = evaluate(photos, Grey(), fid_weights=weights, **options)  # type: ignore[arg-type]
    entry = summarize(result)["models"]["grey"]["fid_inception_tf2015"]
    real, grey = result.column("grey", "true_inception"), result.column("grey", "inception")
    assert real.shape == (12, 3)
    assert entry["mean"] == pytest.approx(_frechet(real, grey), rel=1e-6)
    assert entry["low"] < entry["mean"] < entry["high"]
    assert np.allclose(grey[:, 0], grey[:, 1])
