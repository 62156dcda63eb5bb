"""StyleGAN2 parameters of other code bases under our names, which are those of stylegan2-ada-pytorch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..errors import CheckpointError
from ..pickle.plain import positive
from . import tensorflow_variables as tf

if TYPE_CHECKING:
    from ...generators.stylegan2 import StyleGAN2Config

Rule = tuple[str, Callable[[re.Match[str], Tensor], tuple[str, Tensor] | None]]


def from_tf(
    variables: Mapping[str, Any], static: Mapping[str, Any] | None = None
) -> tuple[StyleGAN2Config, dict[str, Tensor]]:
    """The originals in TensorFlow: StyleGAN2, configurations B to F, and StyleGAN2-ADA.

    B to D keep the colours of every size as ToRGB_lod{k}, of which a finished network uses the first, as in architecture
    "orig". Labels are LabelConcat before ADA and LabelEmbed from there on.

    Args:
        variables: whole names ("synthesis/4x4/Conv/weight") to arrays.
        static: the network's ``static_kwargs``; sizes are not taken from it.

    Returns:
        The config and the parameters.

    Raises:
        CheckpointError: a variable is of no StyleGAN2, or a setting is one that cannot be drawn.
        ValueError: variables are missing.
    """
    from ...generators.stylegan2.generator import infer_config

    static = static or {}
    hints = tf.mapping_hints(static)
    if positive(static.get("conv_clamp")):
        hints["conv_clamp"] = float(static["conv_clamp"])
    kernel = static.get("resample_kernel")
    if isinstance(kernel, list | tuple) and kernel and all(isinstance(tap, int | float) for tap in kernel):
        hints["taps"] = tuple(float(tap) for tap in kernel)
    if any(name.startswith("synthesis/ToRGB_lod") for name in variables) and (lod := tf.level_of_detail(variables)) > 0:
        raise CheckpointError(
            f"its training was left while the network grew (level of detail {lod:g}). Give a later snapshot"
        )
    state = tf.renamed(variables, _from_tf)
    return infer_config(state, **hints), state


_TF_LAYERS = {"Conv": "conv1", "Conv0_up": "conv0", "Conv1": "conv1", "ToRGB": "torgb", "Skip": "skip"}
_TF_LAYER = re.compile(
    r"synthesis/(?:(?P<scope>\d+x\d+)/(?P<layer>Conv|Conv0_up|Conv1|ToRGB|Skip)|ToRGB_lod(?P<lod>\d+))/"
    r"(?P<part>.+)$"
)
_TF_PARTS = {
    "weight": "weight",
    "bias": "bias",
    "mod_weight": "affine.weight",
    "mod_bias": "affine.bias",
    "noise_strength": "noise_strength",
}


def _from_tf(name: str, value: Tensor, blocks: Mapping[str, int]) -> tuple[str, Tensor] | None:
    """A variable under our name; None for those that draw nothing."""
    if name == "dlatent_avg":
        return "mapping.w_avg", tf.mean_of_w(value)
    if name == "mapping/LabelConcat/weight":
        return "mapping.concat.weight", value
    if match := re.match(r"mapping/(?:Dense(\d+)|LabelEmbed)/(weight|bias)$", name):
        layer = f"fc{match[1]}" if match[1] else "embed"
        return f"mapping.{layer}.{match[2]}", value.t() if match[2] == "weight" else value
    if match := re.match(r"synthesis/noise(\d+)$", name):
        return f"{_conv(int(match[1]))}.noise_const", value.reshape(value.shape[-2:])
    if re.match(r"synthesis/\d+x\d+/Const/const$", name):
        return "synthesis.b4.const", value.reshape(value.shape[-3:])
    if (match := _TF_LAYER.match(name)) and match["part"] in _TF_PARTS:
        return _tf_layer(match, value, blocks)
    if name.startswith(("mapping/", "synthesis/")) and name != "synthesis/lod":
        raise CheckpointError(f"it has a variable {name[:80]}, which no StyleGAN2 has: its code was modified")
    return None


def _tf_layer(match: re.Match[str], value: Tensor, blocks: Mapping[str, int]) -> tuple[str, Tensor] | None:
    if match["lod"] and int(match["lod"]):
        return None  # colours of a smaller size, left behind when the network grew
    block = blocks[match["scope"]] if match["scope"] else len(blocks) - 1
    layer, part = _TF_LAYERS[match["layer"] or "ToRGB"], match["part"]
    if part == "weight":
        value = tf.convolution(value, flip=layer in ("conv0", "skip"))
    elif part == "mod_weight":
        value = value.t()
    elif part == "mod_bias":
        value = value + 1
    elif part == "noise_strength":
        value = value.reshape(())
    return f"synthesis.b{4 << block}.{layer}.{_TF_PARTS[part]}", value


def from_rosinality(
    state: Mapping[str, Tensor], what: str = "rosinality", left: list[str] | None = None
) -> dict[str, Tensor]:
    """rosinality/stylegan2-pytorch and its descendants; mmgeneration and mmagic have its mathematics under other names.

    Weights need no change: only the scale in front differs, and demodulation takes it out again.

    Args:
        what: the code base, for messages.
        left: gets the names that no rule knows.
    """
    return _apply(
        state,
        [
            (
                r"(?:style|style_mapping)\.(\d+)\.(?:linear\.)?(weight|bias)(?:_orig)?$",
                lambda m, x: (f"mapping.fc{int(m[1]) - 1}.{m[2]}", x),
            ),
            (r"(?:constant_)?input\.input$", lambda m, x: ("synthesis.b4.const", x[0])),
            (r"(?:noises\.|injected_)noise_(\d+)$", lambda m, x: (f"{_conv(int(m[1]))}.noise_const", x[0, 0])),
            (r"to_rgbs\.\d+\.upsample\.kernel$", lambda m, x: None),  # the filter of the convolutions
            (_LAYER, _rosinality_layer),
        ],
        what,
        left,
    )


_ROSINALITY_PARTS = {
    "conv.weight": "weight",
    "conv.weight_orig": "weight",
    "conv.modulation.weight": "affine.weight",
    "conv.modulation.bias": "affine.bias",
    "conv.style_modulation.linear.weight_orig": "affine.weight",
    "conv.style_modulation.linear.weight": "affine.weight",
    "conv.style_modulation.linear.bias": "affine.bias",
    "conv.style_modulation.bias": "affine.bias",
    "noise.weight": "noise_strength",
    "noise_injector.weight": "noise_strength",
    "activate.bias": "bias",
    "bias": "bias",
}


def _rosinality_layer(match: re.Match[str], value: Tensor) -> tuple[str, Tensor] | None:
    if re.fullmatch(r"conv\.(blur|upsample)\.kernel", match["part"]):
        return f"{_module(match)}.resample_filter", value / value.sum()
    name = _ROSINALITY_PARTS.get(match["part"])
    if name is None:
        raise _UnknownError
    if name == "weight":
        value = value[0] if value.ndim == 5 else value
    elif name in ("noise_strength", "bias"):
        value = value.reshape(() if name == "noise_strength" else -1)
    return f"{_module(match)}.{name}", value


def from_genforce(state: Mapping[str, Tensor], left: list[str] | None = None) -> dict[str, Tensor]:
    """genforce, SeFa, HiGAN: TensorFlow's orientation and biases, so up-convolutions are flipped and style biases get + 1.

    Args:
        left: gets the names that no rule knows.
    """

    def conv(match: re.Match[str], value: Tensor) -> tuple[str, Tensor] | None:
        index, part = int(match[1]), match[2]
        if part == "weight":
            value = value.flip(2, 3) if index % 2 else value  # odd layers are those that go up
        elif part == "style.bias":
            value = value + 1
        elif part == "noise_strength":
            value = value.reshape(())
        elif part == "noise":
            value = value.reshape(value.shape[-2:])
        elif part == "filter.kernel":
            return None
        elif part not in ("bias", "style.weight"):
            raise _UnknownError
        name = {"noise": "noise_const"}.get(part, part.replace("style.", "affine."))
        return f"{_conv(index)}.{name}", value

    def colour(match: re.Match[str], value: Tensor) -> tuple[str, Tensor] | None:
        part = match[2]
        value = value + 1 if part == "style.bias" else value
        if part == "weight" and value.ndim == 2:
            value = value[:, :, None, None]
        return f"synthesis.b{4 << int(match[1])}.torgb.{part.replace('style.', 'affine.')}", value

    return _apply(
        state,
        [
            (r"mapping\.dense(\d+)\.(weight|bias)$", lambda m, x: (f"mapping.fc{m[1]}.{m[2]}", x)),
            (r"mapping\.label_weight$", lambda m, x: ("mapping.concat.weight", x)),
            (r"synthesis\.(upsample\.kernel|lod)$", lambda m, x: None),
            (r"truncation\.w_avg$", lambda m, x: ("mapping.w_avg", x.reshape(-1))),
            (r"synthesis\.early_layer\.const$", lambda m, x: ("synthesis.b4.const", x[0])),
            (r"synthesis\.layer(\d+)\.(.+)$", conv),
            (r"synthesis\.output(\d+)\.(weight|bias|style\.weight|style\.bias)$", colour),
        ],
        "genforce",
        left,
    )


_LAYER = r"(?:(?P<first>conv1|to_rgb1)|(?P<list>convs|to_rgbs)\.(?P<index>\d+))\.(?P<part>.+)$"


def _module(match: re.Match[str]) -> str:
    """Our name of a layer of rosinality: conv1, to_rgb1, convs.0, convs.1, to_rgbs.0, ..."""
    if match["first"]:
        return "synthesis.b4." + ("conv1" if match["first"] == "conv1" else "torgb")
    index = int(match["index"])
    return _conv(index + 1) if match["list"] == "convs" else f"synthesis.b{8 << index}.torgb"


def _conv(index: int) -> str:
    """Our name of the convolution of that number, the one of 4 pixels being 0."""
    if not 0 <= index < 40:
        raise CheckpointError(f"there is no convolution {index} in a StyleGAN2")
    return f"synthesis.b{4 << ((index + 1) // 2)}.conv{0 if index % 2 else 1}"


class _UnknownError(Exception):
    """Raised by a rule whose name fits, but not the part behind it."""


def _apply(
    state: Mapping[str, Tensor], rules: list[Rule], what: str, left: list[str] | None = None
) -> dict[str, Tensor]:
    """Rename by the first rule that fits; what no rule knows is left out and put to `left`."""
    found: dict[str, Tensor] = {}
    unknown: list[str] = [] if left is None else left
    for name, value in state.items():
        for pattern, rule in rules:
            if (match := re.match(pattern, name)) is None:
                continue
            try:
                renamed = rule(match, value)
            except _UnknownError:
                unknown.append(name)
                break
            except (IndexError, RuntimeError, ValueError) as error:
                raise CheckpointError(f"{name} has shape {list(value.shape)}, which no {what} generator has") from error
            if renamed is not None:
                found[renamed[0]] = renamed[1]
            break
        else:
            unknown.append(name)
    return found
