"""The factor network as a reader of attributes: what it reads well, under the names of `stylewidgets.domain.Reader`."""

from __future__ import annotations

import torch
from torch import Tensor

from ...directions import fingerprint
from ...domain import Reader
from ..world.factors import FACTORS
from .estimates import Errors, reader
from .factor_net import FactorRegressor

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
    owners = [(name, head) for head in heads for name in head.names]
    names = tuple(name.removesuffix(": none") for name, _ in owners)
    # The log-odds of any category but "none" are those of "none" with the other sign.
    signs = [-1.0 if name.endswith(": none") else 1.0 for name, _ in owners]

    def read(pictures: Tensor) -> Tensor:
        raw: Tensor = net(pictures[:, :3].expand(-1, 3, -1, -1).clamp(-1, 1).to(net.out.weight))
        return torch.cat([head.read(raw) for head in heads], dim=1) * raw.new_tensor(signs)

    # Angles and categories become plain numbers.
    unit = {factor.name: factor.unit for factor in FACTORS if factor.kind == "continuous"}
    units = tuple(unit.get(head.name, "") for _, head in owners)
    spread = tuple(_spread(errors, name) for name in names) if errors is not None else ()
    key = f"avatar factors {fingerprint(net)} {readable}"
    return Reader(names, read, tuple(head.name for _, head in owners), key, units, spread)


def _spread(errors: Errors, name: str) -> tuple[float, float]:
    """Mean and standard deviation of a reading over the avatar world."""
    if name in errors.readings:
        return errors.readings[name]
    mean, deviation = errors.readings[f"{name}: none"]
    return -mean, deviation
