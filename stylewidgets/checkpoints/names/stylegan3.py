"""StyleGAN3 parameters of its descendants under our names, which are those of the public release."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

LAYER = re.compile(r"synthesis\.L(\d+)_(\d+_\d+)\.(.+)$")
LAYER_NAME = re.compile(r"synthesis\.L(\d+)_\d+_\d+")
EMBED, PROJECTED = "mapping.embed.weight", "mapping.embed_proj.weight"


def from_public(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """StyleGAN3, StyleGAN-XL and StyleGAN-Human.

    The super-resolution stages of StyleGAN-XL leave an index of their layers out, and their table of class features always
    has the 1000 rows of ImageNet, of which a network uses as many as it has means of w.

    Returns:
        The parameters and notes about them.
    """
    notes: list[str] = []
    found = dict(state)
    indices = sorted({int(match[1]) for name in state if (match := LAYER.match(name))})
    if indices != list(range(len(indices))):
        new = {old: i for i, old in enumerate(indices)}
        found = {
            f"synthesis.L{new[int(match[1])]}_{match[2]}.{match[3]}" if (match := LAYER.match(name)) else name: value
            for name, value in state.items()
        }
        moved = next(old for old, i in new.items() if old != i)
        notes.append(f"its layers are numbered through: the one that the file calls L{moved} is L{new[moved]} here")
    if EMBED in found and PROJECTED not in found and "mapping.embed.bias" not in found:
        del found[EMBED]
        notes.append("the table of class features in the mapping network is not used by it, and left out")
    mean = found.get("mapping.w_avg")
    if PROJECTED in found and EMBED in found and mean is not None and mean.ndim == 2:
        if len(mean) < len(found[EMBED]):
            notes.append(f"it knows {len(mean)} classes; the other rows of its table of features are left out")
        found[EMBED] = found[EMBED][: len(mean)]
    return found, notes
