"""Which rows of w+ an attribute acts on: the paper's table for faces of 18 rows, else found from pictures."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...jobs import Job, Progress, Work
from ...session.session import GeneratorSession
from .pairs import Read, pictures_read

PAPER = {
    "light": (7, 12), "gender": (0, 8), "glasses": (2, 4), "yaw": (0, 4), "pitch": (0, 4), "baldness": (0, 6), "beard": (5, 10),
    "age": (4, 8), "expression": (4, 6),
}  # fmt: skip
"""First and last + 1 of 18 rows, by attribute (edit-specific subset selection, StyleFlow section 4)."""

ENOUGH = 0.95
"""Share of what an attribute reads that its rows account for."""
FACES = 32


def of_paper(names: tuple[str, ...]) -> Tensor:
    """Shares [18, A] of the paper's table: equal ones within an attribute's rows."""
    shares = torch.zeros((18, len(names)), dtype=torch.float32, device="cpu")
    for i, name in enumerate(names):
        first, last = PAPER.get(name.split()[0], (0, 18))
        shares[first:last, i] = 1 / (last - first)
    return shares


@Work
def find_rows(session: GeneratorSession, read: Read, deviations: NDArray[np.float32], seed: int = 0) -> Job[Tensor]:
    """How much of each reading each row of w+ accounts for, [num_ws, A]; columns sum to 1.

    One row at a time is taken from another face (style mixing), and the mean square of what changes is measured.

    Args:
        read: pictures → readings [N, A].
        deviations: of the readings [A], by which changes are clipped: a category that flips is one change.
        seed: of the faces.
    """
    w = session.sample_w(FACES + 1, seed)
    ws = w[:-1, None].expand(-1, session.num_ws, -1)
    plain = pictures_read(session, read, ws)
    changes = []
    for row in range(session.num_ws):
        mixed = ws.clone()
        mixed[:, row] = w[1:]
        moved = np.clip((pictures_read(session, read, mixed) - plain) / deviations, -3, 3)
        changes.append(np.mean(moved**2, axis=0))
        yield Progress(row + 1, session.num_ws, "which rows act")
    found = np.stack(changes) + 1e-9
    return torch.tensor(found / found.sum(axis=0), dtype=torch.float32, device="cpu")


def acting(shares: Tensor, enough: float = ENOUGH) -> Tensor:
    """The fewest rows that account for `enough` of each attribute, as zeros and ones [R, A]."""
    ordered, order = shares.sort(dim=0, descending=True)
    before = ordered.cumsum(dim=0) - ordered  # of the rows that come first
    return torch.zeros_like(shares).scatter(0, order, (before < enough * shares.sum(dim=0)).to(shares.dtype))


def mixture(shares: Tensor) -> Tensor:
    """Weights [R, A] of the mean of rows that each attribute is read off; columns sum to 1.

    A share is a variance, so the influence of a row goes with its root.
    """
    roots = shares.sqrt()
    return roots / roots.sum(dim=0)
