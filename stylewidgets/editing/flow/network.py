"""The conditional continuous normalising flow of StyleFlow (Abdal et al., ACM TOG 2021): w and attributes → z, and back.

dx/dt = f(t, x, attributes) from w at t = 0 to z at t = T, between two moving batch norms. It is exact in both directions up to
the solver, and differentiable. Shapes are [..., D] throughout; a w+ is its rows, each with the attributes that it is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .solver import rk4

EPS = 1e-4
KEEP = 0.9
"""Of the running statistics of a batch norm, per training step."""

Field = Callable[[Tensor, Tensor], Tensor]


class ConcatSquash(nn.Module):
    """(W x + b) · σ(G c + g) + B c with the context c = [t, attributes] (Grathwohl et al., FFJORD, 2019)."""

    def __init__(self, inputs: int, outputs: int, context: int) -> None:
        super().__init__()
        self.layer = nn.Linear(inputs, outputs, device="cpu", dtype=torch.float32)
        self.gate = nn.Linear(1 + context, outputs, device="cpu", dtype=torch.float32)
        self.shift = nn.Linear(1 + context, outputs, bias=False, device="cpu", dtype=torch.float32)

    def given(self, attributes: Tensor) -> tuple[Tensor, Tensor]:
        """Gate and shift but for the part of t, which is the first number of the context."""
        gate = F.linear(attributes, self.gate.weight[:, 1:], self.gate.bias)
        return gate, F.linear(attributes, self.shift.weight[:, 1:])

    def opened(self, gate: Tensor, t: Tensor) -> Tensor:
        """How far the gate is open at t, 0 to 1."""
        return torch.sigmoid(gate + t * self.gate.weight[:, 0])


class Velocity(nn.Module):
    """f(t, x, attributes): concat-squash layers with tanh between them.

    Args:
        width: D, of x.
        hidden: widths of the hidden layers.
        context: number of attributes.
    """

    def __init__(self, width: int, hidden: Sequence[int], context: int) -> None:
        super().__init__()
        sizes = [width, *hidden, width]
        self.layers = nn.ModuleList(ConcatSquash(a, b, context) for a, b in zip(sizes[:-1], sizes[1:], strict=True))

    def _given(self, attributes: Tensor) -> list[tuple[ConcatSquash, Tensor, Tensor]]:
        """Each layer with its gate and shift, but for the part of t."""
        layers = cast(Iterable[ConcatSquash], self.layers)
        return [(layer, *layer.given(attributes)) for layer in layers]

    def given(self, attributes: Tensor) -> Field:
        """The velocity for fixed attributes [..., A]; what does not depend on t and x is computed once."""
        parts = self._given(attributes)
        known: tuple[Tensor | None, list[tuple[Tensor, Tensor]]] = (None, [])

        def velocity(t: Tensor, x: Tensor) -> Tensor:
            nonlocal known
            if known[0] is not t:
                known = (
                    t,
                    [(layer.opened(gate, t), shift + t * layer.shift.weight[:, 0]) for layer, gate, shift in parts],
                )
            for i, ((layer, _, _), (open_, shift)) in enumerate(zip(parts, known[1], strict=True)):
                x = torch.tanh(x) if i else x
                x = torch.addcmul(shift, open_, layer.layer(x))
            return x

        return velocity

    def with_divergence(self, attributes: Tensor, probe: Tensor) -> Field:
        """The velocity and behind it eᵀ(∂f/∂x)e for a probe e [..., D]: [..., D + 1] → [..., D + 1].

        The expected value over probes with unit covariance is the divergence (Hutchinson). The derivative is carried
        forward through the layers, so it costs as much as f itself.
        """
        parts = self._given(attributes)

        def velocity(t: Tensor, state: Tensor) -> Tensor:
            x, moved = state[..., :-1], probe
            for i, (layer, gate, shift) in enumerate(parts):
                if i:
                    x = torch.tanh(x)
                    moved = moved * (1 - x * x)
                open_ = layer.opened(gate, t)
                x = open_ * layer.layer(x) + shift + t * layer.shift.weight[:, 0]
                moved = open_ * F.linear(moved, layer.layer.weight)
            return torch.cat([x, (probe * moved).sum(-1, keepdim=True)], dim=-1)

        return velocity


class MovingNorm(nn.Module):
    """y = (x − mean)/√(var + 1e-4)·exp(weight) + bias with running statistics.

    In training the statistics of before the step normalise, and then move towards those of the batch.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width, device="cpu", dtype=torch.float32))
        self.bias = nn.Parameter(torch.zeros(width, device="cpu", dtype=torch.float32))
        self.register_buffer("running_mean", torch.zeros(width, device="cpu", dtype=torch.float32))
        self.register_buffer("running_var", torch.ones(width, device="cpu", dtype=torch.float32))
        self.running_mean: Tensor
        self.running_var: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """Normalised; in training mode the statistics learn from x."""
        mean, scale = self.running_mean.clone(), self.scale()
        if self.training:
            rows = x.detach().reshape(-1, x.shape[-1])
            self.running_mean.lerp_(rows.mean(dim=0), 1 - KEEP)
            self.running_var.lerp_(rows.var(dim=0), 1 - KEEP)
        return (x - mean) * scale + self.bias

    def inverse(self, y: Tensor) -> Tensor:
        """x of y = forward(x) in evaluation mode."""
        return (y - self.bias) / self.scale() + self.running_mean

    def scale(self) -> Tensor:
        """What x is multiplied by, [D]."""
        return torch.exp(self.weight) * torch.rsqrt(self.running_var + EPS)

    def log_scale(self) -> Tensor:
        """The logarithm of the determinant, a scalar."""
        return (self.weight - 0.5 * torch.log(self.running_var + EPS)).sum()


class Whitening(nn.Module):
    """w minus its linear expectation, along the principal axes of what is left: u = (w − mean − a·slope)·axes/scale.

    With u for w, a flow that does nothing is the linear conditional Gaussian of w given the attributes, and all that it learns
    goes beyond that. Without arguments it changes nothing: published flows take w as it is.

    Attributes:
        mean [D], slope [A, D], axes [D, D] (orthonormal columns), scale [D].
    """

    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width, device="cpu", dtype=torch.float32))
        self.register_buffer("slope", torch.zeros(context, width, device="cpu", dtype=torch.float32))
        self.register_buffer("axes", torch.eye(width, device="cpu", dtype=torch.float32))
        self.register_buffer("scale", torch.ones(width, device="cpu", dtype=torch.float32))
        self.mean: Tensor
        self.slope: Tensor
        self.axes: Tensor
        self.scale: Tensor

    def fit(self, w: Tensor, attributes: Tensor, slack: float = 1e-3) -> None:
        """Take mean, slope and axes from pairs [N, D] and [N, A].

        Args:
            slack: ridge of the regression, in variances of the attributes.
        """
        w, a = w.double(), attributes.double()
        mean, centred = w.mean(dim=0), a - a.mean(dim=0)
        ridge = slack * len(a) * torch.eye(a.shape[1], dtype=torch.float64, device=a.device)
        slope = torch.linalg.solve(centred.T @ centred + ridge, centred.T @ (w - mean))
        rest = w - mean - centred @ slope
        values, axes = torch.linalg.eigh(rest.T @ rest / len(w))
        floor = float(values.max()) * 1e-8
        for kept, made in (
            (self.mean, mean - a.mean(dim=0) @ slope),
            (self.slope, slope),
            (self.axes, axes),
            (self.scale, values.clamp_min(floor).sqrt()),
        ):
            kept.copy_(made)

    def forward(self, w: Tensor, attributes: Tensor) -> Tensor:
        return (w - self.mean - attributes @ self.slope) @ self.axes / self.scale

    def inverse(self, u: Tensor, attributes: Tensor) -> Tensor:
        return (u * self.scale) @ self.axes.T + attributes @ self.slope + self.mean

    def log_scale(self) -> Tensor:
        """The logarithm of the determinant, a scalar."""
        return -self.scale.log().sum()


class ConditionalFlow(nn.Module):
    """The whole flow, w [..., D] and attributes [..., A] ↔ z [..., D].

    Args:
        width: D, of w.
        hidden: widths of the hidden layers; the published flows have five of D.
        context: A, number of attributes.
        steps: of the solver.
    """

    def __init__(self, width: int, hidden: Sequence[int], context: int, steps: int = 8) -> None:
        super().__init__()
        self.width, self.hidden, self.context, self.steps = width, tuple(hidden), context, steps
        self.whitening = Whitening(width, context)
        self.first, self.last = MovingNorm(width), MovingNorm(width)
        self.velocity = Velocity(width, hidden, context)
        self.sqrt_end_time = nn.Parameter(torch.ones((), device="cpu", dtype=torch.float32))

    @property
    def end_time(self) -> Tensor:
        """T, a scalar tensor."""
        return self.sqrt_end_time.square()

    def encode(self, w: Tensor, attributes: Tensor, steps: int | None = None) -> Tensor:
        """z of w under its attributes (joint reverse encoding)."""
        x = self.first(self.whitening(w, attributes))
        x = rk4(self.velocity.given(attributes), x, self._start(), self.end_time, steps or self.steps)
        z: Tensor = self.last(x)
        return z

    def decode(self, z: Tensor, attributes: Tensor, steps: int | None = None) -> Tensor:
        """w of z under attributes (conditional forward editing); the inverse of `encode` in evaluation mode."""
        x = self.last.inverse(z)
        x = rk4(self.velocity.given(attributes), x, self.end_time, self._start(), steps or self.steps)
        return self.whitening.inverse(self.first.inverse(x), attributes)

    def encode_with_volume(
        self, w: Tensor, attributes: Tensor, probe: Tensor, steps: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """z, and Δ log p [..., 1] with log p(w | attributes) = log N(z; 0, 1) − Δ log p, for one probe of the divergence."""
        x = self.first(self.whitening(w, attributes))
        state = torch.cat([x, torch.zeros_like(x[..., :1])], dim=-1)
        field = self.velocity.with_divergence(attributes, probe)
        state = rk4(field, state, self._start(), self.end_time, steps or self.steps)
        volume = self.first.log_scale() + self.whitening.log_scale() + self.last.log_scale()
        return self.last(state[..., :-1]), -state[..., -1:] - volume

    def surprise(self, w: Tensor, attributes: Tensor, probe: Tensor, steps: int | None = None) -> Tensor:
        """−log p(w | attributes) per number of w, [...]: the loss of the paper, in nats."""
        z, volume = self.encode_with_volume(w, attributes, probe, steps)
        return (volume[..., 0] - gaussian(z)) / self.width

    def plain_surprise(self, w: Tensor, attributes: Tensor) -> Tensor:
        """The same of the linear conditional Gaussian that the whitening is, [...]."""
        u = self.whitening(w, attributes)
        return -(gaussian(u) + self.whitening.log_scale()) / self.width

    def check_steps(self, w: Tensor, attributes: Tensor, *, within: float = 1e-4, most: int = 256) -> int:
        """Double the steps until twice as many give the same z and w to `within`, keep and return that number.

        Raises:
            ValueError: no number up to `most` does: the flow is too stiff, or not finite.
        """
        steps = 4
        with torch.no_grad():
            z = self.encode(w, attributes, steps)
            while steps <= most:
                finer = self.encode(w, attributes, 2 * steps)
                back = self.decode(finer, attributes, steps)
                away = max(float((z - finer).abs().max()), float((back - w).abs().max()))
                if away < within:
                    self.steps = steps
                    return steps
                z, steps = finer, 2 * steps
        raise ValueError(f"this flow is too stiff: {most} steps of the solver still are {away:.2g} off")

    def _start(self) -> Tensor:
        return torch.zeros_like(self.sqrt_end_time)


def gaussian(z: Tensor) -> Tensor:
    """log N(z; 0, 1) over the last dimension."""
    return -0.5 * (z.square().sum(-1) + z.shape[-1] * math.log(2 * math.pi))
