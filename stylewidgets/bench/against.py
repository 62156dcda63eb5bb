"""A public implementation of StyleGAN as a rival, from a checkout that the user has.

This imports and runs Python code of that folder, which nothing else in the package ever does: only because the user named it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from ..generators.protocol import Generator

MODULES = {
    "stylegan2": ("training.networks_stylegan2", "training.networks"),
    "stylegan3": ("training.networks_stylegan3",),
}
"""Where the checkouts of stylegan3 and stylegan2-ada-pytorch have their ``SynthesisNetwork``."""


def rival(path: Path, generator: Generator) -> Callable[[Generator, list[Tensor]], Tensor] | None:
    """(generator, styles) → picture by the synthesis network of the checkout with the parameters of `generator`.

    The styles only say how many pictures: theirs starts from w+, so that its style layers are included.

    Args:
        path: a checkout of NVlabs/stylegan3 or NVlabs/stylegan2-ada-pytorch (folders ``training`` and ``torch_utils``).
        generator: whose shape and parameters to use.

    Returns:
        None where the checkout has no network of this family.

    Raises:
        ValueError: the folder is no such checkout, or its network takes other parameters.
    """
    made = _network(path, generator)
    if made is None:
        return None

    def draw(_: Generator, styles: list[Tensor]) -> Tensor:
        ws = generator.w_avg.expand(len(styles[0]), generator.num_ws, -1)
        given = {"force_fp32": True} | ({"noise_mode": "const"} if generator.noise_shapes else {})
        return made(ws, **given)  # type: ignore[no-any-return]

    return draw


def same_styles(generator: Generator, n: int = 1) -> list[Tensor]:
    """The styles that `rival` draws, to compare pictures with."""
    return list(generator.styles(generator.w_avg.expand(n, generator.num_ws, -1)))


def _network(path: Path, generator: Generator) -> nn.Module | None:
    if not (path / "training").is_dir():
        raise ValueError(
            f"{path} is no checkout of a public implementation: it has no folder 'training'. Clone "
            "https://github.com/NVlabs/stylegan3 (both families) or .../stylegan2-ada-pytorch"
        )
    sys.path.insert(0, str(path))
    try:
        module = next(filter(None, map(_module, MODULES.get(generator.family, ()))), None)
        if module is None:
            return None
        network: nn.Module = module.SynthesisNetwork(**_arguments(generator))
        state = generator.synthesis.state_dict()
        missing = network.load_state_dict(state, strict=False)
    except (TypeError, RuntimeError) as error:
        raise ValueError(f"the network in {path} is another than expected: {error}") from error
    finally:
        sys.path.remove(str(path))
    lost = [name for name in missing.missing_keys if not name.endswith(("filter", "transform"))]
    if lost or missing.unexpected_keys:
        raise ValueError(f"the network in {path} has other parameters: {[*lost, *missing.unexpected_keys][0]}")
    return network.to(generator.device).eval().requires_grad_(False)


def _module(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and not (name == error.name or name.startswith(error.name + ".")):
            raise ValueError(f"the checkout needs the package {error.name!r}, which is not installed here") from error
        return None


def _arguments(generator: Any) -> dict[str, Any]:
    """Of their constructor. ValueError for shapes that it cannot make."""
    config = generator.config
    base = {"w_dim": config.w_dim, "img_resolution": generator.resolution, "img_channels": generator.img_channels}
    if generator.family == "stylegan3":
        rotates = config.layers[0].kernel == 1
        widest = max(layer.channels for layer in config.layers)
        outermost = config.layers[-2].channels * generator.resolution  # its band is all that the picture can carry
        return base | {
            "channel_base": outermost,
            "channel_max": widest,
            "conv_kernel": 1 if rotates else 3,
            "use_radial_filters": rotates,
        }
    return base | {
        "channel_base": config.channels[-1] * generator.resolution,
        "channel_max": max(config.channels),
        "num_fp16_res": 0,
        "architecture": config.architecture,
    }


def warn_of_code(path: Path) -> str:
    """What to tell the user before anything of the folder runs."""
    return f"  Importing and running the Python code in {path}, as --against asks for; torch {torch.__version__}."
