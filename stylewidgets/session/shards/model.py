"""The generator of a shard: named by its file and the digest of it, opened once in each process."""

from __future__ import annotations

import functools
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ... import weights
from ...checkpoints.zoo.download import sha256_of
from ...jobs.plans.shards import WHERE, Shard
from ...ops.devices import choose_device
from ..load import load
from ..session import GeneratorSession


def stamp(source: str | os.PathLike[str] | None = None, device: str | None = None) -> dict[str, Any]:
    """What all shards of a plan say of their generator: {"weights", "torch", "device", "where": {"model"}}.

    Args:
        source: as `load` takes it; None for the best bundled one.
        device: of the workers: "cpu", "cuda", …, which this process need not have; None for a GPU where there is one here.

    Raises:
        FileNotFoundError, ValueError: as `load`.
    """
    path = weights.find(source)
    # A bundled one by its name, which is the same on every machine; others by their path.
    known = {str(file): name for name, file in weights.catalogue().items()}
    return {
        "weights": sha256_of(path),
        "torch": torch.__version__,
        "device": choose_device(None).type if device is None else torch.device(device).type,
        WHERE: {"model": known.get(str(path), str(path.resolve()))},
    }


def opened(shard: Shard) -> GeneratorSession:
    """The session of a shard, float32, opened once in a process.

    Raises:
        ValueError: the weights or torch are others here than the plan says.
    """
    session, found = _opened(str(shard[WHERE]["model"]), str(shard["device"]))
    for key, value in found.items():
        if shard.get(key) != value:
            raise ValueError(
                f"{key} here: {value!r}; the plan: {shard.get(key)!r}. Results of both in one plan would not be the same: "
                "install the same everywhere, or make a plan of its own in another folder"
            )
    return session


def machine(device: str = "cpu") -> str:
    """The type of this machine: results of two of them may differ in their last bits."""
    if torch.device(device).type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"


@functools.lru_cache(maxsize=1)
def _opened(model: str, device: str) -> tuple[GeneratorSession, Mapping[str, str]]:
    path: Path = weights.find(model)
    session = load(model, device=device, precision="fp32")
    return session, {"weights": sha256_of(path), "torch": torch.__version__}
