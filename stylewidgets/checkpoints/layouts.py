"""Which generator is in a state_dict, and where: told by parameter names, never by the name of a file or a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ..generators.families import FAMILIES
from . import wrong
from .errors import CheckpointError
from .names import eg3d, posed, stylenerf

MAX_DEPTH = 4


@dataclass(frozen=True)
class Layout:
    """The names that one code base gives its generator's parameters.

    Attributes:
        name: of the code base.
        family: of the generator.
        evidence: names that must all be there, after one prefix that they share.
        licence: hint about the weights.
    """

    name: str
    family: str
    evidence: tuple[str, ...]
    licence: str


MIT = "the code base is MIT; weights have the terms of whoever trained them, and those converted from NVIDIA's keep theirs"
NVIDIA = "weights of the official releases are for non-commercial use (NVIDIA Source Code License, or CC BY-NC 4.0)"
STYLENERF = "no licence is recorded here; the terms are at https://github.com/facebookresearch/StyleNeRF"
POSED = (
    "no licence is recorded here; the terms are at https://github.com/BadourAlBahar/pose-with-style, and DensePose's and SMPL's "
    "hold for their tables"
)
OTHER = "not recorded in the file; ask where it comes from"

LAYOUTS = (
    Layout("rosinality stylegan2-pytorch", "stylegan2", ("input.input", "convs.0.conv.modulation.weight"), MIT),
    Layout(
        "rosinality style-based-gan-pytorch",
        "stylegan1",
        ("generator.progression.0.conv1.input", "style.1.linear.weight_orig"),
        MIT,
    ),
    Layout(
        "huangzh13 StyleGAN.pytorch", "stylegan1", ("g_synthesis.init_block.const", "g_mapping.map.dense0.weight"), MIT
    ),
    Layout("genforce stylegan2", "stylegan2", ("synthesis.early_layer.const", "mapping.dense0.weight"), NVIDIA),
    Layout("genforce stylegan", "stylegan1", ("synthesis.layer0.const", "mapping.dense0.weight"), NVIDIA),
    Layout(
        "mmgeneration stylegan2", "stylegan2", ("constant_input.input", "style_mapping.1.linear.weight_orig"), OTHER
    ),
    Layout("stylegan2-ada-pytorch", "stylegan2", ("synthesis.b4.const", "mapping.fc0.weight"), NVIDIA),
    Layout("stylegan3", "stylegan3", ("synthesis.input.freqs", "mapping.fc0.weight"), NVIDIA),
    Layout("EG3D", "triplane", eg3d.EVIDENCE, NVIDIA),
    Layout("StyleNeRF", "stylenerf", stylenerf.EVIDENCE, STYLENERF),
    Layout("Pose with Style", "posed", posed.EVIDENCE, POSED),
)

# Networks that are told apart only to be refused by name: pieces that must all occur in names, and the reason.
REFUSED: tuple[tuple[tuple[str, ...], str], ...] = (
    (("input.input", ".iwt."), "SWAGAN draws wavelets, with other layers than a StyleGAN2"),
    (("student.", "mapping_net."), "MobileStyleGAN draws wavelets, with other layers than a StyleGAN2"),
    (
        ("S.net.0.", "G."),
        "a generator of lucidrains/stylegan2-pytorch is a network of its own (other noise, other upsampling)",
    ),
    (("main.layer_",), "a FastGAN has no style space"),
    (("layer0.weight", "output0.weight"), "a ProGAN has no style space"),
    (("init_block.const",), "it has a synthesis network without its mapping network"),
)

# Words of a path, best first: averaged weights make better pictures than those of the last training step.
_PREFERRED = ("ema", "smooth", "running", "average", "decoder", "generator", "g", "state_dict")
_NEVER = ("d", "discriminator", "disc", "d_ema")


@dataclass
class Found:
    """A generator in a tree: its layout, its parameters without the prefix, and what lies around them.

    Attributes:
        layout: the `Layout`.
        state: names of the layout to tensors.
        where: keys and prefix that lead to it, such as "generator_smooth" or "state_dict.decoder.".
        root: the whole content of the file.
        beside: other names in the same dictionary.
    """

    layout: Layout
    state: dict[str, Tensor]
    where: str
    root: object
    beside: list[str] = field(default_factory=list)


def find(tree: object) -> Found:
    """The generator in a nested dictionary; averaged weights before those of the last step.

    Raises:
        CheckpointError: none, or one of a kind that cannot be drawn; the text names what is there.
    """
    found = [one for where, state in _states(tree) for one in _matches(where, state, tree)]
    names = [f"{where}.{name}" for where, state in _states(tree) for name in state]
    for pieces, reason in REFUSED[: 1 if found else None]:  # the first has all names of a StyleGAN2, and more
        if all(any(piece in name for name in names) for piece in pieces):
            raise CheckpointError(reason)
    if not found:
        what = wrong.reason(tree)
        raise CheckpointError(f"no StyleGAN generator is in it. {_described(tree)}" if what is None else what)
    return min(found, key=lambda one: _rank(one.where))


def unused(names: Sequence[str]) -> list[str]:
    """A note about parameters that no rule of a layout knows; none where there are none."""
    if not names:
        return []
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return [
        f"{len(names)} parameters of the file are of no kind that is known, and left out; pictures may differ: {shown}"
    ]


def config_of(family: str, state: Mapping[str, Tensor], hints: Mapping[str, object], what: str) -> Any:
    """The family's config, read from names and shapes. CheckpointError, which says `what` has them, where they disagree."""
    try:
        return FAMILIES[family].infer_config(state, hints)
    except (ValueError, IndexError, ZeroDivisionError) as error:
        raise CheckpointError(f"{what}, but {error}") from error


def _states(tree: object, where: str = "", depth: int = 0) -> Iterator[tuple[str, Mapping[str, Tensor]]]:
    """Every dictionary with tensors in it, with the keys that lead to it."""
    if not isinstance(tree, Mapping) or depth > MAX_DEPTH:
        return
    tensors = {key: value for key, value in tree.items() if isinstance(key, str) and isinstance(value, Tensor)}
    if tensors:
        yield where, tensors
    for key, value in tree.items():
        if isinstance(value, Mapping) and str(key).lower() not in _NEVER:
            yield from _states(value, f"{where}.{key}" if where else str(key), depth + 1)


def _matches(where: str, state: Mapping[str, Tensor], root: object) -> Iterator[Found]:
    for layout in LAYOUTS:
        first = layout.evidence[0]
        for name in state:
            prefix = name.removesuffix(first)
            if not name.endswith(first) or (prefix and not prefix.endswith(".")):
                continue
            if all(prefix + other in state for other in layout.evidence):
                own = {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}
                rest = sorted({key.split(".")[0] for key in state if not key.startswith(prefix)})
                yield Found(layout, own, f"{where}.{prefix}" if where and prefix else where or prefix, root, rest)


def _rank(where: str) -> tuple[int, int]:
    words = where.lower().replace("_", ".").split(".")
    return min((i for i, word in enumerate(_PREFERRED) if word in words), default=len(_PREFERRED)), len(words)


def _described(tree: object) -> str:
    """What is there instead, for the error."""
    if not isinstance(tree, Mapping):
        return f"Its content is a {type(tree).__name__}"
    keys = [str(key) for key in tree]
    listed = ", ".join(keys[:6]) + (f" and {len(keys) - 6} more" if len(keys) > 6 else "")
    return f"It holds {listed or 'nothing'}"
