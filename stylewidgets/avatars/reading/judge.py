"""A second reader of factors, that shares nothing with the factor network: not its renders, its layers, nor its way to look.

What is edited by the features of one network must not be judged by the same network: an edit can please it without doing
what was asked. The text encoder stands on the factor network's features, and directions are made by its readings. The judge
finds eyes, nose and mouth first, by their exact places in renders, and then reads each from a piece of the picture that is
cut out around it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...core import files
from ...ops.devices import from_file
from .blocks import convolution, resize
from .factor_net import Head, ReadingNet, read_net, write_net

FORMAT = 1
KIND = "judge"
BUNDLED = Path(__file__).resolve().parents[2] / "weights" / f"{KIND}.safetensors"

POINTS = ("eye_left", "eye_right", "nose_tip", "mouth_left", "mouth_right")
"""Landmarks that it learns to find, heads "at eye_left x", "at eye_left y" … behind those of the factors."""
_PIECE = 24  # side of a piece in pixels of the network's resolution
_EYE_UP = 3.0  # pixels that the middle of an eye's piece stands above the eye, so that the brow is in it
_WIDE = 3  # a detail is what differs from the mean of so many pixels


class Judge(ReadingNet):
    """A picture [N, 3, H, W] in [-1, 1] to one vector [N, outputs]: factors, and where `POINTS` are.

    A small net at half the resolution says what is large (pose, light, hair, colours) and where the parts are. Three more
    read pieces around the eyes (both by one net, the right one mirrored), the nose and the mouth. No gradient goes through
    the places: they are learned from the landmarks alone.

    Args:
        heads: those of the factors, then two for each of POINTS.
        resolution: side of the pictures that it sees.
    """

    def __init__(self, heads: Sequence[Head], *, resolution: int = 64) -> None:
        super().__init__(heads, resolution)
        self.whole = nn.Sequential(
            convolution(6, 24),
            convolution(24, 48, 3, 2),
            convolution(48, 64),
            convolution(64, 80, 3, 2),
            convolution(80, 24, 1),
            nn.Flatten(),
        )
        self.hidden = _dense(24 * (self.resolution // 8) ** 2, 160)
        self.out_points = nn.Linear(160, 2 * len(POINTS), dtype=torch.float32, device="cpu")
        self.eye, self.nose, self.mouth = _piece_reader(), _piece_reader(), _piece_reader()
        size = 160 + 4 * 48 + 2 * len(POINTS)
        self.mix = _dense(size, 192)
        factors = self.outputs - 2 * len(POINTS)
        self.out = nn.Linear(192, factors, dtype=torch.float32, device="cpu")
        self.direct = nn.Linear(size, factors, bias=False, dtype=torch.float32, device="cpu")

    def forward(self, x: Tensor) -> Tensor:
        """Raw outputs [N, outputs]: targets in units of their standard deviation, and logits of categories."""
        x = _with_details(self.sized(x))
        whole = self.hidden(self.whole(resize(x, self.resolution // 2)))
        places = self.out_points(whole)
        left, right, nose, mouth = (cut(x, at, _PIECE) for at in self._middles(places).unbind(1))
        pieces = [self.eye(left), self.eye(right.flip(3)), self.nose(nose), self.mouth(mouth)]
        read = torch.cat([whole, *pieces, places.detach()], dim=1)
        return torch.cat([self.out(self.mix(read)) + self.direct(read), places], dim=1)

    def maps(self, x: Tensor, layers: int) -> list[Tensor]:
        """Feature maps of pictures [N, 3, H, W] after each of the first layers of its view of the whole, fine to coarse.

        Pictures are taken as large as they are. Of a head it sees half the resolution: other things should be as large.
        """
        x, found = _with_details(x), []
        for layer in list(self.whole)[:layers]:
            x = layer(x)
            found.append(x)
        return found

    def _middles(self, places: Tensor) -> Tensor:
        """Middles (x, y) of the four pieces in [-1, 1], [N, 4, 2]."""
        at = places.detach()
        if self.heads[-1].mean:
            heads = self.heads[-2 * len(POINTS) :]
            at = at * at.new_tensor([h.std[0] for h in heads]) + at.new_tensor([h.mean[0] for h in heads])
        points = at.view(-1, len(POINTS), 2).clamp(-1, 1)
        eyes, nose, corners = points[:, :2], points[:, 2:3], points[:, 3:]
        up = eyes.new_tensor([0.0, 2 * _EYE_UP / self.resolution])
        return torch.cat([eyes - up, nose, corners.mean(1, keepdim=True)], dim=1)


def cut(x: Tensor, middle: Tensor, side: int) -> Tensor:
    """Pieces [N, C, side, side] of pictures [N, C, H, W] around middles (x, y) [N, 2] in [-1, 1], pixel for pixel, bilinear."""
    steps = torch.arange(side, dtype=x.dtype, device=x.device) - (side - 1) / 2
    across = middle[:, None, None, 0] + (2 * steps / x.shape[3])[None, None, :]
    down = middle[:, None, None, 1] + (2 * steps / x.shape[2])[None, :, None]
    grid = torch.stack([across.expand(-1, side, -1), down.expand(-1, -1, side)], dim=3)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def point_heads(start: int) -> list[Head]:
    """Heads of POINTS in [-1, 1] over the picture, the first at output `start`."""
    names = [f"at {point} {axis}" for point in POINTS for axis in "xy"]
    return [Head(name, "continuous", -1.0, 1.0, (), start + i, start + i + 1) for i, name in enumerate(names)]


def places(net: Judge, pictures: Tensor) -> Tensor:
    """Where POINTS are in pictures [N, 3, H, W]: (x, y) in [-1, 1] from edge to edge, [N, points, 2]."""
    heads = net.heads[-2 * len(POINTS) :]
    at: Tensor = net(pictures)[:, -2 * len(POINTS) :]
    at = at * at.new_tensor([h.std[0] for h in heads]) + at.new_tensor([h.mean[0] for h in heads])
    return at.view(-1, len(POINTS), 2)


@from_file()
def load_judge(path: str | Path | None = None, device: str | torch.device = "cpu") -> Judge:
    """The judge in eval mode: the bundled one, or one from a file that `stylewidgets train judge` wrote.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged or holds something else.
    """
    remedy = "Accepted are files of `stylewidgets train judge --out FILE`"
    with files.reading(BUNDLED if path is None else path, "judge", remedy) as found:
        return read_net(found, KIND, FORMAT, lambda heads, meta: Judge(heads, resolution=meta["resolution"])).to(device)


@lru_cache(maxsize=4)
def bundled(device: str = "cpu") -> Judge:
    """The bundled judge on a device, kept for the next call. Errors as `load_judge`."""
    with torch.inference_mode(False):
        return load_judge(device=device)


def digest() -> str:
    """The first 16 digits of the sha256 of the bundled judge: what figures were read with. FileNotFoundError without one."""
    return hashlib.sha256(files.find(BUNDLED, "judge").read_bytes()).hexdigest()[:16]


def save_judge(net: Judge, path: str | Path) -> Path:
    """Write it to one safetensors file, matrices in fp16, with its quality, its calibration and how it was made."""
    return write_net(net, path, KIND, FORMAT, metrics=net.metrics, training=net.metadata, more={})


def _with_details(x: Tensor) -> Tensor:
    """Pictures [N, 3, H, W] and, amplified, what differs from the mean around each pixel, [N, 6, H, W]."""
    pad = _WIDE // 2
    mean = F.avg_pool2d(F.pad(x, (pad, pad, pad, pad), mode="replicate"), _WIDE, stride=1)
    return torch.cat([x, 4.0 * (x - mean)], dim=1)


def _piece_reader() -> nn.Sequential:
    """A piece [N, 6, 24, 24] to 48 numbers."""
    return nn.Sequential(
        convolution(6, 24),
        convolution(24, 40, 3, 2),
        convolution(40, 40),
        convolution(40, 12, 1),
        nn.Flatten(),
        _dense(12 * (_PIECE // 2) ** 2, 48),
    )


def _dense(before: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(before, width, dtype=torch.float32, device="cpu"), nn.LeakyReLU(0.2))
