"""The layouts of published checkpoints, written down from their documentation: name -> shape."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

Shapes = dict[str, tuple[int, ...]]


def _conv(name: str, outputs: int, inputs: int, kernel: int = 3, bias: bool = True) -> Shapes:
    found: Shapes = {f"{name}.weight": (outputs, inputs, kernel, kernel)}
    return found | ({f"{name}.bias": (outputs,)} if bias else {})


def _up(name: str, inputs: int, outputs: int) -> Shapes:
    return {f"{name}.weight": (inputs, outputs, 4, 4), f"{name}.bias": (outputs,)}


def _affine(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _batch_norm(name: str, width: int) -> Shapes:
    return _affine(name, width) | {f"{name}.running_mean": (width,), f"{name}.running_var": (width,)}


def _linear(name: str, outputs: int, inputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _stages(first: int) -> Shapes:
    found: Shapes = {}
    widths = [(first, 64, 64), (64, 128, 128), (128, 256, 256, 256), (256, 512, 512, 512)]
    for number, block in enumerate([*widths, *[(512,) * 4] * 3], 1):
        for place, (inputs, outputs) in enumerate(pairwise(block)):
            found |= _conv(f"model{number}.{2 * place}", outputs, inputs)
        found |= _batch_norm(f"model{number}.{2 * (len(block) - 1)}", block[-1])
    return found


def eccv16() -> Shapes:
    found = _stages(1) | _up("model8.0", 512, 256) | _conv("model8.2", 256, 256) | _conv("model8.4", 256, 256)
    return found | _conv("model8.6", 313, 256, 1) | _conv("model_out", 2, 313, 1, bias=False)


def siggraph17() -> Shapes:
    found = _stages(4)
    for up, short, inputs, outputs, skipped in (
        ("model8up", "model3short8", 512, 256, 256),
        ("model9up", "model2short9", 256, 128, 128),
        ("model10up", "model1short10", 128, 128, 64),
    ):
        found |= _up(f"{up}.0", inputs, outputs) | _conv(f"{short}.0", outputs, skipped)
    found |= _conv("model8.1", 256, 256) | _conv("model8.3", 256, 256) | _batch_norm("model8.5", 256)
    found |= _conv("model9.1", 128, 128) | _batch_norm("model9.3", 128) | _conv("model10.1", 128, 128)
    return found | _conv("model_class.0", 529, 256, 1) | _conv("model_out.0", 2, 128, 1)


def ddcolor(depths: tuple[int, ...], widths: tuple[int, ...]) -> Shapes:
    arch = "encoder.arch"
    found = _conv(f"{arch}.downsample_layers.0.0", widths[0], 3, 4)
    found |= _affine(f"{arch}.downsample_layers.0.1", widths[0])
    for stage in range(4):
        width = widths[stage]
        if stage:
            found |= _affine(f"{arch}.downsample_layers.{stage}.0", widths[stage - 1])
            found |= _conv(f"{arch}.downsample_layers.{stage}.1", width, widths[stage - 1], 2)
        for block in range(depths[stage]):
            name = f"{arch}.stages.{stage}.{block}"
            found |= {f"{name}.gamma": (width,)} | _conv(f"{name}.dwconv", width, 1, 7)
            found |= _affine(f"{name}.norm", width) | _linear(f"{name}.pwconv1", 4 * width, width)
            found |= _linear(f"{name}.pwconv2", width, 4 * width)
        found |= _affine(f"{arch}.norm{stage}", width)
    found |= _affine(f"{arch}.norm", widths[3])
    for number, (inputs, skipped, outputs) in enumerate(
        ((widths[3], widths[2], 512), (512, widths[1], 512), (512, widths[0], 256))
    ):
        name = f"decoder.layers.{number}"
        found |= _spectral(f"{name}.shuf.conv.0", 4 * outputs, inputs, 1, bias=False)
        found |= _batch_norm(f"{name}.shuf.conv.1", 4 * outputs) | _batch_norm(f"{name}.bn", skipped)
        found |= _spectral(f"{name}.conv.0", outputs, outputs + skipped, 3, bias=False)
        found |= _batch_norm(f"{name}.conv.2", outputs)
    found |= _spectral("decoder.last_shuf.conv.0", 256 * 16, 256, 1)
    found |= dict(_color_decoder("decoder.color_decoder"))
    found |= _spectral("refine_net.0.0", 2, 103, 1)
    return found | {"mean": (1, 3, 1, 1), "std": (1, 3, 1, 1)}


def _spectral(name: str, outputs: int, inputs: int, kernel: int, bias: bool = True) -> Shapes:
    found: Shapes = {
        f"{name}.weight_orig": (outputs, inputs, kernel, kernel),
        f"{name}.weight_u": (outputs,),
        f"{name}.weight_v": (inputs * kernel * kernel,),
    }
    return found | ({f"{name}.bias": (outputs,)} if bias else {})


def _color_decoder(name: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from {f"{name}.query_feat.weight": (100, 256), f"{name}.query_embed.weight": (100, 256)}.items()
    yield f"{name}.level_embed.weight", (3, 256)
    for number, width in enumerate((512, 512, 256)):
        yield from _conv(f"{name}.input_proj.{number}", 256, width, 1).items()
    for number in range(9):
        for layer, attention in (("cross", "multihead_attn"), ("self", "self_attn")):
            place = f"{name}.transformer_{layer}_attention_layers.{number}"
            yield f"{place}.{attention}.in_proj_weight", (768, 256)
            yield f"{place}.{attention}.in_proj_bias", (768,)
            yield from (
                _linear(f"{place}.{attention}.out_proj", 256, 256) | _affine(f"{place}.norm", 256)
            ).items()
        place = f"{name}.transformer_ffn_layers.{number}"
        yield from (_linear(f"{place}.linear1", 2048, 256) | _linear(f"{place}.linear2", 256, 2048)).items()
        yield from _affine(f"{place}.norm", 256).items()
    yield from _affine(f"{name}.decoder_norm", 256).items()
    for number in range(3):
        yield from _linear(f"{name}.color_embed.layers.{number}", 256, 256).items()


LAYOUTS = {
    "siggraph17": siggraph17,
    "eccv16": eccv16,
    "ddcolor": lambda: ddcolor((3, 3, 27, 3), (192, 384, 768, 1536)),
    "ddcolor-tiny": lambda: ddcolor((3, 3, 9, 3), (96, 192, 384, 768)),
}


def random_weights(layout: Shapes, seed: int = 0) -> dict[str, torch.Tensor]:
    """Weights of a layout that keep activations in a sensible range, every buffer random too."""
    torch.manual_seed(seed)
    found = {}
    for name, shape in layout.items():
        if name in ("mean", "std"):
            found[name] = torch.tensor((0.485, 0.456, 0.406) if name == "mean" else (0.229, 0.224, 0.225))
            found[name] = found[name].view(shape)
        elif name.endswith("running_var"):
            found[name] = torch.rand(shape) + 0.5
        elif len(shape) == 1 or "embed.weight" in name or "query_feat" in name:
            center = 1.0 if name.endswith(("norm.weight", "bn.weight")) else 0.0
            found[name] = center + 0.3 * torch.randn(shape)
        else:
            found[name] = torch.randn(shape) * (2 / torch.Size(shape[1:]).numel()) ** 0.5
    for name in [name for name in found if name.endswith("weight_orig")]:
        matrix, u = found[name].flatten(1), torch.randn(found[name].shape[0])
        for _ in range(3):  # as training leaves them: near the largest singular value's
            v = torch.nn.functional.normalize(matrix.T @ u, dim=0)
            u = torch.nn.functional.normalize(matrix @ v, dim=0)
        found[name.replace("_orig", "_u")], found[name.replace("_orig", "_v")] = u, v
    return found
