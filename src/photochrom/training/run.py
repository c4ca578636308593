"""A training run from its data to its model: the only place where the parts meet.

RUN/recipe.toml          the recipe, every value spelled out
RUN/checkpoint.pt        to go on from
RUN/log.jsonl, loss.png  the losses
RUN/sheets/*.png         before, after, truth
RUN/weights.safetensors  the averaged weights, to start others from
RUN/model.onnx, .json    the model and its card: photochrom colorize --model RUN
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch

from photochrom import documents
from photochrom.batch.options import digest
from photochrom.color import ab_bins
from photochrom.errors import OptionError, TrainingError
from photochrom.training import checkpoints
from photochrom.training.data import list_files
from photochrom.training.finish import Finish
from photochrom.training.journal import Journal
from photochrom.training.loader import Draw, Loader, Plan, Samples
from photochrom.training.losses import WeightedSum
from photochrom.training.parallel import World, join, shards_of
from photochrom.training.photos import PhotoSet, color_counts, load_photos, split
from photochrom.training.recipe import Recipe, dump
from photochrom.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from photochrom.training.loader import Batch


@dataclass(frozen=True)
class RunOptions:
    """How to run a recipe on this machine; nothing here changes what comes out, but `init`."""

    device: str = "cpu"
    workers: int = 0  # processes that make samples; 0 is one thread
    threads: int = 0  # torch's; 0 leaves its own choice
    cache: Path | None = None  # of decoded photos; RUN/cache unless given
    init: Path | None = None  # weights to start from
    resume: bool = False


def train(recipe: Recipe, data: str | Path, out: Path, options: RunOptions | None = None) -> bool:
    """Train a recipe on photos and leave a usable model in the folder `out`.

    Returns whether this is the first of torchrun's processes, the one that wrote the files.

    Raises RecipeError, DataError, OptionError (a device that is not there, a folder that holds a run),
    CheckpointError (--resume or --init), TrainingError (a loss that is no number, a full disk).
    """
    options = options or RunOptions()
    _check_device(options.device)
    _prepare_folder(out, options.resume)
    if options.threads:
        torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    world = join(options.device)
    try:
        Run(recipe, data, out, options, world).go()
    finally:
        world.close()
    return world.first


def _prepare_folder(out: Path, resume: bool) -> None:
    """Make the run's folder; an earlier run in it is only ever continued."""
    if (out / checkpoints.NAME).exists() and not resume:
        raise OptionError(f"{out} holds a run already: go on with --resume, or give another folder")
    if out.exists() and not out.is_dir():
        raise OptionError(f"{out} is a file: give a folder for the run")
    out.mkdir(parents=True, exist_ok=True)


def _check_device(name: str) -> None:
    """Raises OptionError where this machine has no device of that kind."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(name, False):
        raise OptionError(f"this machine has no {name} device that torch can use: train with --device cpu")


def _pick_device(name: str, world: World) -> torch.device:
    """The device of this rank."""
    if name != "cuda":
        return torch.device(name)
    torch.backends.cudnn.benchmark = True
    torch.cuda.set_device(world.local_rank)
    return torch.device("cuda", world.local_rank)


class Run:
    """One rank's share of a run."""

    def __init__(self, recipe: Recipe, data: str | Path, out: Path, options: RunOptions, world: World):
        self.recipe, self.data, self.out, self.options, self.world = recipe, data, out, options, world
        self.device = _pick_device(options.device, world)
        self.photos = self._load()
        self.train_on, self.held = split(self.photos, recipe.data.validation, recipe.schedule.seed)
        self.steps = math.ceil(self._photos_to_see() / self._photos_a_step())
        criterion = WeightedSum(recipe.loss, self._prior())
        self.trainer = Trainer(recipe, criterion, self.steps * self._photos_a_step(), self.device, world)
        self.pending: list[tuple[Tensor, Tensor]] = []
        self.notes: list[str] = []
        self._start()
        self.saved = self.trainer.seen

    # --- before the first step -------------------------------------------------------------

    def _load(self) -> PhotoSet:
        """This rank's photos."""
        files = self.world.share(lambda: list_files(self.data))  # listed once: all see the same
        self.lanes = len(files) if files[0].is_shard else 1
        self.listed = digest([(str(file.place), file.size, file.version) for file in files])
        shards = shards_of(self.world, self.lanes)
        cache = self.options.cache or self.out / "cache"
        return load_photos(self.data, self.recipe.data.side, cache, shards, files)

    def _summed(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum of an array over the ranks that hold different photos."""
        if shards_of(self.world, self.lanes) == slice(None):
            return values
        tensor = torch.from_numpy(values).to(self.device, torch.float32)
        self.world.average([tensor])
        return np.asarray(tensor.cpu().numpy() * self.world.size, np.float64)

    def _photos_to_see(self) -> int:
        schedule = self.recipe.schedule
        each = int(self._summed(np.array([float(len(self.train_on))]))[0])
        return schedule.photos or schedule.epochs * each

    def _photos_a_step(self) -> int:
        return self.recipe.schedule.batch * self.recipe.schedule.accumulate * self.world.size

    def _prior(self) -> NDArray[np.float64]:
        """How often each color bin occurs in the data; even where no loss asks for it."""
        bins = ab_bins()
        if "soft_bins" not in self.recipe.loss.terms:
            return np.full(len(bins), 1 / len(bins))
        counts = self._summed(color_counts(self.photos, bins, self.recipe.data.prior_photos))
        return np.asarray(counts / counts.sum())

    def _start(self) -> None:
        """Fill the network from --resume or --init, and write down the recipe."""
        path = self.out / checkpoints.NAME
        if self.options.resume:
            state = self.world.share(lambda: checkpoints.load(path, torch.device("cpu")))
            self.trainer.restore(state, str(path))
            step = self._photos_a_step()  # may have changed; a step begins at a multiple of it
            self.trainer.seen = math.ceil(self.trainer.seen / step) * step
            self.notes += _changed_values(state["config"], documents.dump(self.recipe))
            if state.get("data", self.listed) != self.listed:
                self.notes.append("the data have changed since the run began: photos come in another order")
        elif self.options.init is not None:
            init = self.options.init
            weights, _ = self.world.share(lambda: checkpoints.load_weights(init))
            checkpoints.fill(self.trainer.network, weights, str(init), self.recipe.name)
            self.trainer.start_average()
        if self.world.first:
            (self.out / "recipe.toml").write_text(dump(self.recipe), encoding="utf-8")

    # --- the steps -------------------------------------------------------------------------

    def go(self) -> None:
        """Train to the end and leave the model; stopped early, leave a checkpoint to go on from."""
        self.journal = Journal(self.out, self.trainer.total, self.trainer.seen, quiet=not self.world.first)
        try:
            self._train()
        except TrainingError:  # these weights are broken, or the disk takes none
            raise
        except BaseException:
            self._keep_progress()
            raise
        finally:
            self.journal.close()

    def _train(self) -> None:
        trainer, schedule = self.trainer, self.recipe.schedule
        self.finish = Finish(self.recipe, self.photos, self.train_on, self.held, self.out, self.journal)
        self._introduce()
        trainer.train_mode()
        losses: list[float] = []
        self.loader = self._make_loader()
        for batches in _grouped(self.loader, schedule.accumulate):
            self.pending.append(trainer.step(batches))
            self.journal.advance(trainer.photos_a_step)
            step = trainer.seen // trainer.photos_a_step
            if self.device.type == "cpu" or step % schedule.log == 0 or step % schedule.checkpoint == 0:
                losses += self._settle(step)
            if step % schedule.log == 0 or trainer.finished:
                losses += self._settle(step)
                self._log(step, losses)
                losses = []
            if step % schedule.checkpoint == 0 or trainer.finished:
                self._save()
            if schedule.sheets and step % max(1, self.steps // schedule.sheets) == 0 and self.world.first:
                self.finish.look(trainer)
        if self.world.first:
            self.finish.leave_model(trainer, str(self.options.init or ""))

    def _keep_progress(self) -> None:
        """Keep what was learned until the run was stopped, and say how to go on.

        Ranks stop at different places, and part of a step is no step: there the last checkpoint stays.
        """
        kept = self.out / checkpoints.NAME
        if self.world.size == 1 and self.trainer.seen > self.saved and self.trainer.between_steps:
            self._settle(self.trainer.seen // self.trainer.photos_a_step)
            self._save()
        if kept.exists():
            self.journal.say(f"stopped; {kept} holds {self.saved} photos' training: go on with --resume")

    def _introduce(self) -> None:
        for line in self.photos.unreadable:
            self.journal.say(f"left out: {line}")
        count = f"{len(self.train_on)} photos to train on, {len(self.held)} held out"
        self.journal.say(f"{self.recipe.name}: {count}; left out: {self.photos.left_out}")
        for note in self.notes:
            self.journal.say(note)

    def _make_loader(self) -> Loader:
        data, schedule, trainer = self.recipe.data, self.recipe.schedule, self.trainer
        draw = Draw(self.photos, self.train_on, data.source_exponent, schedule.seed, self.lanes)
        samples = Samples(self.photos, draw, self.recipe.samples, schedule.seed)
        plan = Plan(trainer.seen, trainer.total, schedule.batch, self.world.rank, self.world.size)
        return Loader(samples, plan, self.device, self.options.workers)

    def _settle(self, step: int) -> list[float]:
        """The losses of the last steps as numbers. Raises TrainingError at the first that is none."""
        if not self.pending:
            return []
        values = torch.stack([torch.stack(pair) for pair in self.pending]).cpu().tolist()
        self.pending.clear()
        for place, (loss, norm) in enumerate(values, step - len(values) + 1):
            if not (math.isfinite(loss) and math.isfinite(norm)):
                what = "loss" if not math.isfinite(loss) else "gradient"
                raise TrainingError(self._no_number(what, place))
        return [loss for loss, _ in values]

    def _no_number(self, what: str, step: int) -> str:
        kept = self.out / checkpoints.NAME
        there = (
            f"the last good checkpoint is kept in {kept}" if kept.exists() else "there is no checkpoint yet"
        )
        return (
            f"the {what} became NaN or infinite at step {step}; {there}: lower the learning rate, or set clip"
        )

    def _log(self, step: int, losses: list[float]) -> None:
        spent = max(self.journal.spent(), 1e-9)
        loss = float(f"{np.mean(losses):.6g}")
        self.journal.log(self.trainer.seen, step=step, loss=loss, waited=round(self.loader.waited / spent, 4))

    def _save(self) -> None:
        self.trainer.sync_statistics()
        if not self.trainer.healthy():
            step = self.trainer.seen // self.trainer.photos_a_step
            raise TrainingError(self._no_number("weights", step))
        if self.world.first:
            known = {"config": documents.dump(self.recipe), "data": self.listed}
            state = {**known, **self.trainer.state()}
            checkpoints.save(self.out / checkpoints.NAME, state)
            self.saved = self.trainer.seen


def _grouped(loader: Iterable[Batch], count: int) -> Iterator[list[Batch]]:
    """Batches by `count`: what one step of the optimizer sees."""
    group: list[Batch] = []
    for batch in loader:
        group.append(batch)
        if len(group) == count:
            yield group
            group = []


def _changed_values(before: dict[str, Any], after: dict[str, Any], path: str = "") -> list[str]:
    """A line for every value of the recipe that is no longer what the run began with."""
    lines = []
    for key, value in after.items():
        old, place = before.get(key), f"{path}{key}"
        if isinstance(value, dict) and isinstance(old, dict):
            lines += _changed_values(old, value, f"{place}.")
        elif key in before and old != value:
            lines.append(f"the recipe has changed since the run began: {place} was {old}, is {value}")
    return lines
