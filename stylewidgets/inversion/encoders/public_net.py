"""The networks of the public pSp, e4e and ReStyle releases, as functions of their parameters.

Two bodies (IR-SE-50 and ResNet-34), each with all heads on its last map (ReStyle) or with a pyramid (pSp, e4e). No module is
built: parameters stay where they are, in the mapped file as a rule, under the names of the releases.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

Weights = Mapping[str, Tensor]

SIDE = 256
"""Pictures are pooled or enlarged to this size."""
WIDTHS = (64, 128, 256, 512)
DEPTHS = {"IR-SE-50": (3, 4, 14, 3), "ResNet-34": (3, 4, 6, 3)}
"""Units in each stage of a body."""
REDUCTION = 16
PYRAMID = {4: 0, 5: 1, 6: 2}
"""Convolutions of a head → the level that it reads: 16², 32² or 64² for pictures of 256 px."""
HEAD_SLOPE = 0.01


@dataclass(frozen=True)
class PublicShape:
    """What a network consists of.

    Attributes:
        kind: "psp", "e4e" or "restyle".
        rows, w_dim: of w+.
        channels: of the picture that goes in; 6 for the target and the picture drawn so far.
        body: a name of `DEPTHS`.
        convs: convolutions of each head.
        pyramid: whether heads of more than 4 read the finer levels.
        deltas: whether heads after the first give differences from it, as in e4e.
    """

    kind: str
    rows: int
    w_dim: int
    channels: int
    body: str
    convs: tuple[int, ...]
    pyramid: bool
    deltas: bool


# -- what must be there ----------------------------------------------------------------------------------------------
def expected(shape: PublicShape) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all parameters."""
    found: dict[str, tuple[int, ...]] = dict(_stem(shape))
    for i, (before, width, stride) in enumerate(units(shape.body)):
        make = _ir_unit if shape.body == "IR-SE-50" else _basic_unit
        found.update((f"body.{i}.{name}", size) for name, size in make(before, width, stride))
    if shape.pyramid:
        for level, width in (("latlayer1", WIDTHS[2]), ("latlayer2", WIDTHS[1])):
            found |= {f"{level}.weight": (WIDTHS[3], width, 1, 1), f"{level}.bias": (WIDTHS[3],)}
    for i, count in enumerate(shape.convs):
        for k in range(count):
            before = shape.w_dim if k else WIDTHS[3]
            found[f"styles.{i}.convs.{2 * k}.weight"] = (shape.w_dim, before, 3, 3)
            found[f"styles.{i}.convs.{2 * k}.bias"] = (shape.w_dim,)
        found[f"styles.{i}.linear.weight"] = (shape.w_dim, shape.w_dim)
        found[f"styles.{i}.linear.bias"] = (shape.w_dim,)
    return found


def units(body: str) -> Iterator[tuple[int, int, int]]:
    """(channels before, channels after, stride) of every unit. The stem of ResNet-34 has halved the picture already."""
    before = WIDTHS[0]
    for stage, (width, count) in enumerate(zip(WIDTHS, DEPTHS[body], strict=True)):
        for i in range(count):
            yield before, width, 1 if i or (body == "ResNet-34" and stage == 0) else 2
            before = width


def _norm_shapes(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{part}", (width,)


def _stem(shape: PublicShape) -> Iterator[tuple[str, tuple[int, ...]]]:
    ir = shape.body == "IR-SE-50"
    names = ("input_layer.0", "input_layer.1", "input_layer.2") if ir else ("conv1", "bn1", "relu")
    size = 3 if ir else 7
    yield f"{names[0]}.weight", (WIDTHS[0], shape.channels, size, size)
    yield from _norm_shapes(names[1], WIDTHS[0])
    yield f"{names[2]}.weight", (WIDTHS[0],)


def _ir_unit(before: int, width: int, stride: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from _norm_shapes("res_layer.0", before)
    yield "res_layer.1.weight", (width, before, 3, 3)
    yield "res_layer.2.weight", (width,)
    yield "res_layer.3.weight", (width, width, 3, 3)
    yield from _norm_shapes("res_layer.4", width)
    yield "res_layer.5.fc1.weight", (width // REDUCTION, width, 1, 1)
    yield "res_layer.5.fc2.weight", (width, width // REDUCTION, 1, 1)
    if before != width:
        yield "shortcut_layer.0.weight", (width, before, 1, 1)
        yield from _norm_shapes("shortcut_layer.1", width)


def _basic_unit(before: int, width: int, stride: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "conv1.weight", (width, before, 3, 3)
    yield from _norm_shapes("bn1", width)
    yield "conv2.weight", (width, width, 3, 3)
    yield from _norm_shapes("bn2", width)
    if stride > 1:
        yield "downsample.0.weight", (width, before, 1, 1)
        yield from _norm_shapes("downsample.1", width)


# -- forward ---------------------------------------------------------------------------------------------------------
def answer(shape: PublicShape, weights: Weights, x: Tensor) -> Tensor:
    """[N, channels, H, W] → what is added to the code, [N, rows, w_dim]."""
    levels = _levels(shape, weights, x)
    rows = []
    for i, count in enumerate(shape.convs):
        level = levels[PYRAMID.get(count, 0) if shape.pyramid else 0]
        rows.append(_head(weights, f"styles.{i}", count, level))
    out = torch.stack(rows, dim=1)
    if shape.deltas:  # the first row is the code of all, the others differ from it (Tov et al. 2021, section 4)
        out = torch.cat([out[:, :1], out[:, :1] + out[:, 1:]], dim=1)
    return out


def _levels(shape: PublicShape, weights: Weights, x: Tensor) -> list[Tensor]:
    """Maps for the heads, the smallest first: one, or the three of a feature pyramid."""
    ir = shape.body == "IR-SE-50"
    if ir:
        x = _norm(weights, "input_layer.1", _conv(weights, "input_layer.0", x))
        x = F.prelu(x, weights["input_layer.2.weight"])
    else:
        x = _norm(weights, "bn1", _conv(weights, "conv1", x, 2))
        x = F.prelu(x, weights["relu.weight"])
    ends, last = [], -1
    for count in DEPTHS[shape.body]:
        last += count
        ends.append(last)
    taps = []
    for i, (before, width, stride) in enumerate(units(shape.body)):
        name = f"body.{i}"
        x = _ir(weights, name, x, stride, before == width) if ir else _basic(weights, name, x, stride)
        if i in ends[1:]:
            taps.append(x)
    fine, middle, coarse = taps
    if not shape.pyramid:
        return [coarse]
    second = _upsampled(coarse, middle) + _conv(weights, "latlayer1", middle)
    return [coarse, second, _upsampled(second, fine) + _conv(weights, "latlayer2", fine)]


def _ir(weights: Weights, name: str, x: Tensor, stride: int, same: bool) -> Tensor:
    """A unit of IR-SE: normalise first, squeeze and excite, no activation at the end (Deng et al. 2019, Hu et al. 2018)."""
    y = _conv(weights, f"{name}.res_layer.1", _norm(weights, f"{name}.res_layer.0", x))
    y = F.prelu(y, weights[f"{name}.res_layer.2.weight"])
    y = _norm(weights, f"{name}.res_layer.4", _conv(weights, f"{name}.res_layer.3", y, stride))
    gate = F.relu(_conv(weights, f"{name}.res_layer.5.fc1", y.mean(dim=(2, 3), keepdim=True)))
    y = y * torch.sigmoid(_conv(weights, f"{name}.res_layer.5.fc2", gate))
    if same:
        return y + x[:, :, ::stride, ::stride]
    return y + _norm(weights, f"{name}.shortcut_layer.1", _conv(weights, f"{name}.shortcut_layer.0", x, stride))


def _basic(weights: Weights, name: str, x: Tensor, stride: int) -> Tensor:
    """A unit of ResNet-34 (He et al. 2016)."""
    y = F.relu(_norm(weights, f"{name}.bn1", _conv(weights, f"{name}.conv1", x, stride)))
    y = _norm(weights, f"{name}.bn2", _conv(weights, f"{name}.conv2", y))
    if stride > 1:
        x = _norm(weights, f"{name}.downsample.1", _conv(weights, f"{name}.downsample.0", x, stride))
    return F.relu(y + x)


def _head(weights: Weights, name: str, count: int, x: Tensor) -> Tensor:
    """Halve the map until one pixel is left, then one linear layer with equalised weights."""
    for k in range(count):
        x = F.leaky_relu(_conv(weights, f"{name}.convs.{2 * k}", x, 2), HEAD_SLOPE)
    if x.shape[2:] != (1, 1):
        raise ValueError(
            f"a head of {count} convolutions leaves {x.shape[2]} × {x.shape[3]} pixels of this picture; "
            f"the network is for pictures of {SIDE} px"
        )
    weight = weights[f"{name}.linear.weight"]
    return F.linear(x.flatten(1), weight / math.sqrt(weight.shape[1]), weights[f"{name}.linear.bias"])


def _conv(weights: Weights, name: str, x: Tensor, stride: int = 1) -> Tensor:
    weight = weights[f"{name}.weight"]
    return F.conv2d(x, weight, weights.get(f"{name}.bias"), stride, weight.shape[-1] // 2)


def _norm(weights: Weights, name: str, x: Tensor) -> Tensor:
    return F.batch_norm(
        x,
        weights[f"{name}.running_mean"],
        weights[f"{name}.running_var"],
        weights[f"{name}.weight"],
        weights[f"{name}.bias"],
    )


def _upsampled(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=True)
