"""Files of public CLIP networks. Nothing in them is executed: of the programs in OpenAI's archives only the numbers are read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from ...checkpoints.errors import CheckpointError, reading
from ...checkpoints.formats import torch_file
from ...core import files
from ...directions import fingerprint
from ...ops.devices import from_file
from ..encoder import TextEncoder
from . import layouts, vocabulary
from .network import Clip

LICENCE = "MIT (OpenAI, CLIP); its model card excludes deployed use without a study of the task"
_ACCEPTED = "Accepted are OpenAI's ViT archives (.pt) and safetensors files of Hugging Face's CLIPModel"
_CONFIG_BYTES = 1 << 20


def read(path: str | Path, name: str, words: str | os.PathLike[str] | None = None) -> TextEncoder:
    """The encoder in a file.

    Args:
        path: an archive of OpenAI's, or a safetensors file of Hugging Face's layout.
        name: what it is called.
        words: the user's own list of merges, see `vocabulary`.

    Raises:
        FileNotFoundError: no such file, or no such list.
        CheckpointError: damaged, hostile, or something else.
    """
    net = read_net(path)
    found = vocabulary.find(words, files.as_path(path))
    if found is not None:
        net.tokenizer = vocabulary.read(found)
        if net.tokenizer.size != net.config.vocabulary:
            raise CheckpointError(
                f"{path}: it knows {net.config.vocabulary:,} tokens, and {found} makes {net.tokenizer.size:,}; give its own "
                "list: text.load(..., vocabulary=…)"
            )
    return TextEncoder(net, name, fingerprint(net), LICENCE)


@from_file()
def read_net(path: str | Path) -> Clip:
    """The network in a file, in float32 and frozen, without a tokenizer. Errors as `read`."""
    place = files.find(path, "CLIP network", _ACCEPTED)
    with reading(place):
        if place.suffix.lower() == ".safetensors":
            state, quick = layouts.from_huggingface(_safetensors(place)), _is_quick(place)
        else:
            state, quick = layouts.from_openai(torch_file.read(place)), True
        net = Clip(layouts.config_of(state, quick))
        _fill(net, state)
    return net.eval().requires_grad_(False)


def _safetensors(place: Path) -> layouts.State:
    try:
        with safe_open(str(place), framework="pt") as file:
            names = list(file.keys())
            if "text_model.final_layer_norm.weight" not in names:
                what = "OpenCLIP's own layout" if "visual.conv1.weight" in names else "something else"
                raise CheckpointError(f"it holds {what}. {_ACCEPTED}")
            return {name: file.get_tensor(name) for name in names}
    except SafetensorError as error:
        raise CheckpointError(f"it is damaged ({error}). {_ACCEPTED}") from error


def _is_quick(place: Path) -> bool:
    """Which activation the config.json beside the file says; OpenAI's without one."""
    beside = place.with_name("config.json")
    if not beside.is_file() or beside.stat().st_size > _CONFIG_BYTES:
        return True
    try:
        said = json.loads(beside.read_text(encoding="utf-8"))
        acts = {said.get(part, {}).get("hidden_act", "quick_gelu") for part in ("text_config", "vision_config")}
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise CheckpointError(f"the config.json beside it cannot be read ({error})") from error
    if len(acts) != 1 or not acts <= {"quick_gelu", "gelu"}:
        raise CheckpointError(f"its activation is {', '.join(map(str, acts))[:40]}; quick_gelu and gelu are known")
    return acts == {"quick_gelu"}


def _fill(net: Clip, state: layouts.State) -> None:
    """Every parameter once, in its shape, and finite."""
    wanted = net.state_dict()
    missing, extra = sorted(set(wanted) - set(state)), sorted(set(state) - set(wanted))
    if missing or extra:
        what = f"{missing[0]} is missing" if missing else f"{extra[0][:80]} belongs to no CLIP"
        raise CheckpointError(f"{what} ({len(missing)} missing, {len(extra)} too many). {_ACCEPTED}")
    for name, value in wanted.items():
        given = state[name]
        if given.shape != value.shape or not given.is_floating_point():
            raise CheckpointError(f"{name} is {list(given.shape)}, and {list(value.shape)} is needed")
        if not torch.isfinite(given).all():
            raise CheckpointError(f"{name} holds numbers that are not finite; the file is damaged")
    net.load_state_dict({name: state[name].float() for name in wanted})
