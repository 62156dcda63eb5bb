"""What a rig does with codes: reads their parameters and moves them. Tensors only; knows no session."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..flow.attributes import Attributes
from .network import ParameterReader, RigNet

SMALLEST = 1e-7
"""Variance of a principal axis of w below which it counts as so much, as a share of the largest."""


class Whitening(nn.Module):
    """w in its principal axes with variance 1, and back.

    Args:
        width: D, of w.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width, dtype=torch.float32, device="cpu"))
        self.register_buffer("axes", torch.eye(width, dtype=torch.float32, device="cpu"))
        self.register_buffer("scales", torch.ones(width, dtype=torch.float32, device="cpu"))
        self.mean: Tensor
        self.axes: Tensor
        self.scales: Tensor

    @classmethod
    def fitted(cls, w: Tensor) -> Whitening:
        """To codes [N, D]."""
        made = cls(w.shape[1])
        variance, axes = torch.linalg.eigh(torch.cov(w.T.double()))
        made.mean.copy_(w.double().mean(dim=0))
        made.axes.copy_(axes)
        made.scales.copy_(variance.clamp_min(float(variance.max()) * SMALLEST).sqrt())
        return made

    def forward(self, w: Tensor) -> Tensor:
        return ((w - self.mean) @ self.axes) / self.scales

    def back(self, change: Tensor) -> Tensor:
        """A change of whitened w as one of w."""
        return (change * self.scales) @ self.axes.T


class RigCore(nn.Module):
    """A RigNet with the parameters it knows, the reader of codes, and the rows that the readings stand on.

    Args:
        net: RigNet of whitened w+.
        reader: whitened w → readings.
        attributes: what the readings mean; those that can be asked for come first and are the rig's parameters.
        whitening: of w.
        shares: how much of each reading each row of w+ accounts for, [R, A]; columns sum to 1.
        gains: what a wanted change of each parameter is multiplied by, [P], so that pictures show it (`fitting.gains`).
    """

    def __init__(
        self,
        net: RigNet,
        reader: ParameterReader,
        attributes: Attributes,
        whitening: Whitening,
        shares: Tensor,
        gains: Tensor | None = None,
    ) -> None:
        super().__init__()
        count = len(attributes.shown)
        self.net, self.reader, self.attributes, self.whitening = net, reader, attributes, whitening
        self.register_buffer("shares", shares)
        self.register_buffer("gains", torch.ones(count, dtype=torch.float32, device="cpu") if gains is None else gains)
        self.shares: Tensor
        self.gains: Tensor
        self.groups: dict[str, tuple[str, ...]] = {}
        for entry in attributes.shown:
            name = entry.group or entry.name
            self.groups[name] = (*self.groups.get(name, ()), entry.name)
        self._labels = torch.eye(len(self.groups), dtype=torch.float32, device="cpu")
        members = [[entry.name in names for entry in attributes.shown] for names in self.groups.values()]
        self._members = torch.tensor(members, dtype=torch.bool, device="cpu")  # [G, P]
        if net.groups != len(self.groups) or net.parameters_ != count:
            raise ValueError(
                f"the network is of {net.parameters_} parameters in {net.groups} groups; {count} in {len(self.groups)} are "
                "described"
            )
        self.requires_grad_(False)
        self.eval()

    def read(self, ws: Tensor) -> Tensor:
        """All readings [..., A] of w+ [..., R, D], as networks see them: each is the mean over rows by their share in it."""
        each: Tensor = self.reader(self.whitening(ws)[..., None, :])
        found: Tensor = (each * self.shares).sum(dim=-2)
        return found

    def edited(self, ws: Tensor, wanted: Mapping[str, float], strength: float = 1.0) -> Tensor:
        """w+ [..., R, D] with parameters at wanted values, all else as it is; exactly the code where nothing is wanted.

        ŵ = w + Σ_g (d(l_g, p_g) − d(l_g, p)): one residual for each group with a wish, under its own label, all from the same
        code. So the order of wishes has no effect, and a parameter wanted at its present value changes nothing.

        Args:
            ws: the code.
            wanted: natural values within the parameters' ranges, by name.
            strength: share of the way from what there is.

        Raises:
            ValueError: an unknown parameter, or a value out of its range.
        """
        aim = self.attributes.check(wanted)
        if not aim or strength == 0:
            return ws.clone()
        count = len(self.attributes.shown)
        read = self.read(ws)
        asked = torch.tensor([entry.name in aim for entry in self.attributes.shown], dtype=torch.bool, device=ws.device)
        target = (read[..., :count] + self._missing(read, aim) * self.gains * strength).expand(*read.shape[:-1], -1)
        before, white = read[..., :count], self.whitening(ws)
        change = torch.zeros_like(white)
        for label, members in zip(self._labels.to(ws.device), self._members.to(ws.device), strict=True):
            of_group = members & asked
            if bool(of_group.any()):
                after = torch.where(of_group, target, before)
                change = change + self.net.change(white, before, after, label.expand(*before.shape[:-1], -1))
        return ws + self.whitening.back(change)

    def _missing(self, read: Tensor, aim: Mapping[str, float]) -> Tensor:
        """How far each parameter [..., P] is from what is wanted, as networks see it; 0 where nothing is."""
        natural = self.attributes.natural(read)
        for i, entry in enumerate(self.attributes.shown):
            if entry.name in aim:
                natural[..., i] = aim[entry.name]
        count = len(self.attributes.shown)
        there = torch.tensor(
            [entry.name in aim for entry in self.attributes.shown], dtype=torch.bool, device=read.device
        )
        return torch.where(there, self.attributes.seen(natural)[..., :count] - read[..., :count], 0.0)
