"""Files of rigs, as safetensors: networks in half the digits, all else exactly. Nothing in one is executed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...core import files
from ..flow.attributes import Attributes
from .core import RigCore, Whitening
from .network import ParameterReader, RigNet

KIND = "rig"
FORMAT = 1
ACCEPTED = "Accepted are .safetensors files of `stylewidgets train rig` and of Rig.save"
_KEY = "stylewidgets"
_HALF = ("net.", "reader.")


def rounded(core: RigCore) -> RigCore:
    """The same with networks as a file has them, so that saving changes no picture."""
    with torch.no_grad():
        for name, value in core.state_dict().items():
            if name.startswith(_HALF):
                value.copy_(value.half())
    return core


def write(path: str | os.PathLike[str], core: RigCore, about: Mapping[str, Any]) -> Path:
    """Write a rig with what is known about it."""
    files.check_suffix(path, (".safetensors",), "rig's file")
    tensors = {n: value.half() if n.startswith(_HALF) else value for n, value in core.state_dict().items()}
    sizes = {"encoder": list(core.net.encoder.sizes), "decoder": list(core.net.decoder.sizes), "rows": core.net.rows}
    header = {**about, "kind": KIND, "format": FORMAT, "sizes": sizes, "attributes": core.attributes.describe()}
    return files.write_arrays(path, tensors, header, _KEY)


def header(path: Path) -> dict[str, Any]:
    """What a rig's file says of itself; {} for any other file."""
    from safetensors import safe_open

    try:
        with safe_open(str(path), framework="numpy") as file:
            about = files.parsed((file.metadata() or {}).get(_KEY, "{}"))
    except files.DAMAGED:
        return {}
    return about if isinstance(about, dict) and about.get("kind") == KIND else {}


def read(path: str | os.PathLike[str]) -> tuple[RigCore, dict[str, Any]]:
    """A rig and what its file says of it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: damaged, or of another kind.
    """
    with files.reading(path, "rig", ACCEPTED) as found:
        about, tensors = files.read_arrays(found, _KEY, "pt")
        if about.get("kind") != KIND:
            raise ValueError(f"it is of the kind {about.get('kind')!r}")
        if about.get("format", 0) > FORMAT:
            raise ValueError(f"it has format {about['format']}, and this release knows {FORMAT}: upgrade stylewidgets")
        return _built(tensors, about), about


def _built(tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> RigCore:
    attributes = Attributes.build(about["attributes"])
    sizes = about["sizes"]
    encoder, decoder, rows = [int(n) for n in sizes["encoder"]], [int(n) for n in sizes["decoder"]], int(sizes["rows"])
    width, count, latent = decoder[-1], len(attributes.shown), encoder[-1]
    if max(*encoder, *decoder, rows) > 1 << 14 or min(*encoder, *decoder, rows) < 1:
        raise ValueError("its layers are no sizes of a rig's")
    net = RigNet(
        rows,
        width,
        count,
        latent=latent,
        groups=encoder[0] - width,
        encoder_hidden=encoder[1:-1],
        decoder_hidden=decoder[1:-1],
    )
    reader = ParameterReader(1, width, len(attributes), tensors["reader.layers.0.weight"].shape[0])
    core = RigCore(net, reader, attributes, Whitening(width), torch.zeros_like(tensors["shares"]))
    ours = core.state_dict()
    for name in {*ours, *tensors}:
        if name not in ours or name not in tensors or ours[name].shape != tensors[name].shape:
            raise ValueError(f"its {name!r} is missing, unknown or of another shape")
        if not bool(torch.isfinite(tensors[name].float()).all()):
            raise ValueError(f"its {name!r} is not finite")
    core.load_state_dict({name: value.float() for name, value in tensors.items()})
    return core
