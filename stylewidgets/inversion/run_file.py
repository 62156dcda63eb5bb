"""A run as one .safetensors file: tensors as such, everything else as JSON. Nothing in a file is ever executed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core import files
from ..latent.latent import Latent
from ..session.session import GeneratorSession
from .run import Run
from .starting import start
from .target import Target

KEY = "stylewidgets-inversion-run"
VERSION = 1
_TENSOR = "$tensor"


def save_run(run: Run, path: str | os.PathLike[str]) -> Path:
    """Write a run with its targets, to go on later with `resume`, on another machine too.

    Args:
        run: between two steps.
        path: written whole or not at all.
    """
    with run.session.lock:
        state = run.state()
    target = run.target
    whole = {
        "version": VERSION,
        "generator": run.session.name,
        "state": state,
        "target": {
            "images": target.images,
            "names": list(target.names),
            "factors": target.factors,
            "mask": target.mask,
            "latents": [None if one is None else one.to_dict() for one in target.latents],
        },
    }
    tensors: dict[str, Tensor] = {}
    about = _packed(whole, tensors, "")
    return files.write_arrays(path, tensors, about, KEY)


@torch.inference_mode(False)
def resume(path: str | os.PathLike[str], session: GeneratorSession, run: Run | None = None) -> Run:
    """The run that `save_run` wrote, at the step where it was.

    Args:
        path: of the file.
        session: of the same generator.
        run: one just made like the saved one, for methods that `start` cannot make from target and settings alone.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not such a file, it is damaged, or it is of another generator.
    """
    with files.reading(path, "inversion under way", "Accepted are files written by save_run") as found:
        whole = _unpacked(*files.read_arrays(found, KEY, "pt"))
        if whole["version"] > VERSION:
            raise ValueError("it was written by a newer stylewidgets; update this one")
        state, given = whole["state"], whole["target"]
        target = Target(
            given["images"],
            tuple(given["names"]),
            tuple(None if one is None else Latent.from_dict(one) for one in given["latents"]),
            given["factors"],
            given["mask"],
        )
        method, settings = state["method"], dict(state["settings"])
    if whole["generator"] != session.name:
        raise ValueError(
            f"{os.fspath(path)!r} is of the generator {whole['generator']!r}; this session has {session.name!r}"
        )
    if run is None:
        try:
            run = start(method, session, target, **settings)
        except ValueError as error:
            raise ValueError(
                f"{os.fspath(path)!r} cannot be made anew from settings: {error}. If a function of its own made it, "
                "such as image2stylegan_pp.crossover, make one like it and give it as `run`"
            ) from error
    try:
        run.restore(state)
    except (KeyError, TypeError, IndexError, RuntimeError) as error:
        raise ValueError(f"{os.fspath(path)!r} is damaged: {error}") from error
    return run


def _packed(value: object, tensors: dict[str, Tensor], name: str) -> object:
    if isinstance(value, Tensor):
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {_TENSOR: name}
    if isinstance(value, dict):
        return {str(key): _packed(v, tensors, f"{name}.{key}".lstrip(".")) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_packed(v, tensors, f"{name}.{k}".lstrip(".")) for k, v in enumerate(value)]
    return value


def _unpacked(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, dict):
        if set(value) == {_TENSOR}:
            return tensors[value[_TENSOR]]
        return {key: _unpacked(v, tensors) for key, v in value.items()}
    if isinstance(value, list):
        return [_unpacked(v, tensors) for v in value]
    return value
