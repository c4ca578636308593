"""Data-parallel training under torchrun: every rank takes its part of each batch, gradients are averaged.

The averaging is one all-reduce of all gradients after the backward pass: the networks here are small,
and it needs no wrapper around them, so a checkpoint is the same from one rank or from many.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
from torch import distributed

from photochrom.errors import PhotochromError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

T = TypeVar("T")
_PATIENCE = timedelta(hours=6)  # ranks wait for one another: one may have more to fetch and decode


@dataclass(frozen=True)
class World:
    """Which of how many processes this is."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def first(self) -> bool:
        """Whether this process writes the run's files."""
        return self.rank == 0

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors by their mean over all ranks, in one exchange."""
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        distributed.all_reduce(flat)
        flat /= self.size
        offset = 0
        for tensor in tensors:
            tensor.copy_(flat[offset : offset + tensor.numel()].view_as(tensor))
            offset += tensor.numel()

    def share(self, make: Callable[[], T]) -> T:
        """What the first rank makes, given to all: the others need not see the files that it is made of.

        What it raises, all raise.
        """
        made: list[Any] = [None, None]
        if self.first:
            try:
                made = [make(), None]
            except PhotochromError as error:
                made = [None, error]
        if self.size > 1:
            distributed.broadcast_object_list(made)
        if made[1] is not None:
            raise made[1]
        return cast("T", made[0])

    def close(self) -> None:
        if self.size > 1:
            distributed.destroy_process_group()


def join(device_type: str) -> World:
    """The world that torchrun describes in the environment; a single process otherwise."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return World()
    # Its functions keep the group that there is when it is loaded. The optimizers would load it after the
    # next line, and the group's threads would outlive close(): they can abort a process while Python ends.
    importlib.import_module("torch.distributed.nn.functional")
    distributed.init_process_group("nccl" if device_type == "cuda" else "gloo", timeout=_PATIENCE)
    return World(distributed.get_rank(), size, int(os.environ.get("LOCAL_RANK", "0")))


def shards_of(world: World, shards: int) -> slice:
    """The tar shards that this rank reads: its own where they divide evenly, otherwise all."""
    return slice(world.rank, None, world.size) if shards % world.size == 0 else slice(None)
