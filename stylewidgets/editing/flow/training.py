"""Training of a conditional flow on pairs of w and attributes."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...jobs import Job, Progress, Work
from .network import ConcatSquash, ConditionalFlow

BATCH, SMALL_BATCH = 512, 128
HELD_OUT = 0.05
"""Share of the pairs that are kept for the figures."""
STEPS = 4
"""Of the solver while training by likelihood."""
RATE, SMALL_RATE = 2e-3, 3e-4
AVERAGE = 0.998
EVERY = 100
"""Steps between two figures on pairs held out."""

State = dict[str, Tensor]


@dataclass(frozen=True)
class Trained:
    """A network in evaluation mode and what it was measured to be on pairs held out.

    Attributes:
        surprise: −log p(w | attributes) per number of w, in nats; the smaller the better.
        plain: the same of the linear conditional Gaussian.
        steps: of training, by matching and by likelihood.
    """

    network: ConditionalFlow
    surprise: float
    plain: float
    steps: tuple[int, int]


class Trainer:
    """A flow under training. `state` after any step is enough to go on exactly.

    Two phases. *Matching* (Lipman et al., Flow Matching, 2023; with the path x = cos(θ)u + sin(θ)z of Albergo & Vanden-Eijnden,
    2023, along which a Gaussian stands still) needs no solver and takes most of the steps; *likelihood* is the loss of the
    paper, with Hutchinson's estimate of the divergence.

    Args:
        w, attributes: [N, D], [N, A] as the network sees them.
        hidden: widths of the network.
        matching, likelihood: steps of each phase.
        seed: of the first weights, the order of pairs, and all that is drawn.
    """

    def __init__(
        self, w: Tensor, attributes: Tensor, *, hidden: tuple[int, ...], matching: int, likelihood: int, seed: int = 0
    ) -> None:
        self.matching, self.total = matching, matching + likelihood
        self.random = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(w), generator=self.random, device="cpu", dtype=torch.int64)
        held = max(1, int(HELD_OUT * len(w)))
        self.held = w[order[:held]], attributes[order[:held]]
        self.pairs = w[order[held:]], attributes[order[held:]]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = ConditionalFlow(w.shape[1], hidden, attributes.shape[1])
        last = self.network.velocity.layers[-1]
        assert isinstance(last, ConcatSquash)
        for value in (last.layer.weight, last.layer.bias, last.gate.weight, last.shift.weight):
            nn.init.zeros_(value)  # no velocity: it starts as the linear conditional Gaussian
        self.network.whitening.fit(*self.pairs)
        self.average = copy.deepcopy(self.network).requires_grad_(False).eval()
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=RATE)
        self.step, self.lost = 0, 0.0

    def advance(self) -> float:
        """One step; returns its loss."""
        by_matching = self.step < self.matching
        rate = RATE if by_matching or not self.matching else SMALL_RATE
        first, last = (0, self.matching) if by_matching else (self.matching, self.total)
        share = (self.step - first) / max(last - first, 1)
        for group in self.optimiser.param_groups:
            group["lr"] = (
                rate * min(1.0, (self.step - first + 1) / 50) * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * share)))
            )
        loss = self._matched() if by_matching else self._likely()
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        keep = min(AVERAGE, self.step / (self.step + 10))
        with torch.no_grad():
            for kept, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
                kept.lerp_(now, 1 - keep)
            for statistic, newest in zip(self.average.buffers(), self.network.buffers(), strict=True):
                statistic.copy_(newest)
        return float(loss.detach())

    def _batch(self, size: int) -> tuple[Tensor, Tensor]:
        at = torch.randint(len(self.pairs[0]), (size,), generator=self.random, device="cpu", dtype=torch.int64)
        return self.pairs[0][at], self.pairs[1][at]

    def _white(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.random, device="cpu", dtype=torch.float32)

    def _matched(self) -> Tensor:
        """The mean square between the velocity and that of the path, at random times."""
        w, a = self._batch(BATCH)
        u, z = self.network.whitening(w, a), self._white(len(w), w.shape[1])
        t = torch.rand((len(w), 1), generator=self.random, device="cpu", dtype=torch.float32)
        angle = t * (math.pi / 2)
        x = torch.cos(angle) * u + torch.sin(angle) * z
        path = (math.pi / 2) * (torch.cos(angle) * z - torch.sin(angle) * u)
        loss: Tensor = (self.network.velocity.given(a)(t, x) - path).square().mean()
        return loss

    def _likely(self) -> Tensor:
        """−log p(w | attributes) per number of w."""
        self.network.train()
        w, a = self._batch(SMALL_BATCH)
        probe = self._white(*w.shape).sign()
        loss: Tensor = self.network.surprise(w, a, probe, STEPS).mean()
        return loss

    @torch.no_grad()
    def measure(self, probes: int = 1) -> tuple[float, float]:
        """The surprise of pairs held out, per number of w, and that of the linear conditional Gaussian."""
        w, a = self.held
        random = torch.Generator().manual_seed(1)
        found = [
            self.average.surprise(
                w, a, torch.randn(w.shape, generator=random, device="cpu", dtype=torch.float32).sign()
            ).mean()
            for _ in range(probes)
        ]
        return float(torch.stack(found).mean()), float(self.average.plain_surprise(w, a).mean())

    # -- going on later ------------------------------------------------------------------------------------------------
    def state(self) -> State:
        """Tensors that `restore` goes on from."""
        state = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        state |= {f"average.{name}": value for name, value in self.average.state_dict().items()}
        for i, moments in self.optimiser.state_dict()["state"].items():
            state |= {f"adam.{i}.{name}": value for name, value in moments.items()}
        state["random"], state["step"] = (
            self.random.get_state(),
            torch.tensor(self.step, device="cpu", dtype=torch.int64),
        )
        return {name: value.detach().clone() for name, value in state.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave, of a trainer with the same arguments. ValueError for another's."""
        try:
            for name in ("network", "average"):
                part = {k.removeprefix(name + "."): v for k, v in state.items() if k.startswith(name + ".")}
                getattr(self, name).load_state_dict(part)
            packed = self.optimiser.state_dict()
            packed["state"] = {}
            for key, value in state.items():
                if key.startswith("adam."):
                    _, i, name = key.split(".")
                    packed["state"].setdefault(int(i), {})[name] = value
            self.optimiser.load_state_dict(packed)
            self.random.set_state(state["random"])
            self.step = int(state["step"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise ValueError(f"this is the state of another training: {error}") from error


@Work
def train(trainer: Trainer, keep: Callable[[Trainer], object] | None = None) -> Job[Trained]:
    """All steps that are left, with the figures on pairs held out beside the linear conditional Gaussian.

    Args:
        keep: called with the trainer every hundred steps and at the end, to write its state.
    """
    terms: dict[str, float] = {}
    while trainer.step < trainer.total:
        loss = trainer.advance()
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss} at step {trainer.step}: the training has come apart")
        if trainer.step % EVERY == 0 or trainer.step == trainer.total:
            surprise, plain = trainer.measure()
            terms = {"held out": surprise, "linear Gaussian": plain}
            if keep is not None:
                keep(trainer)
        words = "matching" if trainer.step <= trainer.matching else "likelihood"
        yield Progress(trainer.step, trainer.total, words, {"loss": loss, **terms})
    surprise, plain = trainer.measure(4)
    network = copy.deepcopy(trainer.average).eval()
    network.check_steps(trainer.held[0][:64], trainer.held[1][:64])
    return Trained(
        network, surprise, plain, (min(trainer.step, trainer.matching), max(0, trainer.step - trainer.matching))
    )
