"""Training: the reader of codes on labels, then RigNet with the reader frozen."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...jobs import Job, Progress, Work
from .network import ParameterReader, RigNet

READING, READ_BATCH, READ_RATE, DECAY = 5000, 256, 3e-3, 0.05
"""Of the reader of codes: steps, codes in one, learning rate and weight decay."""
BATCH, RATE, AVERAGE = 64, 2e-3, 0.998
KEEP, FAR = 1.0, 0.002
"""Weights of what must stay and of the squared way gone, beside that of what is asked for."""
EVEN, MANY = 0.5, 0.4
"""Shares of the requests that are drawn evenly from a parameter's range, and that are of a whole group at once."""
SUREST = 0.1
"""Standard error, in σ, below which nothing is weighted higher."""
EVERY = 250

State = dict[str, Tensor]


@Work
def fit_reader(
    w: Tensor, labels: Tensor, held: int, *, steps: int = READING, hidden: int = 128, seed: int = 0
) -> Job[ParameterReader]:
    """A reader of whitened w [N, D] → labels [N, A], weighted by 1 / its own standard error on the first `held` pairs.

    The errors are those after a third of the steps.
    """
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        reader = ParameterReader(1, w.shape[1], labels.shape[1], hidden)
    optimiser = torch.optim.AdamW(reader.parameters(), lr=READ_RATE, weight_decay=DECAY)
    weights = torch.ones_like(labels[0])
    for step in range(steps):
        if step == steps // 3:
            weights = weights_of(errors_of(reader, w[:held], labels[:held]))
        for group in optimiser.param_groups:
            group["lr"] = READ_RATE * (0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * step / steps)))
        at = held + torch.randint(len(w) - held, (READ_BATCH,), generator=random, device="cpu", dtype=torch.int64)
        loss = ((reader(w[at][:, None]) - labels[at]) * weights).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        yield Progress(step + 1, steps, "reading w", {"loss": float(loss.detach())})
    return reader.eval().requires_grad_(False)


@torch.no_grad()
def errors_of(reader: ParameterReader, w: Tensor, labels: Tensor) -> Tensor:
    """Standard error of each reading [A] on whitened w [N, D], in σ of the labels."""
    found: Tensor = (reader(w[:, None]) - labels).square().mean(dim=0).sqrt()
    return found


def weights_of(errors: Tensor) -> Tensor:
    """1 over each standard error, with a mean of 1: a unit of any parameter is then as visible as one of another."""
    weights = 1 / errors.clamp_min(SUREST)
    return weights / weights.mean()


@dataclass(frozen=True)
class Asking:
    """What is asked for in training, of the parameters, which are the first P of all readings.

    Attributes:
        groups: places of the parameters of each group.
        low, high: [P], from where to where each may be asked for, as the networks see it.
        weights: of all readings [A], see `weights_of`.
        shares: how much of each reading each row of w+ accounts for [R, A]; columns sum to 1.
    """

    groups: Sequence[Sequence[int]]
    low: Tensor
    high: Tensor
    weights: Tensor
    shares: Tensor


class Trainer:
    """A RigNet under training. `state` after any step is enough to go on exactly.

    Args:
        net: untrained.
        w: whitened codes [N, D] to learn from.
        reader: of these, frozen.
        asking: what is asked for.
        steps: of training.
        seed: of all that is drawn by chance.
    """

    def __init__(
        self, net: RigNet, w: Tensor, reader: ParameterReader, asking: Asking, *, steps: int, seed: int = 0
    ) -> None:
        self.net, self.w, self.reader, self.asking, self.total = net, w, reader, asking, steps
        with torch.no_grad():
            net.decoder.weights[-1].mul_(0.1)  # it starts with small changes
        self.average = copy.deepcopy(net).requires_grad_(False).eval()
        self.optimiser = torch.optim.Adam(net.parameters(), lr=RATE)
        self.random = torch.Generator().manual_seed(seed)
        self.step = 0
        self._members = torch.zeros((len(asking.groups), len(asking.low)), dtype=torch.bool, device="cpu")
        for i, group in enumerate(asking.groups):
            self._members[i, list(group)] = True

    def advance(self) -> dict[str, float]:
        """One step; returns its losses."""
        share = self.step / max(self.total, 1)
        for group in self.optimiser.param_groups:
            group["lr"] = RATE * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * share)))
        terms = self.losses()
        self.optimiser.zero_grad()
        (terms["edit"] + KEEP * terms["others"] + FAR * terms["way"]).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        keep = min(AVERAGE, self.step / (self.step + 10))
        self.step += 1
        with torch.no_grad():
            for kept, now in zip(self.average.parameters(), self.net.parameters(), strict=True):
                kept.lerp_(now, 1 - keep)
        return {name: float(value.detach()) for name, value in terms.items()}

    def losses(self) -> dict[str, Tensor]:
        """The paper's losses on pairs (w, v), v the code before w in the batch, so that each code is both.

        *Edit*: what is asked for must be read of ŵ. *Consistency*: all other readings must be those of w. The paper measures
        both through rendering, since raw parameters count unequally; here each is divided by the standard error that it is
        read with. Every row of ŵ is read as if it were the whole code, and counts for a reading as much as it accounts for
        it: no row may leave the codes that the reader knows. *Reconstruction* needs no loss: see `RigNet.change`.
        """
        count = len(self.asking.low)
        w = self.w[self._chance(BATCH, whole=len(self.w))]
        ws = w[:, None].expand(-1, self.net.rows, -1)
        with torch.no_grad():
            read = self.reader(w[:, None])
        mine = read[:, :count]
        wanted, label, asked = self._requests(mine)
        change = self.net.change(ws, mine, wanted, label)
        after = self.reader((ws + change)[..., None, :])  # [N, R, A]
        target = torch.cat([wanted, read[:, count:]], dim=1)[:, None]
        missed = (((after - target) * self.asking.weights).square() * self.asking.shares).sum(dim=1)
        of_request = nn.functional.pad(asked, (0, missed.shape[1] - count))
        return {"edit": missed[of_request].mean(), "others": missed[~of_request].mean(), "way": change.square().mean()}

    def _requests(self, mine: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Wanted parameters [N, P], the label [N, G], and what is asked for [N, P]: one parameter of a group, or all of it."""
        size = mine.shape
        group = self._chance(size[0], whole=len(self.asking.groups))
        asked = self._members[group]
        ranked = self._chance(*size) * asked
        one = ranked == ranked.max(dim=1, keepdim=True).values
        asked = asked & (one | (self._chance(size[0], 1) < MANY))
        even = self.asking.low + (self.asking.high - self.asking.low) * self._chance(*size)
        others = mine.roll(1, 0).clamp(self.asking.low, self.asking.high)
        wanted = torch.where(self._chance(*size) < EVEN, even, others)
        label = nn.functional.one_hot(group, len(self.asking.groups)).to(torch.float32)
        return torch.where(asked, wanted, mine), label, asked

    def _chance(self, *size: int, whole: int = 0) -> Tensor:
        """Numbers from 0 to 1, or whole ones below `whole`."""
        if whole:
            return torch.randint(whole, size, generator=self.random, device="cpu", dtype=torch.int64)
        return torch.rand(size, generator=self.random, device="cpu", dtype=torch.float32)

    # -- going on later ------------------------------------------------------------------------------------------------
    def state(self) -> State:
        """Tensors that `restore` goes on from."""
        state = {f"net.{name}": value for name, value in self.net.state_dict().items()}
        state |= {f"average.{name}": value for name, value in self.average.state_dict().items()}
        for i, moments in self.optimiser.state_dict()["state"].items():
            state |= {f"adam.{i}.{name}": value for name, value in moments.items()}
        state["random"] = self.random.get_state()
        state["step"] = torch.tensor(self.step, device="cpu", dtype=torch.int64)
        return {name: value.detach().clone() for name, value in state.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave, of a trainer with the same arguments. ValueError for another's."""
        try:
            for name in ("net", "average"):
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
def train(trainer: Trainer, keep: Callable[[Trainer], object] | None = None) -> Job[RigNet]:
    """All steps that are left; the mean of the last weights, in evaluation mode.

    Args:
        keep: called with the trainer now and then and at the end, to write its state.
    """
    while trainer.step < trainer.total:
        terms = trainer.advance()
        if not all(map(math.isfinite, terms.values())):
            raise FloatingPointError(f"the losses are {terms} at step {trainer.step}: the training has come apart")
        if keep is not None and (trainer.step % EVERY == 0 or trainer.step == trainer.total):
            keep(trainer)
        yield Progress(trainer.step, trainer.total, "the rig", terms)
    return copy.deepcopy(trainer.average).eval()
