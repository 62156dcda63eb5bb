"""Files of flows: our own as safetensors, and the public code's state dicts. Nothing in either is executed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...core import files
from .attributes import Attribute, Attributes
from .core import FlowCore
from .network import ConditionalFlow
from .published import ORDER, from_published, is_published
from .reader import CodeReader
from .rows import of_paper

KIND = "conditional-flow"
FORMAT = 1
ACCEPTED = (
    "Accepted are .safetensors files of `stylewidgets train flow`, and what StyleFlow's code saved (modellarge10k.pt)"
)
_KEY = "stylewidgets"
_EXACT = ("network.whitening.", "shares")
"""Parts that are kept with all digits: a whitening of 16 bits would not be undone by its inverse to 1e-4."""

_RANGES = {"yaw": (-45.0, 50.0), "pitch": (-30.0, 30.0), "age": (0.0, 70.0)}
"""Of the published attributes, which are in degrees and years where they are no chances."""


def rounded(core: FlowCore) -> FlowCore:
    """The same with parameters as a file of 16 bits has them, so that saving changes no picture."""
    with torch.no_grad():
        for name, value in core.state_dict().items():
            if not name.startswith(_EXACT) and value.is_floating_point():
                value.copy_(value.half())
    return core


def write(path: str | os.PathLike[str], core: FlowCore, about: Mapping[str, Any]) -> Path:
    """Write a flow with what is known about it."""
    files.check_suffix(path, (".safetensors",), "flow's file")
    tensors = {
        name: value if name.startswith(_EXACT) or not value.is_floating_point() else value.half()
        for name, value in core.state_dict().items()
    }
    header = {
        **about,
        "kind": KIND,
        "format": FORMAT,
        "hidden": list(core.network.hidden),
        "steps": core.network.steps,
        "attributes": core.attributes.describe(),
    }
    return files.write_arrays(path, tensors, header, _KEY)


def header(path: Path) -> dict[str, Any]:
    """What a file of ours says of itself; {} for any other file."""
    from safetensors import safe_open

    try:
        with safe_open(str(path), framework="numpy") as file:
            about = files.parsed((file.metadata() or {}).get(_KEY, "{}"))
    except files.DAMAGED:
        return {}
    return about if isinstance(about, dict) and about.get("kind") == KIND else {}


def read(path: str | os.PathLike[str]) -> tuple[FlowCore, dict[str, Any]]:
    """A flow and what its file says of it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: damaged, or of another kind.
    """
    with files.reading(path, "flow", ACCEPTED) as found:
        with found.open("rb") as file:
            beginning = file.read(2)
        if beginning in (b"PK", b"\x80\x02"):
            return _published(found)
        about, tensors = files.read_arrays(found, _KEY, "pt")
        if about.get("kind") != KIND:
            raise ValueError(f"it is of the kind {about.get('kind')!r}")
        if about.get("format", 0) > FORMAT:
            raise ValueError(f"it has format {about['format']}, and this release knows {FORMAT}: upgrade stylewidgets")
        return _built(tensors, about), about


def _built(tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> FlowCore:
    attributes = Attributes.build(about["attributes"])
    count, width = len(attributes), tensors["network.whitening.mean"].shape[0]
    hidden = [int(size) for size in about["hidden"]]
    if sum(hidden) > 1 << 16:
        raise ValueError("its layers are wider than those of any flow")
    network = ConditionalFlow(width, hidden, count, int(about["steps"]))
    inner = tensors.get("reader.inner.1.weight")
    reader = None if inner is None else CodeReader(width, count, inner.shape[0])
    shares, moments = tensors.get("shares"), tensors["moments"]
    core = FlowCore(network, attributes, reader, shares, moments)
    ours = core.state_dict()
    for name in {*ours, *tensors}:
        if name not in ours or name not in tensors or ours[name].shape != tensors[name].shape:
            raise ValueError(f"its {name!r} is missing, unknown or of another shape")
        if not bool(torch.isfinite(tensors[name].float()).all()):
            raise ValueError(f"its {name!r} is not finite")
    core.load_state_dict({name: value.float() for name, value in tensors.items()})
    return core


def _published(path: Path) -> tuple[FlowCore, dict[str, Any]]:
    """A state dict of the public code. Its units are those of the services that labelled its pictures."""
    from ...checkpoints.formats.torch_file import read as read_torch

    tree = read_torch(path)
    if not isinstance(tree, dict) or not is_published(tree):
        raise ValueError("it holds no flow: there is no 'chain.1.sqrt_end_time' in it")
    network = from_published({name: value.clone() for name, value in tree.items()})
    names = ORDER if network.context == len(ORDER) else tuple(f"attribute {i}" for i in range(network.context))
    entries = [
        Attribute(
            name,
            low=_RANGES.get(name, (-2.0, 2.0) if name.startswith("light") else (-1.0, 2.0))[0],
            high=_RANGES.get(name, (-2.0, 2.0) if name.startswith("light") else (-1.0, 2.0))[1],
            unit={"yaw": "degrees", "pitch": "degrees", "age": "years"}.get(name, ""),
            group="light" if name.startswith("light") else "",
        )
        for name in names
    ]
    about = {
        "name": path.stem,
        "w": "",
        "licence": "CC BY-NC-SA 4.0 (StyleFlow weights)",
        "source": "StyleFlow, Abdal et al., ACM TOG 2021",
    }
    shares = of_paper(names) if names is ORDER else None
    return FlowCore(network, Attributes(entries), None, shares), about
