"""How each kind of network is asked, and what its answer means."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from photochrom.training import hint_planes
from photochrom.training.losses import Prediction, Truth
from photochrom.training.networks.photochrom import Photochrom

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from torch import Tensor

    from photochrom.training.loader import Batch
    from photochrom.training.networks import Network


def ask(
    network: Network, batch: Batch, precision: AbstractContextManager[object] | None = None
) -> tuple[Prediction, Truth]:
    """The network's answer to a batch of `Plain` or `Hinted` samples, in float32, and the truth.

    `precision` is the autocast in which the network alone runs.
    """
    inputs, ab = inputs_of(batch), batch[-1]
    with precision or nullcontext():
        answer = network(*inputs)
    if isinstance(network, Photochrom):
        prediction = _read_bins(answer.logits.float(), network.ab_bins)
        return prediction._replace(coarse=answer.coarse.float()), Truth(ab, batch[0])
    return Prediction(answer.float()), Truth(ab, batch[0])


def inputs_of(batch: Batch) -> list[Tensor]:
    """What the network takes: a batch of `Plain` holds it, of `Hinted` its hints are drawn first."""
    luminance, *rest = batch[:-1]
    if not rest:
        return [luminance]
    marks, cover = rest
    return [luminance, hint_planes.draw(marks, cover), hint_planes.spread(marks, luminance)]


def _read_bins(logits: Tensor, bins: Tensor) -> Prediction:
    """The mean color of logits (B, Q, h, w) over bins (Q, 2), and their log-probabilities."""
    log_p = logits.permute(0, 2, 3, 1).log_softmax(-1)  # bins last, as they lie: half the time of dimension 1
    return Prediction((log_p.exp() @ bins).permute(0, 3, 1, 2), log_p.permute(0, 3, 1, 2))
