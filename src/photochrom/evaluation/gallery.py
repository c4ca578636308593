"""The report's pictures: which photos are shown, and strips of grey | ours | truth as embedded JPEG."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from photochrom.color import rgb_to_lab
from photochrom.evaluation.calibration import normalized_entropy
from photochrom.evaluation.measure import spaced
from photochrom.evaluation.metrics import ab_error
from photochrom.evaluation.photos import Sample
from photochrom.evaluation.predictors import FolderPredictor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from photochrom.evaluation.evaluator import Evaluation
    from photochrom.evaluation.metrics import RGB

_SHOWN = 24  # photos in each of best, median and worst
SIDE = 176  # px of a picture in a strip
_UNSURE = 8  # photos with their uncertainty
_QUALITY = 86
_ERROR_FULL = 50.0  # ab error drawn as white


@dataclass(frozen=True)
class Strip:
    """Pictures side by side."""

    key: str
    caption: str
    labels: tuple[str, ...]
    jpeg: bytes

    @property
    def data_url(self) -> str:
        """For an <img> in a page that needs no other file."""
        return "data:image/jpeg;base64," + base64.b64encode(self.jpeg).decode()


def shown_models(result: Evaluation) -> list[str]:
    """Models whose pictures are worth a look: not the baselines, unless there is nothing else."""
    models = [
        name
        for name, predictor in result.predictors.items()
        if predictor.is_model or isinstance(predictor, FolderPredictor)
    ]
    return models or list(result.predictors)[:1]


def _ranked(result: Evaluation, model: str) -> dict[str, list[int]]:
    """Rows of the best, median and worst photos by PSNR gain over grey, without overlap where possible."""
    gain = result.column(model, "psnr") - result.column(model, "grey_psnr")
    order = np.argsort(-np.nan_to_num(gain, nan=np.inf), kind="stable").tolist()
    shown = max(1, min(_SHOWN, len(order) // 3))
    start = (len(order) - shown) // 2
    return {"best": order[:shown], "median": order[start : start + shown], "worst": order[::-1][:shown]}


def gallery(result: Evaluation) -> dict[str, list[Strip]]:
    """{"best": strips, "median": …, "worst": …}, ranked by the first model."""
    models = shown_models(result)
    chosen = _ranked(result, models[0])
    return {
        title: [strip for row in rows if (strip := _color_strip(result, row, models))]
        for title, rows in chosen.items()
    }


def _sample(result: Evaluation, row: int) -> Sample | None:
    sample = result.photos.load(result.numbers[row])
    return sample if isinstance(sample, Sample) else None


def _color_strip(result: Evaluation, row: int, models: Sequence[str]) -> Strip | None:
    if (sample := _sample(result, row)) is None:
        return None
    pictures = [result.predictors[model].prepare(sample).render() for model in models]
    gains = (result.rows[model][row]["psnr"] - result.rows[model][row]["grey_psnr"] for model in models)
    caption = ", ".join(f"{gain:+.1f} dB" for gain in gains)
    shown = [sample.plain, *pictures, sample.truth]
    return Strip(sample.key, caption, ("grey", *models, "truth"), encode_strip(shown))


def uncertainty_strips(result: Evaluation, model: str) -> list[Strip]:
    """Evenly spaced photos as picture | truth | uncertainty | ab error, where the model has probabilities."""
    strips = []
    for row in spaced(len(result.keys), _UNSURE):
        if (sample := _sample(result, row)) is None:
            continue
        prepared = result.predictors[model].prepare(sample)
        if (distribution := prepared.distribution()) is None:
            return []
        picture = prepared.render()
        entropy = normalized_entropy(distribution.probabilities)
        error = ab_error(rgb_to_lab(picture), rgb_to_lab(sample.truth)) / _ERROR_FULL
        shown = [picture, sample.truth, _heat(entropy), _heat(error)]
        caption = f"mean entropy {entropy.mean():.2f}, mean ab error {error.mean() * _ERROR_FULL:.1f}"
        strips.append(
            Strip(sample.key, caption, (model, "truth", "uncertainty", "ab error"), encode_strip(shown))
        )
    return strips


def _heat(values: NDArray[np.float64]) -> RGB:
    """0 dark … 1 bright."""
    levels = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return np.asarray(
        cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB), np.uint8
    )


def encode_strip(pictures: Sequence[RGB], side: int = SIDE) -> bytes:
    """JPEG of square pictures beside each other, `side` px high."""
    resized = [cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA) for picture in pictures]
    stored = io.BytesIO()
    Image.fromarray(np.concatenate(resized, axis=1)).save(stored, "JPEG", quality=_QUALITY, subsampling=0)
    return stored.getvalue()
