"""The encoders that ship: one small network in three uses, pSp, e4e and ReStyle, for generators with the bundled w space.

The public networks (267 M parameters, faces of 256 px) are in `public.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...core import files
from ...ops.devices import from_file
from ...session.session import GeneratorSession
from ..spaces import coloured

KEY = "stylewidgets-encoder"
KINDS = ("psp", "e4e", "restyle")
SIDE = 64
"""Pictures are pooled to this size before the network sees them."""
ROWS_TOGETHER = 4
"""Rows of w+ that one level of the network gives: the deepest level the coarsest rows, as in pSp."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a `SmallEncoder`. kind: of KINDS; rows, w_dim: of w+; relative: rows after the first are given as what they add to
    it, as in e4e (Tov et al., SIGGRAPH 2021, section 4.1)."""

    kind: str
    rows: int
    w_dim: int
    widths: tuple[int, ...] = (64, 96, 128, 192)
    head: int = 16
    relative: bool = False


class SmallEncoder(nn.Module):
    """A picture → w+.

    Residual blocks at 32, 16, 8 and 4 pixels. As in pSp (Richardson et al., CVPR 2021), coarse rows of w+ come from the deepest
    level and fine ones from the shallowest; here each level is pooled to 4 × 4 and read by one linear layer. The output is in
    units of the spread of w, around its mean.

    Args:
        shape: the sizes; of kind "restyle" it sees the drawn picture beside the wanted one.
        centre: mean of w, [w_dim].
        spread: root mean square of one number of w around the mean.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, shape: Shape, centre: Tensor, spread: float) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("centre", centre.detach().clone().float())
        self.register_buffer("spread", torch.tensor(float(spread), dtype=torch.float32, device="cpu"))
        a, b, c, d = shape.widths
        self.stem = nn.Conv2d(24 if shape.kind == "restyle" else 12, a, 3, padding=1, dtype=torch.float32, device="cpu")
        self.stages = nn.ModuleList([_Block(a, a, 1), _Block(a, b, 2), _Block(b, c, 2), _Block(c, d, 2)])
        groups = -(-shape.rows // ROWS_TOGETHER)
        sources = [shape.widths[max(0, 3 - i)] for i in range(groups)]
        self.narrow = nn.ModuleList(
            [nn.Conv2d(width, shape.head, 1, dtype=torch.float32, device="cpu") for width in sources]
        )
        counts = [min(ROWS_TOGETHER, shape.rows - first) for first in range(0, shape.rows, ROWS_TOGETHER)]
        self.heads = nn.ModuleList(
            [nn.Linear(16 * shape.head, n * shape.w_dim, dtype=torch.float32, device="cpu") for n in counts]
        )

    def offsets(self, images: Tensor, drawn: Tensor | None = None) -> Tensor:
        """[N, rows, w_dim] in units of the spread: from the mean of w, or from the present code for "restyle".

        Args:
            images: [N, 3, H, W] in [-1, 1], H = W any multiple of 64 px.
            drawn: what the present code draws, for "restyle".
        """
        x = pooled(images)
        if self.shape.kind == "restyle":
            if drawn is None:
                raise ValueError("a ReStyle encoder takes the picture drawn so far as well")
            x = torch.cat([x, x - pooled(drawn)], dim=1)
        x = F.leaky_relu(self.stem(F.pixel_unshuffle(x, 2)), 0.2)
        levels = []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        parts = []
        for i, (narrow, head) in enumerate(zip(self.narrow, self.heads, strict=True)):
            seen = F.leaky_relu(narrow(F.adaptive_avg_pool2d(levels[max(0, 3 - i)], 4)), 0.2)
            parts.append(head(seen.flatten(1)))
        rows = torch.cat(parts, dim=1).reshape(-1, self.shape.rows, self.shape.w_dim)
        return torch.cat([rows[:, :1], rows[:, :1] + rows[:, 1:]], dim=1) if self.shape.relative else rows

    def forward(self, images: Tensor, drawn: Tensor | None = None, code: Tensor | None = None) -> Tensor:
        """w+ [N, rows, w_dim]; for "restyle" `code` moved by one step."""
        base = self.centre if code is None else code
        return base + self.spread * self.offsets(images, drawn)


class _Block(nn.Module):
    """Two 3 × 3 convolutions with a shortcut; groups of channels are normalised, so that one picture does not see others."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = (
            nn.GroupNorm(8, before, dtype=torch.float32, device="cpu"),
            nn.GroupNorm(8, width, dtype=torch.float32, device="cpu"),
        )
        self.conv1 = nn.Conv2d(before, width, 3, stride, 1, dtype=torch.float32, device="cpu")
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, dtype=torch.float32, device="cpu")
        self.skip = nn.Conv2d(before, width, 1, dtype=torch.float32, device="cpu") if before != width else None
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(F.leaky_relu(self.norm1(x), 0.2))
        y = self.conv2(F.leaky_relu(self.norm2(y), 0.2))
        short = F.avg_pool2d(x, self.stride) if self.stride > 1 else x
        joined: Tensor = y + (short if self.skip is None else self.skip(short))
        return joined


def pooled(images: Tensor) -> Tensor:
    """[N, 3, 64, 64]: averaged down, or enlarged where a side is shorter. Gray is repeated, what is not square becomes so."""
    images = coloured(images)
    height, width = images.shape[2:]
    if height == width == SIDE:
        return images
    if min(height, width) >= SIDE:
        return F.adaptive_avg_pool2d(images, SIDE)
    return F.interpolate(images, size=SIDE, mode="bilinear")


def fits(shape: Shape, about: Mapping[str, Any], session: GeneratorSession) -> bool:
    """Whether its codes mean something to the generator: the same mapping network, and rows enough."""
    wide = shape.w_dim == session.w_dim and shape.rows >= session.num_ws
    return wide and about.get("w_space") == session.fingerprint("w")


def save(encoder: SmallEncoder, path: str | Path, about: Mapping[str, Any]) -> None:
    """Write it with half the digits; `about` is plain JSON and has "w_space"."""
    tensors = {name: value if value.ndim == 0 else value.half() for name, value in encoder.state_dict().items()}
    files.write_arrays(path, tensors, {"shape": asdict(encoder.shape)} | dict(about), KEY)


def _shape(about: Mapping[str, Any]) -> Shape:
    values = about["shape"]
    return Shape(
        str(values["kind"]),
        int(values["rows"]),
        int(values["w_dim"]),
        tuple(int(n) for n in values["widths"]),
        int(values["head"]),
        bool(values.get("relative", False)),
    )


@lru_cache(maxsize=16)
def _header(path: str, changed: int) -> tuple[Shape, dict[str, Any]]:
    with files.reading(path, "encoder of this package", "Accepted are files of `stylewidgets train encoders`") as found:
        about, _ = files.read_arrays(found, KEY, "pt")
        return _shape(about), about


def header(path: Path) -> tuple[Shape, dict[str, Any]]:
    """What a file says of its encoder, which is not built for that. ValueError as `load`."""
    return _header(str(path), path.stat().st_mtime_ns)


@from_file()
def load(path: str | Path, device: str | torch.device = "cpu") -> tuple[SmallEncoder, dict[str, Any]]:
    """(encoder in evaluation, what was said about it). ValueError when the file is none of ours, or damaged."""
    with files.reading(path, "encoder of this package", "Accepted are files of `stylewidgets train encoders`") as found:
        about, state = files.read_arrays(found, KEY, "pt")
        tensors = {name: value.float() for name, value in state.items()}
        shape = _shape(about)
        encoder = SmallEncoder(shape, tensors["centre"], float(tensors["spread"]))
        encoder.load_state_dict(tensors)
    return encoder.to(device).eval().requires_grad_(False), about
