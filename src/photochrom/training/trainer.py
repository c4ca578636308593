"""One run's moving parts: the network, its averaged weights, the optimizer, and a step of all three."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from photochrom.errors import CheckpointError
from photochrom.training.networks import build
from photochrom.training.optimizers import freeze, make_optimizer, rate_factor, set_rate
from photochrom.training.parallel import World
from photochrom.training.tasks import ask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from photochrom.training.loader import Batch
    from photochrom.training.networks import Network
    from photochrom.training.recipe import Recipe


class Trainer:
    """Steps through `total` photos. Its weights stay float32 in whatever precision the network computes."""

    def __init__(
        self,
        recipe: Recipe,
        criterion: nn.Module,
        total: int,
        device: torch.device,
        world: World | None = None,
    ):
        self.recipe, self.device, self.world, self.total = recipe, device, world or World(), total
        torch.manual_seed(recipe.schedule.seed)
        self.network = build(recipe.network).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.criterion = criterion.to(device)
        self.frozen = freeze(self.network, recipe)
        self.optimizer = make_optimizer(self.network, recipe.optimizer)
        half = recipe.optimizer.precision == "bfloat16"
        half |= recipe.optimizer.precision == "device" and device.type == "cuda"
        self.precision = torch.autocast(device.type, torch.bfloat16, enabled=half)
        self.seen = 0
        self.between_steps = True  # the weights, their average and the optimizer's state belong together
        self.average: dict[str, Tensor] = {}
        self.start_average()

    @property
    def photos_a_step(self) -> int:
        """Photos that one step of the optimizer sees, over all ranks."""
        schedule = self.recipe.schedule
        return schedule.batch * schedule.accumulate * self.world.size

    @property
    def finished(self) -> bool:
        return self.seen >= self.total

    def train_mode(self) -> None:
        """Training mode, but for what is frozen."""
        self.network.train()
        for module in self.frozen:
            module.eval()

    def step(self, batches: Sequence[Batch]) -> tuple[Tensor, Tensor]:
        """One step on `accumulate` batches; returns the loss and the gradient's norm, still on the device."""
        set_rate(self.optimizer, rate_factor(self.seen, self.total, self.photos_a_step, self.recipe.schedule))
        self.between_steps = False
        self.optimizer.zero_grad(set_to_none=True)
        losses = []
        for batch in batches:
            loss = self.criterion(*ask(self.network, batch, self.precision)) / len(batches)
            loss.backward()
            losses.append(loss.detach())
        loss = torch.stack(losses).sum()
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        self.world.average([*gradients, loss])
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.optimizer.clip or float("inf"))
        self.optimizer.step()
        self.seen += self.photos_a_step
        self.follow()
        self.between_steps = True
        return loss, norm

    # --- averaged weights ------------------------------------------------------------------

    def start_average(self) -> None:
        """Begin the averaged weights where the network stands; without averaging they are its own."""
        state = self.network.state_dict()
        if self.recipe.optimizer.average:
            state = {name: value.detach().clone() for name, value in state.items()}
        self.average = state
        own = self.network.state_dict()
        floating = [name for name, value in own.items() if value.is_floating_point()]
        self._pairs = [self.average[name] for name in floating], [own[name] for name in floating]

    @torch.no_grad()
    def follow(self) -> None:
        """Move the averaged weights toward the current ones, faster at the start."""
        if not self.recipe.optimizer.average:
            return
        steps = self.seen / self.photos_a_step
        keep = min(self.recipe.optimizer.average, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(*self._pairs, 1 - keep)

    def averaged(self) -> Network:
        """A network with the averaged weights, in evaluation mode."""
        state = torch.get_rng_state()  # building one draws random weights that nobody needs
        network = build(self.recipe.network).to(self.device)
        torch.set_rng_state(state)
        network.load_state_dict(self.average)
        return network.eval()

    # --- there and back --------------------------------------------------------------------

    def sync_statistics(self) -> None:
        """Make the batch norms' running statistics the mean over all ranks."""
        self.world.average([b for b in self.network.buffers() if b.is_floating_point()])
        self.world.average(
            [self.average[n] for n, b in self.network.named_buffers() if b.is_floating_point()]
        )

    def healthy(self) -> bool:
        """Whether every weight is a number."""
        return all(bool(torch.isfinite(value).all()) for value in self.average.values())

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps, beside the recipe."""
        return {
            "kind": self.recipe.name,
            "seen": self.seen,
            "network": self.network.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
        }

    def restore(self, state: Mapping[str, Any], source: str) -> None:
        """Go on from a checkpoint's state. Raises CheckpointError where it is of another network."""
        kind = state.get("kind", self.recipe.name)
        if kind != self.recipe.name:
            raise CheckpointError(
                f"{source} is a checkpoint of {kind}, not of {self.recipe.name}: use the recipe of that run"
            )
        bases = [group["base"] for group in self.optimizer.param_groups]
        try:
            self.network.load_state_dict(state["network"])
            self.start_average()
            for name, value in state["average"].items():
                self.average[name].copy_(value)
            self.optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError, KeyError) as error:
            reason = str(error).splitlines()[-1].strip()[:160]
            raise CheckpointError(
                f"{source} does not fit this recipe ({reason}): use the recipe of that run"
            ) from None
        for group, base in zip(self.optimizer.param_groups, bases, strict=True):
            group["base"] = base
        self.seen = int(state["seen"])
