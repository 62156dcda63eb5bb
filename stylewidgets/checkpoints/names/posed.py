"""Published Pose with Style (AlBahar et al. 2021): generator, discriminator and coordinate completion, under our names."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from ..errors import CheckpointError

EVIDENCE = ("pose_encoder.convs.0.0.weight", "conv1.conv.gamma.0.weight")
COMPLETION = "generator.model.0.mask_conv2d.weight"
"""A name that files of coordinate completion have."""

NO_W = (
    "it has no w: seed, truncation and directions in w change nothing; what counts is source, pose, noise, and edits of its "
    "channels, which are its styles"
)
_DOWN = {
    "conv1.0.weight": "conv0.weight",
    "conv1.1.bias": "conv0.bias",
    "conv2.1.weight": "conv1.weight",
    "conv2.2.bias": "conv1.bias",
    "skip.1.weight": "skip.weight",
}
_LAYER = {
    "conv.weight": "weight",
    "bias": "bias",
    "activate.bias": "bias",
    "noise.weight": "noise_strength",
    **{
        f"conv.{net}.{i}.{part}": f"{net}.{name}.{part}"
        for net in ("gamma", "beta")
        for i, name in ((0, "first"), (2, "second"))
        for part in ("weight", "bias")
    },
}


def from_published(state: Mapping[str, Tensor], left: list[str] | None = None) -> dict[str, Tensor]:
    """The generator, with styles of ones whatever w is.

    Args:
        left: gets the names that no rule knows.

    Raises:
        CheckpointError: the variant of 1024 pixels, whose pyramid is another one; or filters that are not [1, 3, 3, 1].
    """
    scales = 1 + sum(f"appearance_encoder.conv{k}.conv1.0.weight" in state for k in range(2, 10))
    if f"appearance_encoder.conv{scales}3.weight" in state and scales > 1:
        raise CheckpointError(
            "it is the variant for 1024 pixels, whose pyramid is another one; 256 and 512 can be drawn"
        )
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        if name.endswith(".kernel"):
            _check_filter(name, value)
        elif ours := _renamed(name, scales):
            found[ours] = _shaped(ours, value)
        elif left is not None and not name.startswith(
            "style."
        ):  # a mapping network that the program makes and never runs
            left.append(name)
    return {**found, **_without_w(found)}


def discriminator_from_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parameters of a `stylegan2.Discriminator` of six channels: colours, and I, U, V."""
    plain = {
        "convs.0.0.weight": "fromrgb.weight",
        "convs.0.1.bias": "fromrgb.bias",
        "final_conv.0.weight": "conv.weight",
        "final_conv.1.bias": "conv.bias",
        **{
            f"final_linear.{i}.{part}": f"{ours}.{part}"
            for i, ours in ((0, "fc"), (1, "out"))
            for part in ("weight", "bias")
        },
    }
    found = {}
    for name, value in state.items():
        if name in plain:
            found[plain[name]] = value
        elif (match := re.match(r"convs\.(\d+)\.(.+)$", name)) and match[2] in _DOWN:
            found[f"blocks.{int(match[1]) - 1}.{_DOWN[match[2]]}"] = value
    return found


def completion_from_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parameters of a `CoordinateCompletion`: those of the file without its prefix, and without the counters of BatchNorm."""
    prefix = COMPLETION.partition("model")[0]
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _renamed(name: str, scales: int) -> str | None:
    if match := re.match(r"pose_encoder\.convs\.(\d+)\.(.+)$", name):
        return _descent("pose", int(match[1]), match[2])
    if match := re.match(r"appearance_encoder\.conv(\d)\.(.+)$", name):
        return _descent("source", int(match[1]) - 1, match[2])
    if match := re.match(r"appearance_encoder\.conv(\d)([13])\.(weight|bias)$", name):
        scale = scales - int(match[1])
        return f"synthesis.source.{f'laterals.{scale}' if match[2] == '1' else f'outputs.{scale - 1}'}.{match[3]}"
    if match := re.match(r"(conv1|to_rgb1|convs\.(\d+)|to_rgbs\.(\d+))\.(.+)$", name):
        if match[4] not in _LAYER:
            return None
        if match[2]:
            layer = f"s{int(match[2]) // 2 + 1}.{'conv' if int(match[2]) % 2 else 'up'}"
        else:
            layer = f"s{int(match[3]) + 1}.torgb" if match[3] else "s0.conv" if match[1] == "conv1" else "s0.torgb"
        return f"synthesis.{layer}.{_LAYER[match[4]]}"
    return None


def _descent(encoder: str, k: int, part: str) -> str | None:
    if k == 0:
        return {"0.weight": f"synthesis.{encoder}.start.weight", "1.bias": f"synthesis.{encoder}.start.bias"}.get(part)
    return f"synthesis.{encoder}.blocks.{k - 1}.{_DOWN[part]}" if part in _DOWN else None


def _shaped(name: str, value: Tensor) -> Tensor:
    if name.endswith(".noise_strength"):
        return value.reshape(()) if value.numel() == 1 else value
    if value.ndim == 5 or (name.endswith(".bias") and value.ndim == 4):
        return value[0] if value.ndim == 5 else value.flatten()
    return value


def _without_w(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What our layers have besides: a mapping network, and styles that are 1 whatever it makes."""
    made = {
        "mapping.fc0.weight": torch.full((1, 1), 100.0, dtype=torch.float32, device="cpu"),
        "mapping.fc0.bias": torch.zeros(1, dtype=torch.float32, device="cpu"),
        "mapping.w_avg": torch.zeros(1, dtype=torch.float32, device="cpu"),
    }
    for name, value in found.items():
        if (match := re.match(r"(synthesis\.s\d+\.\w+)\.weight$", name)) and value.ndim == 4:
            count = value.shape[1]
            made[f"{match[1]}.affine.weight"] = torch.zeros(count, 1, dtype=torch.float32, device="cpu")
            made[f"{match[1]}.affine.bias"] = torch.ones(count, dtype=torch.float32, device="cpu")
    return made


def _check_filter(name: str, kernel: Tensor) -> None:
    line = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=torch.float32, device="cpu")
    wanted = torch.outer(line, line) / 64
    given = kernel.float().cpu()
    if given.shape != wanted.shape or not torch.allclose(given / given.sum(), wanted, atol=1e-5):
        raise CheckpointError(f"{name} is another filter than [1, 3, 3, 1], which cannot be drawn")
