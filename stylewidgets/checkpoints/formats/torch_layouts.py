"""State_dicts of many code bases, in files of torch.save, safetensors, .npz or pickles, as a generator of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .. import layouts
from ..errors import reading
from ..layouts import Found
from ..loaded import Loaded
from ..names import eg3d, posed
from ..names import stylegan1 as names_stylegan1
from ..names import stylegan2 as names_stylegan2
from ..names import stylegan3 as names_stylegan3
from ..pickle.plain import plain
from ..pickle.records import Persistent
from . import trees

Converted = tuple[dict[str, Tensor], dict[str, Any], list[str]]
"""Parameters under our names, settings that no shape tells, and notes."""
FUSED = (
    'the file does not tell fused_scale of its training; "auto", as in the release, is assumed (transposed convolutions '
    "from 128 pixels up). For True load it with settings={'fused_from': 1}, for False with {'fused_from': None}"
)
ENCODERS = {"encoder_type": "encoder", "stylegan_size": "encoder_output_size", "output_size": "encoder_output_size"}


def read(path: str | Path) -> Loaded:
    """The generator in a file of tensors by name, whatever code base it is from.

    Raises:
        CheckpointError: damaged, no generator in it, or one that cannot be drawn.
    """
    with reading(path):
        tree = trees.read(Path(path))
        if _has_module(tree):
            from .persistence_pickle import from_value  # the same modules in another container

            return from_value(tree)
        return from_tree(tree)


def _has_module(tree: object) -> bool:
    """Whether whole modules were saved, together with their source: PTI and its descendants."""
    values = tree.values() if isinstance(tree, Mapping) else tree if isinstance(tree, list) else ()
    return isinstance(tree, Persistent) or any(isinstance(value, Persistent) for value in values)


def from_tree(tree: object) -> Loaded:
    """As `read`, from the content of the file."""
    found = layouts.find(tree)
    state, hints, notes = _CONVERT[found.layout.name](found)
    what = f"the generator at {found.where or 'the top'} has the names of {found.layout.name}"
    config = layouts.config_of(found.layout.family, state, hints, what)
    metadata: dict[str, Any] = {
        "format": found.layout.name,
        "family": found.layout.family,
        "licence": found.layout.licence,
        "notes": notes,
    }
    if found.where:
        metadata["inside"] = found.where
    metadata.update(_encoder(found, metadata["notes"]))
    return Loaded(found.layout.family, config, state, metadata)


# -- code bases ------------------------------------------------------------------------------------------------------
def _rosinality(found: Found) -> Converted:
    left: list[str] = []
    state = names_stylegan2.from_rosinality(found.state, found.layout.name.split()[0], left)
    return {**state, **_mean(found)}, {}, layouts.unused(left)


def _genforce2(found: Found) -> Converted:
    left: list[str] = []
    return names_stylegan2.from_genforce(found.state, left), {}, layouts.unused(left)


def _genforce1(found: Found) -> Converted:
    left: list[str] = []
    state, hints = names_stylegan1.from_genforce(found.state, left)
    return state, hints, [*layouts.unused(left), FUSED]


def _huangzh13(found: Found) -> Converted:
    left: list[str] = []
    state, hints = names_stylegan1.from_huangzh13(found.state, left)
    return state, hints, layouts.unused(left)


def _rosinality1(found: Found) -> Converted:
    left: list[str] = []
    state, hints = names_stylegan1.from_rosinality(found.state, left)
    return state, hints, layouts.unused(left)


def _official2(found: Found) -> Converted:
    """The names of the official PyTorch releases, which are ours."""
    return dict(found.state), {}, []


def _official3(found: Found) -> Converted:
    state, notes = names_stylegan3.from_public(found.state)
    return state, {}, notes


def _posed(found: Found) -> Converted:
    left: list[str] = []
    state = posed.from_published(found.state, left)
    return state, {"slip": True}, [posed.NO_W, *layouts.unused(left)]


def _mean(found: Found) -> dict[str, Tensor]:
    """latent_avg of the file as the mean of w. Encoders keep one row per layer, all of them equal as a rule."""
    value = found.root.get("latent_avg") if isinstance(found.root, Mapping) else None
    if not isinstance(value, Tensor) or not value.is_floating_point() or not value.numel():
        return {}
    return {"mapping.w_avg": value.float().reshape(-1, value.shape[-1]).mean(dim=0)}


def _encoder(found: Found, notes: list[str]) -> dict[str, Any]:
    """What a file of pSp, e4e or ReStyle says about its encoder, which is not used here."""
    root = found.root
    if not isinstance(root, Mapping) or not isinstance(opts := root.get("opts"), Mapping):
        return {}
    told: dict[str, Any] = {ENCODERS[name]: opts[name] for name in ENCODERS if isinstance(opts.get(name), str | int)}
    told["opts"] = plain(opts)
    mean = root.get("latent_avg")
    if isinstance(mean, Tensor) and mean.ndim == 2 and not torch.equal(mean, mean[:1].expand_as(mean)):
        notes.append("latent_avg differs from row to row; the mean of its rows is the mean of w")
    if "encoder" in found.beside or "encoder" in told:
        notes.append("the file also has an encoder, which is left out: only its decoder is a generator")
    return told


_CONVERT: dict[str, Callable[[Found], Converted]] = {
    "rosinality stylegan2-pytorch": _rosinality,
    "genforce stylegan2": _genforce2,
    "mmgeneration stylegan2": _rosinality,
    "stylegan2-ada-pytorch": _official2,
    "stylegan3": _official3,
    "EG3D": lambda found: (*eg3d.from_eg3d(found.state), []),
    "Pose with Style": _posed,
    "genforce stylegan": _genforce1,
    "huangzh13 StyleGAN.pytorch": _huangzh13,
    "rosinality style-based-gan-pytorch": _rosinality1,
}
