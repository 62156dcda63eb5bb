"""The NeRF path: what the 2-D part does to the samples of a ray, before they are summed (StyleNeRF, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .cameras import pixel_grid
from .generator import StyleNeRF
from .rendering import sample_field


def nerf_path_loss(
    generator: StyleNeRF,
    x: Tensor | Sequence[Tensor],
    offset: Tensor,
    picture: Tensor | None = None,
    *,
    grid: int = 16,
    weight: float = 2.0,
    random: bool = False,
) -> Tensor:
    """How far the picture is from one whose every pixel is a ray of its own: per picture [N], times `weight`.

    All samples of a regular grid of rays go through the 1×1 layers, which then enlarge nothing, and their colours are summed as
    the volume weighs them. Gradients go both ways.

    Args:
        x: w, w+ or styles.
        offset: of the grid in pixels, x and y, [N, 2], from 0 to resolution / grid − 1.
        picture: what the generator draws for them, [N, 3, H, W]; it is drawn where it is not given.
        grid: rays on a side.
        random: sample as training does.
    """
    styles = generator.styles(x) if isinstance(x, Tensor) else list(x)
    image = generator.synthesize(styles) if picture is None else picture
    side, stride = image.shape[-1], image.shape[-1] // grid
    losses = []
    for k, (right, down) in enumerate(offset.long().tolist()):
        own = [style[k : k + 1] for style in styles]
        pixels = pixel_grid(side, side, image).view(side, side, 2)[down::stride, right::stride].reshape(-1, 2)
        summed = colours_of_samples(generator, own, pixels, random)
        drawn = image[k, :, down::stride, right::stride].flatten(1).t()
        losses.append(weight * (drawn - summed).square().sum(dim=1).mean())
    return torch.stack(losses)


def colours_of_samples(generator: StyleNeRF, styles: Sequence[Tensor], pixels: Tensor, random: bool = False) -> Tensor:
    """Colours [R, 3] of one picture's rays through `pixels` [R, 2]: each sample is coloured by the whole network, then they are
    summed."""
    own = styles[generator.block_layers(0)]
    field = generator.synthesis.fg_nerf
    rays = generator.rays_through(pixels)
    behind = generator.behind(own, rays, pixels) if generator.options.background else None
    count = generator.options.steps or generator.config.samples
    seen = sample_field(field, own, rays, generator.span, count, closed=behind is None, random=random)
    values, counts = field.outer(seen.inner.flatten(1, 2), own).view(*seen.t.shape, -1), seen.counts
    if behind is not None:
        values = torch.cat([values, behind.values], dim=2)
        counts = torch.cat([counts, seen.passed * behind.counts], dim=2)
    values = values[0].permute(2, 0, 1)[None]  # a picture of rays × samples
    colours = generator.img_channels
    x, img = values[:, colours:], values[:, :colours]
    for i in range(1, generator.num_blocks):
        block = generator.synthesis.block(i - 1, generator.config.rays)
        x, img = block(x, img, list(styles[generator.block_layers(i)]), enlarge=False)
    return (img[0] * counts[0]).sum(dim=-1).t()
