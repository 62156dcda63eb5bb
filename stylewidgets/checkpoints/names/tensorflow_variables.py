"""What the variables and settings of the TensorFlow releases have in common."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import CheckpointError
from ..pickle.plain import positive

USUAL: dict[str, tuple[object, ...]] = {  # settings that change the mathematics, and the values that are built
    "normalize_latents": (True,),
    "nonlinearity": ("lrelu",),
    "mapping_nonlinearity": ("lrelu",),
    "use_wscale": (True,),
    "mapping_use_wscale": (True,),
    "use_styles": (True,),
    "use_instance_norm": (True,),
    "use_pixel_norm": (False,),
    "const_input_layer": (True,),
    "blur_filter": ([1, 2, 1],),
}


def as_tensors(variables: Mapping[str, Any]) -> dict[str, Tensor]:
    """Arrays → float32 tensors, which share memory with them where they can."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a read-only array: the tensors are only read and copied later
        return {name: _as_tensor(np.asarray(value)) for name, value in variables.items()}


def renamed(
    variables: Mapping[str, Any], rule: Callable[[str, Tensor, Mapping[str, int]], tuple[str, Tensor] | None]
) -> dict[str, Tensor]:
    """What a rule makes of each name, value and the `scopes` of all; None leaves a variable out."""
    blocks = scopes(variables)
    pairs = (rule(name, value, blocks) for name, value in as_tensors(variables).items())
    return dict(pair for pair in pairs if pair is not None)


def _as_tensor(array: NDArray[np.generic]) -> Tensor:
    plain = array.dtype == np.float32 and array.dtype.isnative and all(step >= 0 for step in array.strides)
    return torch.from_numpy(array if plain else np.array(array, np.float32, order="C"))


def scopes(names: Mapping[str, Any]) -> dict[str, int]:
    """The scopes of the blocks ("4x4", "8x8", ...; height x width) with their indices, the smallest first.

    Raises:
        CheckpointError: they are not doublings of the first, so a block is missing.
    """
    found = {(int(m[1]), int(m[2])) for name in names if (m := re.match(r"synthesis/(\d{1,6})x(\d{1,6})/", name))}
    ordered = sorted(found)
    for i, size in enumerate(ordered):
        if size != (ordered[0][0] << i, ordered[0][1] << i):
            raise CheckpointError(
                f"its blocks are {', '.join(f'{h}x{w}' for h, w in ordered[:20])}; each is expected to be "
                "twice as large as the one before"
            )
    return {f"{h}x{w}": i for i, (h, w) in enumerate(ordered)}


def level_of_detail(variables: Mapping[str, Any]) -> float:
    """``lod`` of the whole network, which hands it on to the synthesis network at every run; 0 where there is none."""
    for name in ("lod", "synthesis/lod"):
        if name in variables and np.size(variables[name]) == 1:
            return float(np.asarray(variables[name]).reshape(()))
    return 0.0


def mean_of_w(value: Tensor) -> Tensor:
    """dlatent_avg as [w_dim], also where a fork keeps one for each row of w+."""
    return value.reshape(-1, value.shape[-1]).mean(dim=0) if value.ndim > 1 else value


def convolution(value: Tensor, flip: bool = False) -> Tensor:
    """[height, width, in, out] → [out, in, height, width]."""
    if value.ndim != 4:
        raise CheckpointError(f"a convolution has shape {list(value.shape)}; four axes are expected")
    value = value.permute(3, 2, 0, 1)
    return value.flip(2, 3) if flip else value


def mapping_hints(static: Mapping[str, Any]) -> dict[str, Any]:
    """The learning rate of the mapping network where it is told.

    Raises:
        CheckpointError: a setting that changes the mathematics to something that is not built.
    """
    for name, values in USUAL.items():
        given = static.get(name, values[0])
        given = list(given) if isinstance(given, tuple) else given
        if given not in values:
            raise CheckpointError(f"it was built with {name}={given!r:.40}; only {values[0]!r} can be drawn")
    rate = static.get("mapping_lrmul")
    return {"mapping_lr": float(rate)} if positive(rate) else {}
