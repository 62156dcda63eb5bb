"""StyleGAN1 parameters of other code bases under our names.

Each function returns (parameters, settings no shape tells), that of the original (config, parameters).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..errors import CheckpointError
from . import tensorflow_variables as tf

if TYPE_CHECKING:
    from ...generators.stylegan1 import StyleGAN1Config

LRMUL = 0.01  # of the official mapping network: a part of its scale, so weights without such a factor are divided by it
PARTS = {
    "weight": "weight",
    "bias": "bias",
    "style.weight": "affine.weight",
    "style.bias": "affine.bias",
    "apply_noise.weight": "noise_strength",
    "apply_noise.noise": "noise_const",
    "const": "const",
}
OUTPUT = re.compile(r"synthesis\.output(\d+)\.(weight|bias)$")
TF_PARTS = {
    "weight": "weight",
    "bias": "bias",
    "const": "const",
    "Noise/weight": "apply_noise.weight",
    "StyleMod/weight": "style.weight",
    "StyleMod/bias": "style.bias",
}
Converted = tuple[dict[str, Tensor], dict[str, Any]]


def from_tf(
    variables: Mapping[str, Any], static: Mapping[str, Any] | None = None
) -> tuple[StyleGAN1Config, dict[str, Tensor]]:
    """The original, in TensorFlow.

    Args:
        variables: whole names ("synthesis/4x4/Conv/weight") to arrays.
        static: the network's ``static_kwargs``.

    Returns:
        The config and the parameters.

    Raises:
        CheckpointError: a variable is of no StyleGAN, or a setting is one that cannot be drawn.
        ValueError: variables are missing.
    """
    from ...generators.stylegan1.generator import infer_config

    static = static or {}
    hints: dict[str, Any] = {**tf.mapping_hints(static), "lod": tf.level_of_detail(variables)}
    fused = static.get("fused_scale", "auto")
    if fused not in ("auto", True, False):
        raise CheckpointError(f"it was built with fused_scale={fused!r:.40}; True, False or 'auto' can be drawn")
    hints["fused_from"] = 128 if fused == "auto" else 1 if fused else None
    lod = torch.tensor(hints["lod"], dtype=torch.float32, device="cpu")
    state = _ours({"synthesis.lod": lod, **tf.renamed(variables, _from_tf)})
    return infer_config(state, **hints), state


def _from_tf(name: str, value: Tensor, blocks: Mapping[str, int]) -> tuple[str, Tensor] | None:
    """A variable under genforce's name; None for those that draw nothing."""
    if name == "dlatent_avg":
        return "truncation.w_avg", tf.mean_of_w(value)
    if name == "mapping/LabelConcat/weight":
        return "mapping.concat.weight", value
    if match := re.match(r"mapping/Dense(\d+)/(weight|bias)$", name):
        return f"mapping.dense{match[1]}.{match[2]}", value.t() if match[2] == "weight" else value
    if match := re.match(r"synthesis/noise(\d+)$", name):
        return f"synthesis.layer{match[1]}.apply_noise.noise", value
    if match := re.match(r"synthesis/ToRGB_lod(\d+)/(weight|bias)$", name):
        value = tf.convolution(value) if match[2] == "weight" else value
        return f"synthesis.output{len(blocks) - 1 - int(match[1])}.{match[2]}", value
    if (match := re.match(r"synthesis/(\d+x\d+)/(Const|Conv|Conv0_up|Conv1)/(.+)$", name)) and match[3] in TF_PARTS:
        index = 2 * blocks[match[1]] + (1 if match[2] in ("Conv", "Conv1") else 0)
        if match[3] == "weight":
            value = tf.convolution(value)
        elif match[3] == "StyleMod/weight":
            value = value.t()
        return f"synthesis.layer{index}.{TF_PARTS[match[3]]}", value
    if name.startswith(("mapping/", "synthesis/")) and name != "synthesis/lod":
        raise CheckpointError(f"it has a variable {name[:80]}, which no StyleGAN has: its code was modified")
    return None


def from_genforce(state: Mapping[str, Tensor], left: list[str] | None = None) -> Converted:
    """genforce, InterFaceGAN, HiGAN: the official mathematics, layers counted from 0.

    Args:
        left: gets the names that no rule knows.
    """
    lod = state.get("synthesis.lod")
    return _ours(state, left), {"lod": float(lod) if lod is not None and lod.numel() == 1 else 0.0}


def from_huangzh13(state: Mapping[str, Tensor], left: list[str] | None = None) -> Converted:
    """huangzh13/StyleGAN.pytorch: the official mathematics, but for the number in the instance normalisation.

    Noise is random there, so none is stored. Up-convolutions are blurred where the file has kernels to do it with.
    """
    epilogue = {
        "top_epi.noise.weight": "apply_noise.weight",
        "style_mod.lin.weight": "style.weight",
        "style_mod.lin.bias": "style.bias",
    }
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        if match := re.match(r"g_mapping\.map\.dense(\d+)\.(weight|bias)$", name):
            found[f"mapping.dense{match[1]}.{match[2]}"] = value
        elif match := re.match(r"g_synthesis\.to_rgb\.(\d+)\.(weight|bias)$", name):
            found[f"synthesis.output{match[1]}.{match[2]}"] = value
        elif name == "truncation.avg_latent":
            found["truncation.w_avg"] = value
        elif name == "class_embedding.weight":
            found["mapping.concat.weight"] = value
        elif match := re.match(r"g_synthesis\.(?:(init_block)|blocks\.(\d+))\.(.+)$", name):
            first = 0 if match[1] else 2 * int(match[2]) + 2
            part, _, rest = match[3].partition(".")
            if part in ("const", "bias"):
                found[f"synthesis.layer0.{part}"] = value
            elif part in ("conv", "conv1", "conv0_up") and rest in ("weight", "bias"):
                found[f"synthesis.layer{first if part == 'conv0_up' else first + 1}.{rest}"] = value
            elif part in ("epi1", "epi2") and rest in epilogue:
                found[f"synthesis.layer{first + int(part[-1]) - 1}.{epilogue[rest]}"] = value
            elif not name.endswith(".kernel"):
                _note(left, name)
        elif not name.endswith(".kernel"):
            _note(left, name)
    return _ours(_trained(found)), {"norm_eps": 1e-5, "blur": any(name.endswith(".kernel") for name in state)}


def from_rosinality(state: Mapping[str, Tensor], left: list[str] | None = None) -> Converted:
    """rosinality/style-based-gan-pytorch, whose other scales are folded into the weights.

    Every layer there is scaled by √(2 / fan in), and the mapping network has no learning rate factor; styles store the
    + 1; the transposed convolution is the mean of four shifted kernels, ours their sum; the bias comes before the blur.
    """
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        if match := re.match(r"style\.(\d+)\.linear\.(weight_orig|bias)$", name):
            found[f"mapping.dense{(int(match[1]) - 1) // 2}.{_plain(match[2])}"] = value / LRMUL
        elif match := re.match(r"generator\.to_rgb\.(\d+)\.conv\.(weight_orig|bias)$", name):
            found[f"synthesis.output{match[1]}.{_plain(match[2])}"] = (
                value * math.sqrt(2) if match[2] != "bias" else value
            )
        elif match := re.match(r"generator\.progression\.(\d+)\.(conv|noise|adain)([12])\.(.+)$", name):
            layer = f"synthesis.layer{2 * int(match[1]) + int(match[3]) - 1}"
            parts = _rosinality_part(match[2], match[4], value)
            found.update((f"{layer}.{part}", x) for part, x in parts.items())
            if not parts and not match[4].endswith(("weight_flip", "kernel", "grad_kernel")):
                _note(left, name)
        elif not name.endswith(("weight_flip", "kernel", "grad_kernel")):
            _note(left, name)
    fused = [
        4 << int(m[1]) for name in state if (m := re.match(r"generator\.progression\.(\d+)\.conv1\.0\.weight$", name))
    ]
    return _ours(_trained(found)), {"norm_eps": 1e-5, "bias_first": True, "fused_from": min(fused, default=None)}


def _rosinality_part(kind: str, part: str, value: Tensor) -> dict[str, Tensor]:
    if kind == "noise":
        return {"apply_noise.weight": value.reshape(-1) * math.sqrt(2 / value.numel())} if "weight" in part else {}
    if kind == "adain" and part == "style.linear.weight_orig":
        return {"style.weight": value * math.sqrt(2)}
    if kind == "adain" and part == "style.linear.bias":
        ones = torch.zeros_like(value)
        ones[: len(value) // 2] = 1
        return {"style.bias": value - ones}
    if kind == "conv" and part == "input":  # the constant has no bias of its own there
        return {"const": value, "bias": value.new_zeros(value.shape[1])}
    if kind == "conv" and part == "0.weight":  # the transposed convolution
        return {"weight": value.transpose(0, 1) / 4}
    if kind == "conv" and part in ("0.bias", "1.conv.weight_orig", "1.conv.bias", "conv.weight_orig", "conv.bias"):
        return {_plain(part.rpartition(".")[2]): value}
    return {}


def _trained(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without the largest blocks where their training has not begun: no size is in such files, and there biases and noise
    strengths are exactly zero."""
    used = {
        int(m[1]) // 2
        for name, value in state.items()
        if (m := re.match(r"synthesis\.layer(\d+)\.(bias|apply_noise\.weight)$", name)) and value.count_nonzero()
    }
    last = max(used, default=max((int(m[1]) for name in state if (m := OUTPUT.match(name))), default=0))
    return {name: value for name, value in state.items() if not (m := OUTPUT.match(name)) or int(m[1]) <= last}


def _note(left: list[str] | None, name: str) -> None:
    if left is not None:
        left.append(name)


def _ours(state: Mapping[str, Tensor], left: list[str] | None = None) -> dict[str, Tensor]:
    """Names of genforce → ours, without the blocks and colours that a level of detail leaves out."""
    lod = float(state["synthesis.lod"]) if "synthesis.lod" in state and state["synthesis.lod"].numel() == 1 else 0.0
    if not 0 <= lod < 16:
        raise CheckpointError(f"its level of detail is {lod:g}; 0 to 16 are possible")
    last = max((int(m[1]) for name in state if (m := OUTPUT.match(name))), default=0) - int(lod)
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        if match := re.match(r"mapping\.dense(\d+)\.(weight|bias)$", name):
            found[f"mapping.fc{match[1]}.{match[2]}"] = value
        elif name == "truncation.w_avg":
            found["mapping.w_avg"] = value.reshape(-1, value.shape[-1]).mean(dim=0) if value.ndim else value
        elif name in ("mapping.concat.weight", "mapping.label_weight"):
            found["mapping.concat.weight"] = value
        elif match := OUTPUT.match(name):
            if last - (1 if lod % 1 else 0) <= int(match[1]) <= last:
                weight = value[:, :, None, None] if match[2] == "weight" and value.ndim == 2 else value
                found[f"synthesis.b{4 << int(match[1])}.torgb.{match[2]}"] = weight
        elif (match := re.match(r"synthesis\.layer(\d+)\.(.+)$", name)) and match[2] in PARTS:
            if int(match[1]) // 2 <= last:
                found.update(_layer(int(match[1]), PARTS[match[2]], value))
        elif name != "synthesis.lod" and not name.endswith(".blur.kernel"):
            _note(left, name)
    return found


def _layer(index: int, part: str, value: Tensor) -> dict[str, Tensor]:
    block = f"synthesis.b{4 << (index // 2)}"
    if part == "const":
        return {f"{block}.const": value[0] if value.ndim == 4 else value}
    if part == "noise_const":
        value = value[0, 0] if value.ndim == 4 else value
    elif part == "noise_strength":
        value = value.reshape(-1)
    return {f"{block}.conv{index % 2}.{part}": value}


def _plain(part: str) -> str:
    return "weight" if part == "weight_orig" else part
