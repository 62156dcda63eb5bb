"""The pictures that are inverted: generated ones, renders of what the generator draws, and renders of what it has never seen."""

from __future__ import annotations

import numpy as np
import torch

from ...avatars import sample
from ...avatars.drawing.renderer import render
from ...avatars.parts import AvatarWorld
from ...avatars.world.dataset import to_uint8
from ...avatars.world.groups import UNSEEN, columns
from ...inversion import Target
from ...session.session import GeneratorSession

GENERATED, INSIDE, OUTSIDE = "generated", "inside", "outside"
KINDS = {
    GENERATED: "generated pictures, whose w is known",
    INSIDE: "renders of avatars, as the generator has learnt them",
    OUTSIDE: "renders of avatars with something that it has never seen",
}
SEEDS = {GENERATED: 7_300_000, INSIDE: 7_310_000, OUTSIDE: 7_320_000}
"""No network was trained on these pictures, and nothing was chosen by them."""


def pictures(kind: str, count: int, session: GeneratorSession) -> Target:
    """The first `count` pictures of a kind; what they are does not depend on how many there are."""
    seed = SEEDS[kind]
    if kind == GENERATED:
        return Target.of([session.latent(seed=seed + i) for i in range(count)], session)
    if kind == OUTSIDE:
        return strange(count, session)
    return plain(torch.from_numpy(sample(count, seed)), session)


def plain(factors: torch.Tensor, session: GeneratorSession) -> Target:
    """Renders of usual factors [N, F]."""
    drawn = to_uint8(render(factors, session.resolution, outputs=("image",)).image)
    return Target.of({"image": drawn, "factors": factors}, session)


def strange(count: int, session: GeneratorSession) -> Target:
    """Faces, each with one factor of the group "unseen": eye patch, paint and so on in turn, and the categories of each in turn.

    A face on which it cannot be seen, such as earrings under hair, is passed over.
    """
    at = columns(UNSEEN)
    kinds = [
        factor for group, _ in at.slices() if group.name == "unseen" for factor in group.factors if factor.categories
    ]
    world, face = AvatarWorld(UNSEEN), 0
    rows, names = list[torch.Tensor](), list[str]()
    while len(rows) < count:
        factor = kinds[len(rows) % len(kinds)]
        others = [k for k in range(len(factor.categories)) if k != factor.default]
        row = torch.from_numpy(sample(1, SEEDS[OUTSIDE], face, groups=UNSEEN))
        for each in kinds:
            row[0, at.index[each.name]] = each.default
        category = others[len(rows) // len(kinds) % len(others)]
        row[0, at.index[factor.name]] = category
        face += 1
        if bool(world.outside(row)[0]):
            rows.append(row)
            names.append(f"{factor.name.replace('_', ' ')}: {factor.categories[category]}, {len(names)}")
    factors = torch.cat(rows)
    drawn = to_uint8(render(factors, session.resolution, outputs=("image",), groups=UNSEEN).image)
    made = Target.of({"image": drawn, "factors": factors, "groups": UNSEEN}, session)
    return Target(made.images, tuple(names), made.latents, made.factors, factor_groups=made.factor_groups)


def chunks(target: Target, size: int) -> list[tuple[Target, np.ndarray]]:
    """Targets of at most `size` pictures, each with their places in the whole."""
    starts = range(0, len(target), size)
    return [
        (part, np.arange(start, start + len(part))) for start, part in zip(starts, target.groups(size), strict=True)
    ]
