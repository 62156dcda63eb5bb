"""The factor network as a reader of attributes: what it reads well, under the names of `stylewidgets.domain.Reader`."""

from __future__ import annotations

import torch
from torch import Tensor

from ...directions import fingerprint
from ...domain import Reader
from ..world.factors import FACTORS, INDEX
from .estimates import Errors, reader
from .factor_net import FactorRegressor, Head

READABLE = 0.5
"""R² or accuracy on renders that a factor must be read with to be counted."""


def avatar_reader(regressor: FactorRegressor | None = None, *, readable: float = READABLE) -> Reader:
    """The factors of the avatar world, read by the factor network; only those that it reads well on renders.

    A number keeps its name, an angle gives "name sin" and "name cos", a category one log-odds each ("hat: cap"). Where one
    of the categories is "none", "hat" itself is the log-odds of any other.

    Args:
        regressor: a `FactorRegressor`; None for the bundled one.
        readable: R² or accuracy on renders that a factor must be read with.

    Raises:
        FileNotFoundError: the factor network is not installed.
    """
    net, errors = reader() if regressor is None else (regressor, None)
    heads = [head for head in net.heads if net.metrics.get(head.name, 1.0) >= readable]
    owners = [(name, head) for head in heads for name in _names(head)]
    names = tuple(name for name, _ in owners)

    def read(pictures: Tensor) -> Tensor:
        raw = net(pictures[:, :3].expand(-1, 3, -1, -1).clamp(-1, 1).to(net.out.weight))
        return torch.cat([_outputs(head, raw[:, head.start : head.stop]) for head in heads], dim=1)

    units = tuple(_unit(head) for _, head in owners)
    spread = tuple(_spread(errors, name) for name in names) if errors is not None else ()
    key = f"avatar factors {fingerprint(net)} {readable}"
    return Reader(names, read, tuple(head.name for _, head in owners), key, units, spread)


def _names(head: Head) -> list[str]:
    if head.kind == "categorical":
        return [head.name if c == "none" else f"{head.name}: {c}" for c in head.categories]
    return [f"{head.name} sin", f"{head.name} cos"] if head.kind == "circular" else [head.name]


def _unit(head: Head) -> str:
    """The unit of a factor that is read as it is; angles and categories become plain numbers."""
    return FACTORS[INDEX[head.name]].unit if head.kind == "continuous" and head.name in INDEX else ""


def _outputs(head: Head, part: Tensor) -> Tensor:
    if head.kind == "categorical":
        log = part.log_softmax(1)
        odds = log - torch.log1p(-log.exp().clamp(max=1 - 1e-6))
        return odds * odds.new_tensor([-1.0 if c == "none" else 1.0 for c in head.categories])
    if head.mean:
        part = part * part.new_tensor(head.std) + part.new_tensor(head.mean)
    return part if head.kind == "circular" else head.low + (part + 1) / 2 * (head.high - head.low)


def _spread(errors: Errors, name: str) -> tuple[float, float]:
    """Mean and standard deviation of a reading over the avatar world."""
    if name in errors.readings:
        return errors.readings[name]
    mean, deviation = errors.readings[f"{name}: none"]
    return -mean, deviation
