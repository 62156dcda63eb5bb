"""Pickles in the layouts of the official releases, written from plain tensors, with a harmless text as their source."""

from __future__ import annotations

import io
import pickle
import re
import sys
import types
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

SOURCE = "raise SystemExit('the source text of a checkpoint was executed')\n"
BUFFERS = (
    "resample_filter",
    "noise_const",
    "w_avg",
    "transform",
    "freqs",
    "phases",
    "magnitude_ema",
    "up_filter",
    "down_filter",
)
CLASSES = (  # the first that fits the end of a module's name
    (r"^$", "Generator"),
    (r"mapping$", "MappingNetwork"),
    (r"synthesis$", "SynthesisNetwork"),
    (r"\.input$", "SynthesisInput"),
    (r"\.b\d+$", "SynthesisBlock"),
    (r"\.conv[01]$", "SynthesisLayer"),
    (r"\.L\d+_\d+_\d+$", "SynthesisLayer"),
    (r"\.torgb$", "ToRGBLayer"),
    (r"\.skip$", "Conv2dLayer"),
    (r"", "FullyConnectedLayer"),
)


class EasyDict(dict):
    """Stands for dnnlib.util.EasyDict."""


class Network:
    """Stands for dnnlib.tflib.network.Network."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def __getstate__(self) -> dict[str, Any]:
        return self.state


def _reconstruct_persistent_obj(meta: dict[str, Any]) -> None:
    raise AssertionError("the test's stand-in was called")


class Saved:
    """An object that is pickled as torch_utils.persistence does."""

    def __init__(self, class_name: str, state: dict[str, Any], source: str = SOURCE) -> None:
        self.meta = {"type": "class", "version": 6, "module_src": source, "class_name": class_name, "state": state}

    def __reduce__(self) -> tuple[Any, ...]:
        return _reconstruct_persistent_obj, (self.meta,), None


@contextmanager
def foreign_modules(network_module: str = "dnnlib.tflib.network") -> Iterator[None]:
    """The modules that the writers of such files had, as far as pickle asks for them."""
    places: dict[str, Any] = {
        "dnnlib.util": EasyDict,
        network_module: Network,
        "torch_utils.persistence": _reconstruct_persistent_obj,
    }
    added, before = [], {}
    for name, item in places.items():
        before[item] = item.__module__
        parts = name.split(".")
        for i in range(1, len(parts) + 1):
            if ".".join(parts[:i]) not in sys.modules:
                added.append(".".join(parts[:i]))
                sys.modules[added[-1]] = types.ModuleType(added[-1])
        item.__module__ = name
        setattr(sys.modules[name], item.__name__, item)
    try:
        yield
    finally:
        for name in added:
            del sys.modules[name]
        for item, module in before.items():
            item.__module__ = module


def dumps(value: Any, protocol: int = 4, network_module: str = "dnnlib.tflib.network") -> bytes:
    """Pickle a value with the foreign names in it."""
    with foreign_modules(network_module):
        return pickle.dumps(value, protocol)


def dump(value: Any, file: io.BufferedWriter, protocol: int = 4) -> None:
    """Pickle a value to a file, without a second copy in memory."""
    with foreign_modules():
        pickle.dump(value, file, protocol)


def module(
    tensors: Mapping[str, Tensor],
    attributes: Mapping[str, Mapping[str, Any]] | None = None,
    classes: Mapping[str, str] | None = None,
    source: str = SOURCE,
    name: str = "",
) -> Saved:
    """A module with everything below it.

    Args:
        tensors: names to tensors, relative to `name`.
        attributes: module names to plain attributes.
        classes: module names to class names, where they differ from `CLASSES`.
        source: the text that stands for the source file.
        name: of this module.
    """
    own = {key: value for key, value in tensors.items() if "." not in key}
    children = OrderedDict.fromkeys(key.partition(".")[0] for key in tensors if "." in key)
    state: dict[str, Any] = {
        "training": False,
        "_parameters": OrderedDict(
            (key, torch.nn.Parameter(value) if value.is_floating_point() else value)
            for key, value in own.items()
            if key not in BUFFERS
        ),
        "_buffers": OrderedDict((key, value) for key, value in own.items() if key in BUFFERS),
        "_non_persistent_buffers_set": set(),
        "_backward_hooks": OrderedDict(),
        "_forward_hooks": OrderedDict(),
        "_forward_pre_hooks": OrderedDict(),
        "_state_dict_hooks": OrderedDict(),
        "_load_state_dict_pre_hooks": OrderedDict(),
        "_modules": OrderedDict(
            (
                child,
                module(
                    {key.partition(".")[2]: value for key, value in tensors.items() if key.startswith(child + ".")},
                    attributes,
                    classes,
                    source,
                    f"{name}.{child}" if name else child,
                ),
            )
            for child in children
        ),
        **dict((attributes or {}).get(name, {})),
        "_init_args": (),
        "_init_kwargs": EasyDict({"channel_base": 32768, "channel_max": 512} if not name else {}),
    }
    found = (classes or {}).get(name) or next(title for pattern, title in CLASSES if re.search(pattern, name))
    return Saved(found, state, source)


def stylegan2_attributes(
    tensors: Mapping[str, Tensor], conv_clamp: float | None, lr: float = 0.01
) -> dict[str, dict[str, Any]]:
    """The plain attributes that StyleGAN2 modules have and our reader may use."""
    made: dict[str, dict[str, Any]] = {"": {"z_dim": 512, "img_channels": np.int64(3)}}
    for key in tensors:
        name, _, part = key.rpartition(".")
        if re.search(r"\.conv[01]$", name):
            made[name] = {"conv_clamp": conv_clamp, "activation": "lrelu", "use_noise": True, "act_gain": np.sqrt(2)}
        elif re.match(r"mapping\.fc\d+$", name) and part == "weight":
            made[name] = {"activation": "lrelu", "weight_gain": lr / np.sqrt(tensors[key].shape[1]), "bias_gain": lr}
        elif name.endswith(".affine"):
            made[name] = {"activation": "linear", "bias_gain": 1}
    return made


def snapshot(generator: Any, **others: Any) -> dict[str, Any]:
    """What training writes: G, D, G_ema and how it was trained."""
    return {
        "G": None,
        "D": None,
        "G_ema": generator,
        "augment_pipe": None,
        "training_set_kwargs": EasyDict(
            class_name="training.dataset.ImageFolderDataset",
            path="/data/faces.zip",
            use_labels=False,
            max_size=70000,
            xflip=True,
            resolution=64,
        ),
        **others,
    }


# -- TensorFlow ------------------------------------------------------------------------------------------------------
def network(
    name: str,
    variables: Mapping[str, Any],
    static: Mapping[str, Any] | None = None,
    version: int = 4,
    function: str = "G_main",
) -> Network:
    """A network with its components mapping and synthesis; variable names are whole ("synthesis/4x4/Conv/weight")."""

    def one(title: str, own: list[tuple[str, Any]], parts: dict[str, Network]) -> Network:
        return Network(
            {
                "version": version,
                "name": title,
                "static_kwargs": EasyDict(static or {}),
                "components": EasyDict(parts),
                "build_module_src": SOURCE,
                "build_func_name": function,
                "variables": own,
            }
        )

    parts = {
        key: one(
            key,
            [(full.removeprefix(key + "/"), value) for full, value in variables.items() if full.startswith(key + "/")],
            {},
        )
        for key in ("synthesis", "mapping")
    }
    top = [(full, value) for full, value in variables.items() if full.partition("/")[0] not in parts]
    return one(name, top, {key: part for key, part in parts.items() if part.state["variables"]})


def stylegan2_variables(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Official PyTorch names of a StyleGAN2 → TensorFlow variables."""
    made: dict[str, Any] = {"lod": np.float32(0)}
    for key, tensor in tensors.items():
        value = tensor.numpy()
        if key == "mapping.w_avg":
            made["dlatent_avg"] = value
        elif found := re.match(r"mapping\.(fc(\d+)|embed)\.(\w+)$", key):
            scope = f"Dense{found[2]}" if found[2] else "LabelEmbed"
            made[f"mapping/{scope}/{found[3]}"] = value.T if found[3] == "weight" else value
        elif key == "synthesis.b4.const":
            made["synthesis/4x4/Const/const"] = value[None]
        elif (found := re.match(r"synthesis\.b(\d+)\.(\w+)\.(.+)$", key)) and found[3] != "resample_filter":
            made.update([_stylegan2_variable(int(found[1]), found[2], found[3], value)])
    return made


def _stylegan2_variable(r: int, layer: str, part: str, value: np.ndarray[Any, Any]) -> tuple[str, np.ndarray[Any, Any]]:
    scope = {"conv0": "Conv0_up", "conv1": "Conv" if r == 4 else "Conv1", "torgb": "ToRGB", "skip": "Skip"}[layer]
    if part == "noise_const":
        return f"synthesis/noise{2 * r.bit_length() - (7 if layer == 'conv0' else 6)}", value[None, None]
    if part == "weight":
        value = value.transpose(2, 3, 1, 0)
        value = value[::-1, ::-1] if layer in ("conv0", "skip") else value
    part = {"affine.weight": "mod_weight", "affine.bias": "mod_bias"}.get(part, part)
    value = value.T if part == "mod_weight" else value - 1 if part == "mod_bias" else value
    return f"synthesis/{r}x{r}/{scope}/{part}", np.array(value, order="C")


def stylegan1_variables(tensors: Mapping[str, Tensor], names: Mapping[str, str | None]) -> dict[str, Any]:
    """genforce names of a StyleGAN1, with the table of variable names of its golden file → TensorFlow variables."""
    made: dict[str, Any] = {}
    for key, tensor in tensors.items():
        variable = names.get(key)
        if variable is None:
            continue
        value = tensor.numpy()
        if value.ndim == 4 and key.endswith("weight"):
            value = value.transpose(2, 3, 1, 0)
        elif value.ndim == 2:
            value = value.T
        prefix = "" if key.startswith("truncation.") else key.partition(".")[0] + "/"
        made[prefix + variable] = np.ascontiguousarray(value) if value.ndim else np.float32(value)
    return {"lod": np.float32(0), **made}
