"""The networks of a rig: RigNet, which changes the rows of w+, and the reader of parameters from w+ (StyleRig's DFR)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2
"""Of the leaky ReLUs."""


class RowLayers(nn.Module):
    """Layers of its own for each row: x [..., R, I] → [..., R, O]; leaky ReLU between them.

    Args:
        rows: R.
        sizes: I, the widths in between, O. Two numbers make one linear layer a row, as in the paper.
        ends: leaky ReLU after the last layer, too, as one public re-implementation has it.
    """

    def __init__(self, rows: int, sizes: Sequence[int], ends: bool = False) -> None:
        super().__init__()
        self.rows, self.sizes, self.ends = rows, tuple(sizes), ends
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for inputs, outputs in zip(self.sizes, self.sizes[1:], strict=False):
            weight = torch.randn((rows, outputs, inputs), dtype=torch.float32, device="cpu") / inputs**0.5
            self.weights.append(nn.Parameter(weight))
            self.biases.append(nn.Parameter(torch.zeros((rows, outputs), dtype=torch.float32, device="cpu")))

    def forward(self, x: Tensor) -> Tensor:
        last = len(self.weights) - 1
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.einsum("...ri,roi->...ro", x, weight) + bias
            if i < last or self.ends:
                x = F.leaky_relu(x, SLOPE)
        return x


class RigNet(nn.Module):
    """ŵ = w + d(l, p), l = encoder(w), row by row (Tewari et al., StyleRig, CVPR 2020, section 4).

    Args:
        rows, width: of w+ [R, D].
        parameters: numbers in p.
        latent: numbers of l in each row.
        groups: length of the label that says which group of parameters is changed, so that one network serves all
            (one-hot; zeros where nothing is); 0 for no label.
        encoder_hidden, decoder_hidden: widths of hidden layers; none for linear rows, as in the paper.
        ends: see `RowLayers`.
    """

    def __init__(
        self,
        rows: int,
        width: int,
        parameters: int,
        *,
        latent: int = 32,
        groups: int = 0,
        encoder_hidden: Sequence[int] = (),
        decoder_hidden: Sequence[int] = (),
        ends: bool = False,
    ) -> None:
        super().__init__()
        self.rows, self.width, self.parameters_, self.groups = rows, width, parameters, groups
        self.encoder = RowLayers(rows, (width + groups, *encoder_hidden, latent), ends)
        self.decoder = RowLayers(rows, (latent + parameters, *decoder_hidden, width), ends)

    def forward(self, ws: Tensor, parameters: Tensor, label: Tensor | None = None) -> Tensor:
        """w+ [..., R, D] under parameters p [..., P]; label [..., G] where the network has one."""
        return ws + self.decode(self.encode(ws, label), parameters)

    def encode(self, ws: Tensor, label: Tensor | None = None) -> Tensor:
        """l [..., R, L] of w+ [..., R, D]."""
        if self.groups:
            assert label is not None
            ws = torch.cat([ws, label[..., None, :].expand(*ws.shape[:-1], -1)], dim=-1)
        found: Tensor = self.encoder(ws)
        return found

    def decode(self, latent: Tensor, parameters: Tensor) -> Tensor:
        """d [..., R, D] of l [..., R, L] and p [..., P]."""
        given = parameters[..., None, :].expand(*latent.shape[:-1], -1)
        found: Tensor = self.decoder(torch.cat([latent, given], dim=-1))
        return found

    def change(self, ws: Tensor, before: Tensor, after: Tensor, label: Tensor | None = None) -> Tensor:
        """What moves w+ from parameters `before` to `after`: d(l, after) − d(l, before), which is exactly 0 for equal ones."""
        latent = self.encode(ws, label)
        return self.decode(latent, after) - self.decode(latent, before)


class ParameterReader(nn.Module):
    """w+ [..., R, D] → parameters [..., A]: three layers with ELU, the last one linear (StyleRig's DFR, section 3).

    Args:
        rows, width: of w+.
        outputs: A.
        hidden: of both hidden layers.
    """

    def __init__(self, rows: int, width: int, outputs: int, hidden: int = 96) -> None:
        super().__init__()
        sizes = (rows * width, hidden, hidden, outputs)
        self.layers = nn.ModuleList(
            nn.Linear(a, b, device="cpu", dtype=torch.float32) for a, b in zip(sizes, sizes[1:], strict=False)
        )

    def forward(self, ws: Tensor) -> Tensor:
        x = ws.flatten(-2)
        for layer in self.layers[:-1]:
            x = F.elu(layer(x))
        found: Tensor = self.layers[-1](x)
        return found
