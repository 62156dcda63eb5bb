"""Flows as the public code of StyleFlow saves them: names of its state dict → our network, checked, nothing executed."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from .network import ConditionalFlow

ORDER = (
    *(f"light {i}" for i in range(9)),
    "gender",
    "glasses",
    "yaw",
    "pitch",
    "baldness",
    "beard",
    "age",
    "expression",
)
"""The 17 attributes of the published flows: nine numbers of spherical harmonics for the light, then eight of the face."""

_LAYER = re.compile(r"chain\.1\.odefunc\.diffeq\.layers\.(\d+)\.(_layer|_hyper_gate|_hyper_bias)\.(weight|bias)")
_NORM = re.compile(r"chain\.([02])\.(weight|bias|running_mean|running_var)")
_UNUSED = re.compile(r"chain\.[02]\.step|chain\.1\.odefunc\._num_evals")
_PARTS = {"_layer": "layer", "_hyper_gate": "gate", "_hyper_bias": "shift"}
_NORMS = {"0": "first", "2": "last"}


def is_published(names: Mapping[str, object]) -> bool:
    """Whether a state dict has the names of a published flow."""
    return "chain.1.sqrt_end_time" in names


def from_published(params: Mapping[str, Tensor], steps: int = 8) -> ConditionalFlow:
    """The network of a published state dict, in evaluation mode. Whitening changes nothing, attributes are taken as they are.

    Raises:
        ValueError: a name or a shape that such a file does not have.
    """
    renamed: dict[str, Tensor] = {}
    for name, value in params.items():
        if layer := _LAYER.fullmatch(name):
            renamed[f"velocity.layers.{layer[1]}.{_PARTS[layer[2]]}.{layer[3]}"] = value.float()
        elif norm := _NORM.fullmatch(name):
            renamed[f"{_NORMS[norm[1]]}.{norm[2]}"] = value.float()
        elif name == "chain.1.sqrt_end_time":
            renamed["sqrt_end_time"] = value.float().reshape(())
        elif not _UNUSED.fullmatch(name):
            raise ValueError(f"a published flow has no parameter {name!r}")
    inner = [
        renamed[f"velocity.layers.{i}.layer.weight"]
        for i in range(len(renamed))
        if f"velocity.layers.{i}.layer.weight" in renamed
    ]
    if not inner or "velocity.layers.0.gate.weight" not in renamed:
        raise ValueError("it lacks the layers of a published flow (chain.1.odefunc.diffeq.layers.0 …)")
    network = ConditionalFlow(
        inner[0].shape[1], [len(w) for w in inner[:-1]], renamed["velocity.layers.0.gate.weight"].shape[1] - 1, steps
    )
    ours = network.state_dict()
    missing = [name for name in ours if not name.startswith("whitening.") and name not in renamed]
    if missing:
        raise ValueError(f"it lacks {missing[0]!r}")
    for name, value in renamed.items():
        if name not in ours or ours[name].shape != value.shape:
            wanted = list(ours[name].shape) if name in ours else "nothing"
            raise ValueError(f"{name} has shape {list(value.shape)}; {wanted} was expected")
    network.load_state_dict({**ours, **renamed})
    return network.eval()
