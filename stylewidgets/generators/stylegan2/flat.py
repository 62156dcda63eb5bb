"""What the outer layers of StyleGAN2 would do to areas of one colour: a small picture of what the whole one will be.

Where features do not change from pixel to pixel a 3×3 kernel does what the sum of its weights does, upsampling does nothing,
and noise is nothing on average. So from the features of an inner block the rest of the network is a chain of 1×1 convolutions
at that block's size, with the styles and demodulation of the whole picture: a hundredth of its work. With avatar-128 such a
picture of 32 pixels is 4.8 levels of 255 off the whole one made smaller, where the skip architecture's own inner picture
is 12.3 off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from ...ops.bias_act import GAINS, SLOPE
from ...ops.modulated_conv2d import demodulation
from ...ops.native import winograd
from ..layers import COMPILED_FLAT, FLAT, SynthesisLayer

if TYPE_CHECKING:
    from .generator import SynthesisBlock


def finish_small(blocks: Sequence[SynthesisBlock], x: Tensor, img: Tensor | None, styles: Sequence[Tensor]) -> Tensor:
    """The picture that these blocks make, at the size of the features that they are given.

    Args:
        blocks: those after the one that made x, in order.
        x: [N, C, h, w], any dtype.
        img: [N, colours, h, w], the picture so far, in the skip architecture.
        styles: of the layers of these blocks, in their order.
    Returns:
        [N, colours, h, w] float32.
    """
    x, rest, side, outer = x.float(), iter(styles), x.shape[2:], None
    for k, block in enumerate(blocks):
        # Edges are in the inner colours and those of the first block here: the others add little, and smoothly. It takes the
        # difference from the whole picture from 4.6 to 4.8 levels.
        if k == 1 and img is not None and not (side[0] % 2 or side[1] % 2):
            x = F.avg_pool2d(x, 2)
        around = (
            None if block.architecture != "resnet" else F.conv2d(x, block.skip.weight * (block.skip.scale * 0.5**0.5))
        )
        for conv in block.convs:
            x = _flat(conv, x, next(rest), gain=0.5**0.5 if around is not None and conv is block.conv1 else 1.0)
        x = x if around is None else x + around
        if "torgb" in block.names:
            colours = block.torgb(x, next(rest))
            if img is None or x.shape[2:] == side:
                img = colours if img is None else img + colours
            else:
                outer = colours if outer is None else outer + colours
    assert img is not None
    return img if outer is None else img + F.interpolate(outer, size=side, mode="bilinear")


def _flat(layer: SynthesisLayer, x: Tensor, styles: Tensor, gain: float) -> Tensor:
    """`SynthesisLayer.forward` for features that do not change from pixel to pixel."""
    styles, clamp = styles.float(), layer.conv_clamp
    if winograd.usable(x, layer.weight, layer.bias, styles):
        weight, squares = layer.prepare(COMPILED_FLAT)
        return winograd.pointwise(x, weight, styles, demodulation(styles, squares), layer.bias, gain=gain, clamp=clamp)
    sums, squares = layer.prepare(FLAT)
    total = GAINS["lrelu"] * gain
    weight = sums * styles[:, :, None] * (demodulation(styles, squares) * total)[:, None, :]
    rows = F.leaky_relu(torch.baddbmm(layer.bias * total, x.flatten(2).transpose(1, 2), weight), SLOPE)
    rows = rows if clamp is None else rows.clamp(-clamp * gain, clamp * gain)
    return rows.transpose(1, 2).reshape(len(x), -1, *x.shape[2:])
