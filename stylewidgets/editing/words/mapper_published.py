"""Checkpoints of the published mappers, read without executing anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from ...checkpoints import detect
from ...checkpoints.errors import CheckpointError, reading
from ...checkpoints.formats import torch_file
from ...checkpoints.pickle.plain import plain
from .mapper_net import DEPTH, Layers

NAMES = {"course_mapping": "coarse", "medium_mapping": "medium", "fine_mapping": "fine"}
"""Networks in the published files (they write "course") and their levels here."""
PREFIX = "mapper."
_PLACE = re.compile(r"^mapper_(\d+)$")
TORGB_EVERY = 3
"""Every third layer of s from the second on makes colours."""


class Published(NamedTuple):
    """What `mapper.Mapper` is made from: see there."""

    name: str
    nets: dict[str, Layers]
    space: str
    sizes: tuple[int, ...]
    first: Tensor | None
    opts: dict[str, Any]


def read_mapper(path: Path) -> Published:
    """The mapper in a file of the published training: a dictionary with "state_dict" and "opts".

    Levels that were trained away are missing in it and stay without a network. For a mapper of styles the sizes of the ToRGB
    layers, which have no network, are those of the convolution before.

    Raises:
        ValueError: (CheckpointError) no mapper in it, one of another structure, or damaged; what is wrong is named.
    """
    kind = detect.check(path)
    with reading(path):
        if kind.format not in ("torch zip", "torch legacy"):
            raise CheckpointError(f"a mapper's checkpoint is a file of torch.save; this is {kind.format}")
        root = torch_file.read(path)
        state = root.get("state_dict") if isinstance(root, Mapping) else None
        if not isinstance(state, Mapping):
            raise CheckpointError("it has no 'state_dict'; published mappers do")
        own = {
            name.removeprefix(PREFIX): value
            for name, value in state.items()
            if isinstance(name, str) and name.startswith(PREFIX) and isinstance(value, Tensor)
        }
        nets = _nets(own)
        places = [int(name) for name in nets if name.isdecimal()]
        options: Any = plain(root.get("opts")) if isinstance(root, Mapping) else None
        about = options if isinstance(options, dict) else {}
        first = state.get("decoder.style.1.weight")
        sentence = about.get("description")
        return Published(
            sentence[:200] if isinstance(sentence, str) and sentence.strip() else path.stem[:200],
            nets,
            "s" if places else "w+",
            _sizes(nets) if places else (len(next(iter(nets.values()))[0][1]),),
            first if isinstance(first, Tensor) and first.ndim == 2 else None,
            about,
        )


def _nets(state: Mapping[str, Tensor]) -> dict[str, Layers]:
    """The networks by our names. Layer 0 of each is PixelNorm, which has no parameters."""
    stems = sorted({name.partition("mapping.1.weight")[0] for name in state if name.endswith("mapping.1.weight")})
    nets: dict[str, Layers] = {}
    for stem in stems:
        name = stem.rstrip(".")
        place = _PLACE.match(name)
        ours = "all" if name in ("", "mapping") else place[1] if place else NAMES.get(name)
        if ours is None:
            raise CheckpointError(f"it has a network {name!r}; {', '.join(NAMES)}, mapping and mapper_0 … are known")
        layers = []
        for i in range(1, DEPTH + 1):
            pair = [state.get(f"{stem}mapping.{i}.{part}") for part in ("weight", "bias")]
            if pair[0] is None or pair[1] is None or pair[0].ndim != 2 or pair[1].ndim != 1:
                raise CheckpointError(f"layer {i} of its network {ours!r} is missing or no matrix")
            layers.append((pair[0].detach().float().clone(), pair[1].detach().float().clone()))
        nets[ours] = layers
    if not nets:
        raise CheckpointError("it has no mapper: no parameter ends in 'mapping.1.weight'")
    return nets


def _sizes(nets: Mapping[str, Layers]) -> tuple[int, ...]:
    """Channels of each layer of s, from those of the convolutions; the last one of all makes colours."""
    known = {int(name): len(layers[0][1]) for name, layers in nets.items() if name.isdecimal()}
    count = max(known) + 2
    sizes: list[int] = []
    for i in range(count):
        if i % TORGB_EVERY == 1:
            sizes.append(sizes[-1])
        elif i in known:
            sizes.append(known[i])
        else:
            raise CheckpointError(f"a mapper of styles has a network for each convolution; mapper_{i} is missing")
    return tuple(sizes)
