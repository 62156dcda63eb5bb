"""How much detail a code asks for: a fixed, linear function of w.

A generator that has been trained keeps its w, so nothing in w says how many freckles there are. But a w of 128 numbers has room:
its weaker principal components mean nothing to the smaller generator (its picture moves by less than a thousandth), and nothing
that is known of the face tells them. Each amount is one of those, as a normal number, through the quantiles of its factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ...avatars import DETAIL_FACTORS, from_uniform
from ...latent.direction import Direction

COMPONENTS = (62, 63, 64, 65, 66, 67)
"""Which principal components of w, the weakest being 0, in the order of DETAIL_FACTORS."""


class MapsToW(Protocol):
    """A generator, as far as this file needs one."""

    z_dim: int

    def map(self, z: Tensor) -> Tensor:
        """z [N, z_dim] to w+ [N, num_ws, w_dim]."""


class Amounts(nn.Module):
    """w [N, w_dim] to amounts [N, K], the factors of the group "detail".

    Buffers: ``rows`` [K, w_dim] and ``offsets`` [K]; w rowsᵀ − offsets is standard normal over the codes of the generator.
    """

    rows: Tensor
    offsets: Tensor

    def __init__(self, rows: Tensor, offsets: Tensor) -> None:
        super().__init__()
        self.register_buffer("rows", rows)
        self.register_buffer("offsets", offsets)

    @classmethod
    @torch.no_grad()
    def of(cls, generator: MapsToW, components: Sequence[int] = COMPONENTS, samples: int = 40_000) -> Amounts:
        """Those of a generator, from the covariance of its w."""
        random = torch.Generator().manual_seed(0)
        z = torch.randn(samples, generator.z_dim, generator=random, dtype=torch.float32, device="cpu")
        w = generator.map(z)[:, 0].double()
        variance, axes = torch.linalg.eigh(torch.cov(w.T))
        chosen = list(components)
        rows = (axes[:, chosen] / variance[chosen].sqrt()).T
        rows = rows * torch.where(rows.sum(1, keepdim=True) < 0, -1.0, 1.0)  # an axis has no sign of its own
        return cls(rows.float(), (rows @ w.mean(0)).float())

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> Amounts:
        """The inverse of `to_plain`."""
        return cls(*(torch.tensor(values[name], dtype=torch.float32, device="cpu") for name in ("rows", "offsets")))

    def to_plain(self) -> dict[str, Any]:
        """Names, rows and offsets as JSON values, for the metadata of a file."""
        names = [factor.name for factor in DETAIL_FACTORS]
        return {"factors": names, "rows": self.rows.tolist(), "offsets": self.offsets.tolist()}

    def normal(self, w: Tensor) -> Tensor:
        """The amounts as standard normal numbers, [N, K]."""
        normal: Tensor = w @ self.rows.T - self.offsets
        return normal

    def forward(self, w: Tensor) -> Tensor:
        """Amounts [N, K] in [0, 1]."""
        made: Tensor = from_uniform(torch.special.ndtr(self.normal(w)), ("detail",))
        return made

    def towards(self) -> Tensor:
        """Directions [K, w_dim] in w: each moves one amount by one standard deviation and leaves the others."""
        return torch.linalg.pinv(self.rows.double()).T.to(self.rows)


def amount_directions(values: dict[str, Any]) -> list[Direction]:
    """The amounts of a file's metadata as directions of w: a strength of 1 is one standard deviation of that amount."""
    amounts = Amounts.from_plain(values)
    return [
        Direction(
            name,
            vector.numpy() / float(vector.norm()),
            sigma=float(vector.norm()),
            source="a weak principal component of w, which training made this amount of detail",
        )
        for name, vector in zip(values["factors"], amounts.towards(), strict=True)
    ]
