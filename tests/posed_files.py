"""What a user of Pose with Style brings, written by the tests: checkpoints in the published layout, pictures, tables."""

from __future__ import annotations

import argparse
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from stylewidgets.generators.posed.atlas import Atlas

GOLDEN = Path(__file__).parent / "golden" / "data" / "pose_with_style_small.safetensors"


@lru_cache(maxsize=1)
def golden() -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The golden file: its config, and its tensors by name."""
    with safe_open(GOLDEN, "pt") as file:
        return json.loads(file.metadata()["config"]), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118


def published() -> dict[str, Any]:
    """The content of ``posewithstyle.pt``, small."""
    params = {key[6:]: value for key, value in golden()[1].items() if key.startswith("param.")}
    own = {k: v for k, v in params.items() if not k.startswith(("discriminator.", "ccm."))}
    judge = {k.removeprefix("discriminator."): v for k, v in params.items() if k.startswith("discriminator.")}
    worse = {k: v * 0.5 for k, v in own.items() if not k.endswith(".kernel")}
    return {
        "g": {**own, **worse},
        "d": judge,
        "g_ema": own,
        "g_optim": {"state": {}, "param_groups": [{"lr": 0.002}]},
        "d_optim": {"state": {}, "param_groups": [{"lr": 0.002}]},
        "args": argparse.Namespace(size=512, channel_multiplier=2),
    }


def completion() -> dict[str, Any]:
    """The content of ``CCM_epoch50.pt``, small."""
    return {"g": {k[10:]: v for k, v in golden()[1].items() if k.startswith("param.ccm.")}}


@lru_cache(maxsize=1)
def table() -> np.ndarray[Any, np.dtype[np.float32]]:
    """The look-up table of the golden file: six by four squares, a part in each."""
    i, v, u = np.meshgrid(np.arange(24), np.arange(256), np.arange(256), indexing="ij")
    places = [(i % 6 + 0.05 + 0.9 * u / 255) / 6, (i // 6 + 0.05 + 0.9 * v / 255) / 4]
    return np.stack(places, axis=-1).astype(np.float32)


def atlas(size: int = 64, **options: Any) -> Atlas:
    """That table with its parts."""
    return Atlas(table(), golden()[1]["input.uv_space_parts"].numpy(), size=size, **options)


def surface(side: int = 64, shift: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """An IUV picture [side, side, 3]: a torso, an arm on each side, and a head."""
    iuv = np.zeros((side, side, 3), np.uint8)
    unit = side // 16
    for part, top, left, height, width in (
        (2, 6, 5, 8, 6),
        (16, 6, 2, 6, 2),
        (15, 6, 12, 6, 2),
        (23, 2, 6, 3, 2),
        (24, 2, 8, 3, 2),
    ):
        rows = slice(top * unit, (top + height) * unit)
        columns = slice(left * unit + shift, (left + width) * unit + shift)
        iuv[rows, columns, 0] = part
        iuv[rows, columns, 1] = np.linspace(5, 250, width * unit).astype(np.uint8)[None]
        iuv[rows, columns, 2] = np.linspace(5, 250, height * unit).astype(np.uint8)[:, None]
    return iuv


def picture(side: int = 64, seed: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Smooth colours, [side, side, 3]."""
    coarse = np.random.default_rng(seed).integers(0, 255, (side // 8, side // 8, 3)).astype(np.uint8)
    return coarse.repeat(8, axis=0).repeat(8, axis=1)


def written(folder: Path, name: str, content: object) -> Path:
    """A file of torch.save."""
    torch.save(content, folder / name)
    return folder / name
