"""What a run shows and leaves: sheets of colored photos, its gain over grey, the model and its card."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from photochrom import documents
from photochrom.training import checkpoints, journal, validation
from photochrom.training.augment import AffineConfig
from photochrom.training.export import export, make_card, metadata_of
from photochrom.training.loader import collate
from photochrom.training.samples import WholeConfig, plain
from photochrom.training.tasks import ask

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from photochrom.training.networks import Network
    from photochrom.training.photos import PhotoSet
    from photochrom.training.recipe import Recipe
    from photochrom.training.trainer import Trainer

_ON_A_SHEET = 8


class Finish:
    """Looks at photos that the run holds out, or at ones it learns from where it holds out none."""

    def __init__(
        self,
        recipe: Recipe,
        photos: PhotoSet,
        train_on: NDArray[np.int64],
        held: NDArray[np.int64],
        out: Path,
        records: journal.Journal,
    ):
        self.recipe, self.photos, self.train_on, self.held = recipe, photos, train_on, held
        self.out, self.journal = out, records
        self.measured_on = "held out" if len(held) else "trained on"
        numbers = list(held if len(held) else train_on)
        chosen = np.random.default_rng(0).permutation(numbers)[: max(1, recipe.data.validation_photos)]
        self.pictures = validation.pictures(photos, [int(n) for n in chosen], recipe.samples)

    def look(self, trainer: Trainer) -> float:
        """Color the photos, write a sheet and the curve, log the gain over grey in dB and return it."""
        network = trainer.averaged()
        results = [validation.color(network, picture, trainer.device) for picture in self.pictures]
        gained = validation.gain(results)
        sheets = self.out / "sheets"
        sheets.mkdir(exist_ok=True)
        journal.save_picture(validation.sheet(results[:_ON_A_SHEET]), sheets / f"{trainer.seen:09d}.png")
        journal.draw_curve(self.out, self.out / "loss.png", f"{self.recipe.name}: {self._what()}")
        self.journal.log(trainer.seen, gain=round(gained, 3), of=self.measured_on)
        return gained

    def _what(self) -> str:
        return " + ".join(name for name, weight in self.recipe.loss.terms.items() if weight)

    def leave_model(self, trainer: Trainer, init: str) -> None:
        """Weights, model and card of a finished run, and what the article's alpha wrote."""
        network = trainer.averaged()
        gained = self.look(trainer)
        training = self._facts(trainer, gained, init)
        if isinstance(self.recipe.samples, WholeConfig) and len(self.photos) == 1:
            training["evaluation_loss"] = self._memorised(network, trainer)
        weights = {name: value.cpu() for name, value in trainer.average.items()}
        checkpoints.save_weights(self.out / checkpoints.WEIGHTS, weights, metadata_of(self.recipe.network))
        name = self.out.resolve().name
        samples = self.recipe.samples
        short = samples.size if isinstance(samples, AffineConfig) else 0  # as large as it was trained
        export(network, self.out / "model.onnx", make_card(name, self.recipe.name, training, short))
        self.journal.say(f"done: photochrom colorize --model {self.out} PHOTO")

    def _facts(self, trainer: Trainer, gained: float, init: str) -> dict[str, Any]:
        seen, losses = journal.losses(self.out)
        return {
            "network": self.recipe.name,
            "photochrom": version("photochrom"),
            "photos": len(self.train_on),
            "held_out": len(self.held),
            "left_out": self.photos.left_out,
            "photos_seen": trainer.seen,
            "median_of_last_50_losses": float(np.median(losses[-50:])) if seen else None,
            "gain_over_grey_db": round(gained, 3),
            "gain_measured_on": f"{len(self.pictures)} photos {self.measured_on}",
            "started_from": init or "random weights",
            "recipe": documents.dump(self.recipe),
        }

    def _memorised(self, network: Network, trainer: Trainer) -> float:
        """The loss at the end, and the pictures that the article's first script wrote."""
        result = validation.color(network, self.pictures[0], trainer.device)
        journal.save_picture(result.colored, self.out / "img_result.png")
        journal.save_picture(result.grey[..., 0], self.out / "img_gray_scale.png")
        batch = [part.to(trainer.device) for part in collate([plain(self.pictures[0])])]
        with torch.no_grad():
            loss = float(trainer.criterion(*ask(network, batch)))
        self.journal.say(f"evaluation: loss {loss:.6f}")
        return loss
