"""The training loop: fixed seeds, a smoothed copy of the weights, and resuming."""

# pyright: reportMissingImports=false
from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from demeter.vision.errors import WeightsDoNotFit

LossOf = Callable[[nn.Module, int], tuple[Tensor, dict[str, float]]]


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How long and how fast to learn; the same plan resumes a run.

    ``subject``: what is learnt from what, in words: a run on something else is not resumed.
    """

    steps: int
    rate: float = 1.5e-3
    warm_up: int = 150
    decay: float = 0.02
    smooth: float = 0.998
    save_every: int = 250
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a step reports: the step, its losses (averaged lately) and seconds a step."""

    step: int
    losses: dict[str, float]
    seconds: float


def rate_at(plan: TrainingPlan, step: int) -> float:
    """Learning rate: linear warm-up, then a cosine down to a fiftieth."""
    if step < plan.warm_up:
        return plan.rate * (step + 1) / plan.warm_up
    share_done = (step - plan.warm_up) / max(1, plan.steps - plan.warm_up)
    return plan.rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, share_done))))


class Learner:
    """A network in training, its smoothed copy and its optimiser, as one file on disk.

    Raises:
        WeightsDoNotFit: the file on disk is of another network, or of a run on something else.
    """

    def __init__(self, network: nn.Module, plan: TrainingPlan, checkpoint: Path) -> None:
        self.network, self.plan, self.checkpoint = network, plan, checkpoint
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.smooth = copy.deepcopy(network).eval()
        plain = [p for p in network.parameters() if p.ndim <= 1]
        kernels = [p for p in network.parameters() if p.ndim > 1]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": kernels, "weight_decay": plan.decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=plan.rate,
        )
        self.step = 0
        if checkpoint.exists():
            self._resume()

    def _resume(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True)
        subject = state.get("subject", self.plan.subject)  # earlier runs do not name it
        if subject != self.plan.subject:
            raise WeightsDoNotFit(
                f"{self.checkpoint} is a run of {subject}, not of {self.plan.subject}; begin "
                "with another --run"
            )
        try:
            self.network.load_state_dict(state["network"])
            self.smooth.load_state_dict(state["smooth"])
            self.optimiser.load_state_dict(state["optimiser"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise WeightsDoNotFit(
                f"{self.checkpoint} is a run of another network; begin with another --run"
            ) from error
        self.step = int(state["step"])

    def save(self) -> None:
        """Write the checkpoint; a crash in between leaves the one before."""
        part = self.checkpoint.with_suffix(".part")
        torch.save(
            {
                "network": self.network.state_dict(),
                "smooth": self.smooth.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
                "subject": self.plan.subject,
            },
            part,
        )
        part.replace(self.checkpoint)

    def run(self, loss_of: LossOf) -> Iterator[Progress]:
        """Learn up to the plan's last step, yielding after every step.

        What was learnt is saved now and then, and when the caller stops.
        """
        try:
            yield from self._steps(loss_of)
        finally:
            self.save()

    def _steps(self, loss_of: LossOf) -> Iterator[Progress]:
        self.network.train()
        recent_losses: dict[str, float] = {}
        while self.step < self.plan.steps:
            start = time.perf_counter()
            parts = self._take_step(loss_of)
            recent_losses = {k: 0.97 * recent_losses.get(k, v) + 0.03 * v for k, v in parts.items()}
            self.step += 1
            if self.step % self.plan.save_every == 0:
                self.save()
            yield Progress(self.step, recent_losses, time.perf_counter() - start)

    def _take_step(self, loss_of: LossOf) -> dict[str, float]:
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(self.plan, self.step)
        self.optimiser.zero_grad(set_to_none=True)
        loss, parts = loss_of(self.network, self.step)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self.optimiser.step()
        self._update_smooth()
        return parts

    @torch.no_grad()
    def _update_smooth(self) -> None:
        """Move the smoothed weights toward the present ones, faster at the start."""
        weight = min(self.plan.smooth, (1 + self.step) / (20 + self.step))
        current = self.network.state_dict()
        for name, value in self.smooth.state_dict().items():
            if value.dtype.is_floating_point:
                value.mul_(weight).add_(current[name], alpha=1 - weight)
            else:
                value.copy_(current[name])
