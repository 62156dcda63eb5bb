"""Faces and five points of each: the cascade of Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded
Convolutional Networks", IEEE SPL 2016. The weights are read from the package facenet-pytorch; none of its code runs.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ...ops.devices import from_file

Array = NDArray[np.float64]
POINTS = ("eye_left", "eye_right", "nose", "mouth_left", "mouth_right")
THRESHOLDS = (0.6, 0.7, 0.7)
FACTOR = 0.709  # from one level of the pyramid to the next: half the area
_CELL, _STRIDE = 12, 2
_MOST = 4000  # windows that may go on to the next stage, so that no picture takes minutes
REMEDY = (
    "looking for faces needs the weights in facenet-pytorch: pip install --no-deps facenet-pytorch (2 MB; without "
    "--no-deps, pip would replace your PyTorch by an older one). Or give the points yourself: "
    "points=[eye left, eye right, mouth left, mouth right] in pixels"
)


@dataclass(frozen=True, eq=False)
class Face:
    """A face. box: left, top, right, bottom in pixels; points: [5, 2] as `POINTS` says; score: 0 to 1."""

    box: tuple[float, float, float, float]
    points: Array
    score: float

    @property
    def size(self) -> float:
        """Square root of the area of the box in pixels."""
        return float(np.sqrt(max(self.box[2] - self.box[0], 0.0) * max(self.box[3] - self.box[1], 0.0)))


def detect_faces(picture: NDArray[np.uint8], smallest: int = 24, weights: Path | None = None) -> list[Face]:
    """Faces of a picture [H, W, 3], the biggest first.

    Args:
        picture: RGB.
        smallest: side in pixels of the smallest face that is looked for, from 12.
        weights: folder with pnet.pt, rnet.pt and onet.pt; None for the one of facenet-pytorch.

    Raises:
        ImportError: the package with the weights is not there.
    """
    nets = _networks(weights or weights_folder())
    x = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float()
    with torch.inference_mode():
        boxes = _propose(nets[0], x, smallest)
        boxes, _, _ = _refine(nets[1], x, boxes, 24, THRESHOLDS[1])
        boxes, scores, points = _refine(nets[2], x, boxes, 48, THRESHOLDS[2])
    faces = [
        Face((float(b[0]), float(b[1]), float(b[2]), float(b[3])), p, float(s))
        for b, s, p in zip(boxes, scores, points, strict=True)
    ]
    return sorted(faces, key=lambda face: -face.size)


def weights_folder() -> Path:
    """Where facenet-pytorch keeps its weights. The package is found, not imported. ImportError when it is not there."""
    found = importlib.util.find_spec("facenet_pytorch")
    places = list(found.submodule_search_locations or ()) if found else []
    folder = Path(places[0]) / "data" if places else None
    if folder is None or not all((folder / f"{name}.pt").is_file() for name in ("pnet", "rnet", "onet")):
        raise ImportError(REMEDY)
    return folder


def suppress(boxes: Array, scores: Array, overlap: float, smaller: bool = False) -> NDArray[np.int64]:
    """Rows of the boxes [N, 4] to keep, the best first: of those that overlap by more than that, only the best.

    smaller: overlap is a share of the smaller box, not of the union.
    """
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order, kept = np.argsort(-scores, kind="stable"), []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        low, high = np.maximum(boxes[best, :2], boxes[rest, :2]), np.minimum(boxes[best, 2:], boxes[rest, 2:])
        common = np.clip(high - low, 0, None).prod(axis=1)
        whole = np.minimum(area[best], area[rest]) if smaller else area[best] + area[rest] - common
        order = rest[common <= overlap * np.maximum(whole, 1e-9)]
    return np.asarray(kept, np.int64)


class _Cascade:
    """One of the three networks: convolutions with PReLU, some of them followed by max pooling, then dense layers."""

    def __init__(self, parameters: dict[str, Tensor], pools: tuple[int, ...]) -> None:
        self.p = parameters
        self.pools = pools
        self.heads = sorted({name.split(".")[0] for name in parameters if "_" in name})

    def __call__(self, x: Tensor) -> list[Tensor]:
        """Pictures [N, 3, H, W] of 0 to 255 → outputs of the heads."""
        x, p = (x - 127.5) / 128, self.p
        k = 0
        while f"conv{k + 1}.weight" in p:
            k += 1
            x = F.prelu(F.conv2d(x, p[f"conv{k}.weight"], p[f"conv{k}.bias"]), p[f"prelu{k}.weight"])
            pool = self.pools[k - 1] if k <= len(self.pools) else 0
            if pool:
                x = F.max_pool2d(x, pool, 2, ceil_mode=True)
        if f"dense{k + 1}.weight" in p:
            k += 1
            x = x.permute(0, 3, 2, 1).flatten(1)  # columns first, as the weights were stored
            x = F.prelu(F.linear(x, p[f"dense{k}.weight"], p[f"dense{k}.bias"]), p[f"prelu{k}.weight"])
            return [F.linear(x, p[f"{head}.weight"], p[f"{head}.bias"]) for head in self.heads]
        return [F.conv2d(x, p[f"{head}.weight"], p[f"{head}.bias"]) for head in self.heads]


@lru_cache(maxsize=2)
def _networks(folder: Path) -> tuple[_Cascade, _Cascade, _Cascade]:
    with from_file():
        read: list[dict[str, Tensor]] = [
            torch.load(folder / f"{name}.pt", map_location="cpu", weights_only=True)
            for name in ("pnet", "rnet", "onet")
        ]
    return _Cascade(read[0], (2,)), _Cascade(read[1], (3, 3)), _Cascade(read[2], (3, 3, 2))


def _propose(net: _Cascade, x: Tensor, smallest: int) -> Array:
    """Square windows [N, 4] that may hold a face, from a pyramid of the picture."""
    height, width = x.shape[-2:]
    scale, found, scores = _CELL / smallest, [], []
    while min(height, width) * scale >= _CELL:
        size = (max(round(height * scale), _CELL), max(round(width * scale), _CELL))
        logits, offsets = net(F.interpolate(x, size=size, mode="area"))
        share = logits.softmax(1)[0, 1]
        rows, columns = torch.nonzero(share >= THRESHOLDS[0], as_tuple=True)
        score = share[rows, columns].double().numpy()
        corner = torch.stack([columns, rows], 1).double().numpy() * _STRIDE
        ratio = np.array([width / size[1], height / size[0]])
        boxes = np.concatenate([corner * ratio, (corner + _CELL) * ratio], axis=1)
        keep = suppress(boxes, score, 0.5)
        found.append(_moved(boxes, offsets[0, :, rows, columns].T.double().numpy())[keep])
        scores.append(score[keep])
        scale *= FACTOR
    if not found:
        return np.zeros((0, 4))
    boxes, score = np.concatenate(found), np.concatenate(scores)
    return _square(boxes[suppress(boxes, score, 0.7)[:_MOST]])


def _refine(net: _Cascade, x: Tensor, boxes: Array, side: int, threshold: float) -> tuple[Array, Array, Array]:
    """The windows that still look like faces, moved to fit: boxes [N, 4], scores [N], points [N, 5, 2] (zeros in between)."""
    if not len(boxes):
        return np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2))
    parts = [net(torch.cat([_window(x, box, side) for box in boxes[k : k + 256]])) for k in range(0, len(boxes), 256)]
    logits, offsets, *more = (torch.cat(column).double() for column in zip(*parts, strict=True))
    score = logits.softmax(1)[:, 1].numpy()
    good = score >= threshold
    boxes, score = boxes[good], score[good]
    size = boxes[:, 2:] - boxes[:, :2]
    points = np.zeros((len(boxes), 5, 2))
    if more:
        share = more[0].numpy()[good].reshape(-1, 2, 5).transpose(0, 2, 1)  # five x, then five y
        points = boxes[:, None, :2] + share * size[:, None]
    moved = _moved(boxes, offsets.numpy()[good])
    keep = suppress(moved, score, 0.7, smaller=bool(more))
    return (moved if more else _square(moved))[keep], score[keep], points[keep]


def _moved(boxes: Array, offsets: Array) -> Array:
    size = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(boxes + offsets * np.concatenate([size, size], axis=1))


def _square(boxes: Array) -> Array:
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def _window(x: Tensor, box: Array, side: int) -> Tensor:
    """The part of a picture under a box, [1, 3, side, side]; black outside of the picture."""
    left, top, right, bottom = np.rint(box).astype(int).tolist()
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    height, width = x.shape[-2:]
    inner = x[..., max(top, 0) : max(min(bottom, height), 0), max(left, 0) : max(min(right, width), 0)]
    pad = (max(-left, 0), max(right - width, 0), max(-top, 0), max(bottom - height, 0))
    if inner.numel() == 0:
        return x.new_zeros(1, 3, side, side)
    return F.interpolate(F.pad(inner, pad), size=(side, side), mode="area")


__all__ = ["POINTS", "REMEDY", "Face", "detect_faces", "suppress", "weights_folder"]
