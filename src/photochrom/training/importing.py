"""Other people's models made ours: recognized, checked, converted to ONNX once, stored with a card."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import numpy as np
import onnx
import torch

from photochrom.errors import ModelError, OptionError
from photochrom.models import store
from photochrom.models.card import Card, write_card
from photochrom.models.catalogue import catalogue
from photochrom.models.session import load
from photochrom.provenance import file_sha256
from photochrom.training.onnx_frame import any_size
from photochrom.training.onnx_graph import random_inputs, trace
from photochrom.training.published import load_published

if TYPE_CHECKING:
    from pathlib import Path

    from photochrom.training.published import Family, Published

PARITY = 1e-2  # the largest accepted |Δab| between torch and the converted graph


def import_model(source: Path, name: str = "", feed: Path | None = None) -> Card:
    """Store a .pth, .pt, .safetensors or .onnx file as a model under a name; its file's own by default.

    feed: a TOML file that says how an ONNX graph is fed, where it is of no known family. Raises OptionError,
    CheckpointError or ModelError; nothing is left behind then.
    """
    name = free_name(name or re.sub(r"[^A-Za-z0-9_-]+", "-", source.stem).strip("-_") or "model")
    if not source.is_file():
        raise OptionError(f"there is no file {source}: give a .pth, .pt, .safetensors or .onnx file")
    if source.suffix == ".onnx":
        from photochrom.training.foreign import adopt

        with store.adding(name) as folder:
            return adopt(source, folder / store.GRAPH, name, feed)
    if feed is not None:
        raise OptionError("--card says how an ONNX graph is fed: leave it out for a checkpoint")
    network, family = load_published(source)
    with store.adding(name) as folder:
        target = folder / store.GRAPH
        onnx.save(_graph(network), target)
        card = write_card(target, dataclasses.replace(_card(family, source), name=name))
        difference = parity(network, target)
        if not difference <= PARITY:
            raise ModelError(
                f"the converted graph differs from torch by {difference:.3f} in ab, more than {PARITY}: "
                "please report this file"
            )
    return card


def free_name(name: str) -> str:
    """A name under which no model is stored yet. Raises OptionError."""
    if store.check_name(name) in catalogue():
        raise OptionError(
            f"there is a model {name} already: give another --name, "
            f"or `photochrom models remove {name}` first"
        )
    return name


def _graph(network: Published) -> onnx.ModelProto:
    inputs = {"luminance": torch.zeros(1, 1, 64, 96)}
    if network.takes_hints:
        inputs["hints"] = torch.zeros(1, 3, 64, 96)
    traced = trace(network, inputs, ["ab"], network.multiple, optimize=False)
    graph = any_size(traced, network.multiple, list(inputs))
    onnx.checker.check_model(graph)
    return graph


def _card(family: Family, source: Path) -> Card:
    return Card(
        name="",
        head="ab",
        supports_hints=family.name == "siggraph17",
        licence=family.licence,
        description=family.description,
        family=family.name,
        size=family.size,
        stride=1,
        mirror=False,
        training={"imported_from": source.name, "sha256": file_sha256(source)},
    )


@torch.no_grad()
def parity(network: Published, target: Path) -> float:
    """The largest |Δab| between torch and the graph, over two sizes and random inputs.

    Where weights lead far out of Lab's range, it is a share of what they give: no float32 is exact there.
    """
    session, random = load(target, threads=1), np.random.default_rng(0)
    worst = 0.0
    for height, width in ((128, 96), (64, 160)):
        inputs = random_inputs(random, height, width, hinted=network.takes_hints)
        inputs.pop("spread", None)
        ours = network(*(torch.from_numpy(value) for value in inputs.values())).numpy()
        scale = max(1.0, float(np.abs(ours).max()) / 128)
        worst = max(worst, float(np.abs(ours - session.run("ab", **inputs)).max()) / scale)
    return worst
