"""A small differentiable network that reads attributes off w, so that an edit needs no picture."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...jobs import Job, Progress, Work

HIDDEN = 80
STEPS, BATCH, RATE = 3000, 256, 2e-3


class CodeReader(nn.Module):
    """w [..., D] → attributes [..., A] as networks see them: a linear reading plus what two hidden layers add.

    Args:
        width: D, of w.
        attributes: A.
        hidden: width of the hidden layers.
    """

    def __init__(self, width: int, attributes: int, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.plain = nn.Linear(width, attributes, device="cpu", dtype=torch.float32)
        self.inner = nn.ModuleList(
            nn.Linear(a, b, device="cpu", dtype=torch.float32)
            for a, b in ((width, hidden), (hidden, hidden), (hidden, attributes))
        )

    def forward(self, w: Tensor) -> Tensor:
        x = F.gelu(self.inner[0](w))
        found: Tensor = self.plain(w) + self.inner[2](F.gelu(self.inner[1](x)))
        return found

    def of_rows(self, ws: Tensor, shares: Tensor | None) -> Tensor:
        """Attributes [..., A] of w+ [..., R, D]: each is read off the mean of the rows, by their share [R, A] in it.

        shares None: all rows have the same share.
        """
        if shares is None:
            read: Tensor = self(ws.mean(dim=-2))
            return read
        mixed = torch.einsum("...rd,ra->...ad", ws, shares)
        found: Tensor = torch.diagonal(self(mixed), dim1=-2, dim2=-1)
        return found


@Work
def fit_reader(w: Tensor, attributes: Tensor, *, steps: int = STEPS, seed: int = 0) -> Job[CodeReader]:
    """A reader of pairs [N, D] and [N, A], by the mean square error, on w along its principal axes."""
    random = torch.Generator().manual_seed(seed)
    mean = w.mean(dim=0)
    values, axes = torch.linalg.eigh(torch.cov(w.T.double()))
    white = (axes / values.clamp_min(float(values.max()) * 1e-7).sqrt()).float()
    x = (w - mean) @ white
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        reader = CodeReader(w.shape[1], attributes.shape[1])
    with torch.no_grad():
        found = torch.linalg.lstsq(torch.cat([x, torch.ones_like(x[:, :1])], dim=1), attributes).solution
        reader.plain.weight.copy_(found[:-1].T)
        reader.plain.bias.copy_(found[-1])
        nn.init.zeros_(reader.inner[2].weight)  # type: ignore[arg-type]
        nn.init.zeros_(reader.inner[2].bias)  # type: ignore[arg-type]
    optimiser = torch.optim.Adam(reader.parameters(), lr=RATE)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = RATE * (0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * step / steps)))
        at = torch.randint(len(x), (BATCH,), generator=random, device="cpu", dtype=torch.int64)
        loss = (reader(x[at]) - attributes[at]).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        yield Progress(step + 1, steps, "reading w", {"loss": float(loss.detach())})
    with torch.no_grad():  # the axes become part of the layers that read w
        for layer in (reader.plain, reader.inner[0]):
            assert isinstance(layer, nn.Linear)
            weight = layer.weight @ white.T
            layer.bias.sub_(weight @ mean)
            layer.weight.copy_(weight)
    return reader.eval().requires_grad_(False)


def r_squared(reader: CodeReader, w: Tensor, attributes: Tensor) -> Tensor:
    """Share of the variance of each attribute that is read, [A]."""
    with torch.no_grad():
        rest = (reader(w) - attributes).square().mean(dim=0)
    found: Tensor = 1 - rest / attributes.var(dim=0)
    return found
