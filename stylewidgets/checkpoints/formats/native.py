"""Our own file: safetensors with one JSON entry that says what the tensors are."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ...core import files
from ...generators.families import FAMILIES
from ...generators.protocol import Generator
from ...ops.devices import from_file
from ..build import empty
from ..loaded import Loaded

KEY = "stylewidgets"
VERSION = 1
DTYPES = {"fp16": torch.float16, "fp32": torch.float32}


def save(
    path: str | os.PathLike[str], generator: Generator, metadata: Mapping[str, Any] | None = None, dtype: str = "fp16"
) -> None:
    """Write a generator; a crash while writing leaves the previous file.

    Args:
        path: usually ends in .safetensors.
        generator: of any family, such as a `StyleGAN2`.
        metadata: plain JSON values, such as name, licence, training; comes back from `load` and `inspect`.
        dtype: "fp16" or "fp32" of the weights and noise pictures; vectors, scalars, means and filters always are float32.
    Raises:
        ValueError: the weights are not finite or do not fit the dtype, the metadata is not JSON.
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype is one of {', '.join(DTYPES)}; {dtype!r} was given")
    family = str(getattr(generator, "family", ""))  # what is given may be any module
    if family not in FAMILIES or not isinstance(generator, FAMILIES[family].generator):
        raise ValueError(
            f"generators of {', '.join(FAMILIES)} can be written; a {type(generator).__name__} was given. "
            "generators.register makes another family known"
        )
    settings = generator.config.to_dict()
    about = {"format": VERSION, "family": family, "dtype": dtype, "config": settings, "metadata": dict(metadata or {})}
    try:
        text = json.dumps(about, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"metadata must be plain JSON values (text, finite numbers, lists, dictionaries): {error}"
        ) from error
    state = generator.state_dict()
    _confirmed(family, json.loads(text)["config"], {name: tuple(value.shape) for name, value in state.items()})
    parameters = {name for name, _ in generator.named_parameters()}
    tensors = {
        name: _packed(name, value, dtype if name in parameters or name.endswith("noise_const") else "fp32")
        for name, value in state.items()
    }
    files.write_arrays(path, tensors, about, KEY)


@from_file()
def load(path: str | os.PathLike[str]) -> tuple[Any, dict[str, Any]]:
    """Read a generator written by `save`: in evaluation mode, float32, on the CPU; and its metadata.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged, cut short, not ours, from a newer version, or holds weights that are not finite.
    """
    path = files.find(path, "file")
    about, shapes = _header(path)
    generator = empty(Loaded(about["family"], _config(path, about, shapes), {}))
    wanted = {name: tuple(value.shape) for name, value in generator.state_dict().items()}
    for name in sorted(wanted.keys() | shapes.keys()):
        if wanted.get(name) != shapes.get(name):
            raise ValueError(
                f"{path}: {name} is {_shape(shapes.get(name))} in the file, {_shape(wanted.get(name))} "
                "by its description. The file is damaged"
            )
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name).to(torch.float32, copy=True) for name in wanted}
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged or cut short: {error}") from error
    for name, value in tensors.items():
        if not torch.isfinite(value).all():
            raise ValueError(
                f"{path}: {name} holds numbers that are not finite. The file is damaged, or training diverged"
            )
    generator.load_state_dict(tensors, assign=True)
    return generator.eval(), about["metadata"]


def is_own(path: Path) -> bool:
    """Whether a safetensors file has our description; False as well where it cannot be read."""
    try:
        with safe_open(path, "pt") as file:
            return KEY in (file.metadata() or {})
    except (SafetensorError, OSError, ValueError):
        return False


def inspect(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a file holds, from its header alone.

    Returns:
        format, family, dtype, resolution, img_channels, classes, z_dim, w_dim, num_ws, architecture (StyleGAN2),
        parameters, tensors, layers (names to shapes), bytes, config, metadata.
    Raises:
        FileNotFoundError, ValueError: as `load`, as far as the header tells.
    """
    path = files.find(path, "file")
    about, shapes = _header(path)
    config = _config(path, about, shapes)
    return {
        "format": about["format"],
        "family": about["family"],
        "dtype": about["dtype"],
        "resolution": config.resolution,
        "img_channels": config.img_channels,
        "classes": config.c_dim,
        "z_dim": config.z_dim,
        "w_dim": config.w_dim,
        "num_ws": config.num_ws,
        **({"architecture": config.architecture} if hasattr(config, "architecture") else {}),
        "parameters": sum(math.prod(s) for s in shapes.values()),
        "tensors": len(shapes),
        "layers": {name: list(shape) for name, shape in sorted(shapes.items())},
        "bytes": path.stat().st_size,
        "config": config.to_dict(),
        "metadata": about["metadata"],
    }


def _header(path: Path) -> tuple[dict[str, Any], dict[str, tuple[int, ...]]]:
    """The description and the shapes; reads no tensor."""
    try:
        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(KEY)
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 (the file object is no mapping)
    except SafetensorError as error:
        raise ValueError(
            f"{path} is not a whole safetensors file ({error}). It may be cut short or of another format"
        ) from error
    if text is None:
        raise ValueError(
            f"{path} is a safetensors file that stylewidgets did not write (no {KEY!r} entry in its metadata)"
        )
    try:
        about = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: its description is not JSON ({error}). The file is damaged") from error
    if not isinstance(about, dict) or not isinstance(about.get("format"), int):
        raise ValueError(f"{path}: its description has no format version. The file is damaged")  # noqa: TRY004
    if about["format"] > VERSION:
        raise ValueError(
            f"{path} has format {about['format']}; this version reads up to {VERSION}. Update stylewidgets"
        )
    return about, shapes


def _config(path: Path, about: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> Any:
    """The described config, confirmed by the shapes, so that a damaged description cannot ask for any size."""
    if not isinstance(about.get("family"), str) or about["family"] not in FAMILIES:
        raise ValueError(
            f"{path} holds a generator of family {about.get('family')!r}; {', '.join(FAMILIES)} can be read"
        )
    if (
        not all(isinstance(about.get(name), dict) for name in ("config", "metadata"))
        or about.get("dtype") not in DTYPES
    ):
        raise ValueError(f"{path}: its description lacks config, metadata or dtype. The file is damaged")
    try:
        return _confirmed(about["family"], about["config"], shapes)
    except (TypeError, OverflowError, ValueError, IndexError, ZeroDivisionError) as error:
        raise ValueError(f"{path}: {error}. The file is damaged") from error


def _confirmed(family: str, given: dict[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> Any:
    """The config of these shapes, with the settings that no shape can tell; ValueError where the others differ."""
    hints = {name: given[name] for name in FAMILIES[family].not_in_shapes if name in given}
    found = FAMILIES[family].infer_config(
        {name: torch.empty((), dtype=torch.float32, device="cpu").expand(shape) for name, shape in shapes.items()},
        hints,
    )
    known = found.to_dict()
    for name in given.keys() - known.keys():
        raise ValueError(f"its description has a setting {name!r} that no {FAMILIES[family].title} has")
    for name, value in known.items():
        if name in given and given[name] != value and (given[name] or value):
            raise ValueError(f"{name} is {given[name]} in its description and {value} by its tensors")
    return found


def _packed(name: str, value: Tensor, dtype: str) -> Tensor:
    value = value.detach().cpu().float()
    if not torch.isfinite(value).all():
        raise ValueError(f"{name} holds numbers that are not finite; the training diverged and is not worth keeping")
    if value.ndim > 1:
        value = value.to(DTYPES[dtype])
        if not torch.isfinite(value).all():
            raise ValueError(
                f"{name} has values above {torch.finfo(DTYPES[dtype]).max:.0f}, too large for {dtype}. "
                "Write with dtype='fp32'"
            )
    return value.clone(memory_format=torch.contiguous_format)


def _shape(shape: tuple[int, ...] | None) -> str:
    return "absent" if shape is None else str(list(shape))
