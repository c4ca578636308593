"""The training loop: samples in, a checkpointed run out."""

from __future__ import annotations

import json
import math
import queue
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from photochrom.color import ab_bins
from photochrom.training.losses import SoftBinCrossEntropy
from photochrom.training.networks.photochrom import Photochrom
from photochrom.training.photos import PhotoSet, colour_prior
from photochrom.training.samples import SampleConfig, make_sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class LoopConfig:
    """How long and how fast to train. Progress is counted in photos seen."""

    photos: int = 240_000
    batch: int = 24
    learning_rate: float = 6e-4
    encoder_rate: float = 2e-4
    warmup: int = 200  # steps
    cooldown: int = 60_000  # photos at the end, in which the rate falls to zero
    weight_decay: float = 1e-2
    clip: float = 1.0
    ema: float = 0.999
    frozen_through: int = 8  # stride up to which the encoder is frozen; 0 for nothing
    smoothing: float = 0.5  # λ of the rebalancing
    source_exponent: float = -0.3
    seed: int = 0
    checkpoint: int = 300  # steps
    samples: SampleConfig = field(default_factory=SampleConfig)


def rate(seen: int, config: LoopConfig) -> float:
    """The learning rate's factor: warm-up, level, then cosine to zero over the cooldown."""
    warm = min(1.0, (seen / config.batch + 1) / config.warmup)
    left = (config.photos - seen) / max(1, config.cooldown)
    return warm * (1.0 if left >= 1 else 0.5 * (1 - math.cos(math.pi * max(0.0, left))))


class Loader:
    """Batches made ahead by one thread; sample k depends on (seed, k) alone."""

    def __init__(self, photos: PhotoSet, config: LoopConfig, start: int, device: torch.device):
        self.photos, self.config, self.start, self.device = photos, config, start, device
        self.chances = np.cumsum(photos.sampling_weights(config.source_exponent))
        self.waited = 0.0

    def sample(self, number: int) -> Any:
        rng = np.random.default_rng((self.config.seed, number))
        index = int(np.searchsorted(self.chances, rng.random() * self.chances[-1]))
        return make_sample(self.photos[min(index, len(self.photos) - 1)], self.config.samples, rng)

    def batch(self, first: int) -> list[Tensor]:
        samples = [self.sample(number) for number in range(first, first + self.config.batch)]
        return [torch.from_numpy(np.stack(parts)) for parts in zip(*samples, strict=True)]

    def __iter__(self) -> Iterator[list[Tensor]]:
        ready: queue.Queue[list[Tensor]] = queue.Queue(maxsize=4)

        def fill() -> None:
            for first in range(self.start, self.config.photos, self.config.batch):
                ready.put(self.batch(first))

        threading.Thread(target=fill, daemon=True).start()
        for _ in range(self.start, self.config.photos, self.config.batch):
            begin = time.perf_counter()
            batch = ready.get()
            self.waited += time.perf_counter() - begin
            yield [part.to(self.device, non_blocking=True) for part in batch]


def freeze(network: Photochrom, stride: int) -> list[nn.Module]:
    """Stop gradients of the encoder through `stride`; returns the modules kept in evaluation mode."""
    if not stride:
        return []
    last = network.encoder.taps[int(math.log2(stride)) - 2]
    frozen: list[nn.Module] = [network.encoder.stem, *network.encoder.blocks[: last + 1]]
    for module in frozen:
        module.requires_grad_(False)
    return frozen


def groups(network: Photochrom, config: LoopConfig) -> list[dict[str, Any]]:
    encoder = [p for p in network.encoder.parameters() if p.requires_grad]
    ours = {id(p) for p in network.encoder.parameters()}
    rest = [p for p in network.parameters() if id(p) not in ours]
    return [
        {"params": encoder, "lr": config.encoder_rate, "base": config.encoder_rate},
        {"params": rest, "lr": config.learning_rate, "base": config.learning_rate},
    ]


class Trainer:
    """One run: network, averaged weights, optimiser, and where it is."""

    def __init__(self, photos: PhotoSet, config: LoopConfig, run: Path, init: dict[str, Tensor] | None):
        self.config, self.run, self.photos = config, run, photos
        torch.manual_seed(config.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = Photochrom()
        self.network.ab_bins.copy_(torch.from_numpy(ab_bins()))
        if init is not None:
            self.network.load_state_dict({k: v.float() for k, v in init.items()})
        self.network.to(self.device, memory_format=torch.channels_last)
        self.frozen = freeze(self.network, config.frozen_through)
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self.optimizer = torch.optim.AdamW(
            groups(self.network, config), betas=(0.9, 0.99), weight_decay=config.weight_decay
        )
        self.loss = SoftBinCrossEntropy(ab_bins(), colour_prior(photos, ab_bins()), config.smoothing).to(self.device)
        self.seen = 0
        run.mkdir(parents=True, exist_ok=True)

    def step(self, batch: list[Tensor]) -> float:
        luminance, hints, spread, ab = batch
        for group in self.optimizer.param_groups:
            group["lr"] = group["base"] * rate(self.seen, self.config)
        luminance = luminance.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            logits = self.network(luminance, hints, spread).logits
        loss = self.loss(logits.float(), ab)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self.optimizer.step()
        self.seen += len(ab)
        self.follow()
        return float(loss.detach())

    @torch.no_grad()
    def follow(self) -> None:
        """Move the averaged weights toward the current ones, faster at the start."""
        steps = self.seen / self.config.batch
        keep = min(self.config.ema, (1 + steps) / (10 + steps))
        for key, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                self.average[key].lerp_(value, 1 - keep)
            else:
                self.average[key].copy_(value)

    def train(self) -> None:
        self.network.train()
        for module in self.frozen:
            module.eval()
        loader = Loader(self.photos, self.config, self.seen, self.device)
        losses: list[float] = []
        begin, first = time.perf_counter(), self.seen
        for number, batch in enumerate(loader, 1):
            losses.append(self.step(batch))
            if number % 100 == 0:
                spent = time.perf_counter() - begin
                self.log(
                    seen=self.seen, loss=round(float(np.mean(losses[-100:])), 4),
                    rate=round((self.seen - first) / spent, 1), waited=round(loader.waited / spent, 4),
                )
            if number % self.config.checkpoint == 0:
                self.save()
        self.save()

    def log(self, **values: Any) -> None:
        with (self.run / "log.jsonl").open("a") as file:
            file.write(json.dumps({"time": round(time.time()), **values}) + "\n")

    def save(self) -> None:
        state = {
            "config": asdict(self.config), "seen": self.seen, "network": self.network.state_dict(),
            "average": self.average, "optimizer": self.optimizer.state_dict(),
        }
        temporary = self.run / "checkpoint.partial"
        torch.save(state, temporary)
        temporary.replace(self.run / "checkpoint.pt")

    def resume(self) -> None:
        state = torch.load(self.run / "checkpoint.pt", weights_only=True, map_location=self.device)
        self.network.load_state_dict(state["network"])
        self.average = state["average"]
        bases = [group["base"] for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(state["optimizer"])
        for group, base in zip(self.optimizer.param_groups, bases, strict=True):
            group["base"] = base
        self.seen = state["seen"]
