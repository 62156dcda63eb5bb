"""From the names in a published file to those of our network, and the sizes told by shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from ...checkpoints.errors import CheckpointError
from .network import HEAD, ClipConfig

State = dict[str, Tensor]
_LARGEST = {"layers": 64, "width": 8192, "side": 1024, "context": 4096, "vocabulary": 1 << 20}
_SCALARS = ("input_resolution", "context_length", "vocab_size")  # beside the weights in OpenAI's files
_RENAMED = (
    ("text_model.embeddings.token_embedding.weight", "token_embedding.weight"),
    ("text_model.embeddings.position_embedding.weight", "positional_embedding"),
    ("text_model.final_layer_norm.", "ln_final."),
    ("text_model.encoder.layers.", "transformer.resblocks."),
    ("vision_model.embeddings.class_embedding", "visual.class_embedding"),
    ("vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight"),
    ("vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"),
    ("vision_model.pre_layrnorm.", "visual.ln_pre."),  # sic
    ("vision_model.post_layernorm.", "visual.ln_post."),
    ("vision_model.encoder.layers.", "visual.transformer.resblocks."),
    (".layer_norm1.", ".ln_1."),
    (".layer_norm2.", ".ln_2."),
    (".mlp.fc1.", ".mlp.c_fc."),
    (".mlp.fc2.", ".mlp.c_proj."),
    (".self_attn.out_proj.", ".attn.out_proj."),
)
"""Hugging Face's names and OpenAI's."""


def from_openai(tree: object) -> State:
    """The weights in an archive of OpenAI's, as `torch_file.read` gives it: modules in modules, or one dictionary."""
    state = dict(_flat(tree, ""))
    if "visual.conv1.weight" not in state and "visual.layer1.0.conv1.weight" in state:
        raise CheckpointError("a CLIP with a ResNet; only those with a vision transformer (ViT) are read")
    return {name: value for name, value in state.items() if name not in _SCALARS}


def _flat(tree: object, at: str, depth: int = 0) -> list[tuple[str, Tensor]]:
    if isinstance(tree, Tensor):
        return [(at, tree)]
    if not isinstance(tree, Mapping) or depth > 12:
        return []
    found = [_flat(value, f"{at}.{key}" if at else str(key), depth + 1) for key, value in tree.items()]
    return [pair for part in found for pair in part]


def from_huggingface(given: Mapping[str, Tensor]) -> State:
    """The weights of a `CLIPModel` under OpenAI's names: q, k and v joined, projections turned."""
    state: State = {}
    for name, value in given.items():
        if name.endswith("position_ids"):
            continue
        for theirs, ours in _RENAMED:
            name = name.replace(theirs, ours)
        state[name] = value
    for whole, ours in (("visual_projection.weight", "visual.proj"), ("text_projection.weight", "text_projection")):
        if whole in state:
            state[ours] = state.pop(whole).T
    for name in [name for name in state if ".self_attn.q_proj." in name]:
        parts = [name.replace("q_proj", f"{letter}_proj") for letter in "qkv"]
        if any(part not in state for part in parts):
            raise CheckpointError(f"{name} has no k and v beside it")
        state[name.replace("self_attn.q_proj.", "attn.in_proj_")] = torch.cat([state.pop(part) for part in parts])
    return state


def config_of(state: Mapping[str, Tensor], quick: bool = True) -> ClipConfig:
    """The sizes of a network, from its weights. CheckpointError where they make none."""
    for name, dims in (
        ("visual.conv1.weight", 4), ("visual.positional_embedding", 2), ("text_projection", 2), ("positional_embedding", 2),
        ("token_embedding.weight", 2),
    ):  # fmt: skip
        if name not in state or state[name].ndim != dims:
            raise CheckpointError(f"no CLIP with a vision transformer: {name} is not in it, or has another shape")
    vision_width, _, patch, _ = state["visual.conv1.weight"].shape
    grid = round((len(state["visual.positional_embedding"]) - 1) ** 0.5)
    text_width, dim = state["text_projection"].shape
    config = ClipConfig(
        dim=dim,
        side=grid * patch,
        patch=patch,
        vision_width=vision_width,
        vision_layers=_layers(state, "visual.transformer.resblocks."),
        text_width=text_width,
        text_layers=_layers(state, "transformer.resblocks."),
        context=len(state["positional_embedding"]),
        vocabulary=len(state["token_embedding.weight"]),
        quick=quick,
    )
    sizes = {
        "layers": (config.vision_layers, config.text_layers),
        "width": (config.vision_width, config.text_width, config.dim),
        "side": (config.side,),
        "context": (config.context,),
        "vocabulary": (config.vocabulary,),
    }
    for what, values in sizes.items():
        if not all(0 < value <= _LARGEST[what] for value in values):
            raise CheckpointError(f"its {what} ({', '.join(map(str, values))}) is that of no CLIP")
    if config.vision_width % HEAD or config.text_width % HEAD:
        raise CheckpointError(
            f"widths of {config.vision_width} and {config.text_width} do not split in heads of {HEAD}"
        )
    return config


def _layers(state: Mapping[str, Tensor], start: str) -> int:
    pattern = re.compile(re.escape(start) + r"(\d{1,3})\.")
    return 1 + max((int(found[1]) for name in state if (found := pattern.match(name))), default=-1)
