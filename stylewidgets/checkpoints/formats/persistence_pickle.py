"""Pickles of the official PyTorch releases: StyleGAN2-ADA-PyTorch, StyleGAN3, StyleGAN-XL and what descends from them.

They hold modules as (class name, source text, attributes). The original loader executes that text; here it is hashed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import layouts
from ..errors import CheckpointError, reading
from ..loaded import Loaded
from ..names import eg3d, stylenerf
from ..names import stylegan3 as names_stylegan3
from ..pickle.fingerprints import described, release
from ..pickle.module_tree import Tree, flatten, is_module
from ..pickle.plain import plain, positive
from ..pickle.tensors import check_size, to_tensors
from ..pickle.unpickler import unpickle

if TYPE_CHECKING:
    from ...generators.stylegan3.config import StyleGAN3Config

FORMAT = "persistence pickle"
SNAPSHOT = "Give the network snapshot of a training run"
KEYS = ("G_ema", "G", "generator")  # averaged weights make better pictures than those of the last step
TOLD = ("training_set_kwargs", "progress", "cur_nimg", "augment_p")
ACTIVATIONS = ("lrelu",)
STYLED = re.compile(r"(\.conv[01]|mapping\.fc\d+)$")  # the layers that have an activation


def read(path: str | Path) -> Loaded:
    """The generator of a file: its averaged weights where there are some. Tensors are mapped from the file.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: damaged, hostile, without a generator, or of a kind that cannot be drawn.
    """
    with reading(path), open(path, "rb") as file:
        return from_value(unpickle(file))


def from_value(value: object) -> Loaded:
    """As `read`, from the content: a dictionary with G_ema or G, or a module on its own.

    Raises:
        CheckpointError: as `read`.
    """
    where, root = _generator(value)
    tree = flatten(root)
    _refuse_other_kinds(tree)
    found = layouts.find({where: to_tensors(tree.tensors)} if where else to_tensors(tree.tensors))
    if tree.foreign:
        raise CheckpointError(
            "its generator has parts of unknown classes with parameters "
            f"({', '.join(sorted(tree.foreign)[:5])}). It is of a modified kind that cannot be drawn"
        )
    state, notes = dict(found.state), list[str]()
    if found.layout.family == "stylegan3":
        state, notes = names_stylegan3.from_public(state)
    prefix = _prefix(tree, found.where.removeprefix(where).lstrip("."))
    family = found.layout.family
    if family == "triplane":
        _check_activation(tree)
        state, hints = eg3d.from_eg3d(state)
        hints |= eg3d.scene_of(tree, found.where.removeprefix(where).lstrip("."), notes)
    else:
        hints = _hints(family, tree, prefix)
    config = layouts.config_of(family, state, hints, f"it has the names of a {family}")
    check_size(config)
    if family == "stylegan3":
        _check_geometry(config, tree, prefix, found.state)
    return Loaded(family, config, state, _metadata(value, where, tree, found.layout.licence, notes))


def _generator(value: object) -> tuple[str, Any]:
    """(key, module) of the generator to use."""
    if is_module(value):
        return "", value
    if isinstance(value, Mapping):
        for key in KEYS:
            if is_module(value.get(key)):
                return key, value[key]
        keys = ", ".join(str(key)[:30] for key in list(value)[:6])
        raise CheckpointError(f"it has neither G_ema nor G, but {keys or 'nothing'}. {SNAPSHOT}")
    if isinstance(value, (list, tuple)) and len(value) <= 8:
        modules = [item for item in value if is_module(item)]
        if modules:
            return "", modules[-1]  # averaged weights come last, as in the TensorFlow files
    raise CheckpointError(f"its content is a {type(value).__name__}, not a saved network. {SNAPSHOT}")


def _refuse_other_kinds(tree: Tree) -> None:
    if any(name.startswith(("main.layer_", "synthesis.main.layer_")) for name in tree.tensors):
        raise CheckpointError(
            "this needs a FastGAN generator, as Projected GAN trains them; it has no style space to explore"
        )


def _prefix(tree: Tree, found: str) -> str:
    """Where the generator's modules are below the root, "" or such as "module."."""
    return found if any(name.startswith(found + "synthesis") for name in tree.modules) else ""


# -- settings that no shape tells ------------------------------------------------------------------------------------
def _hints(family: str, tree: Tree, prefix: str) -> dict[str, Any]:
    """Settings from the attributes of the modules; what is missing or odd is left to the family's default."""
    hints: dict[str, Any] = {}
    rate = tree.attribute(f"{prefix}mapping.fc0", "bias_gain", "lr_multiplier")
    if positive(rate):
        hints["mapping_lr"] = float(rate)
    found, clamp = _conv_clamp(tree, prefix)
    if found:
        hints["conv_clamp"] = clamp
    _check_activation(tree)
    if family == "stylegan3":
        hints.update(_stylegan3_hints(tree, prefix))
    if family == "stylenerf":
        hints.update(stylenerf.scene_of(plain(tree.modules[""].attributes.get("_init_kwargs"))))
    return hints


def _stylegan3_hints(tree: Tree, prefix: str) -> dict[str, Any]:
    hints: dict[str, Any] = {}
    synthesis = f"{prefix}synthesis"
    for name, module, attribute in (
        ("output_scale", synthesis, "output_scale"),
        ("bandwidth", f"{synthesis}.input", "bandwidth"),
        ("margin", synthesis, "margin_size"),
        ("num_fp16_res", synthesis, "num_fp16_res"),
    ):
        value = tree.attribute(module, attribute)
        whole = name in ("margin", "num_fp16_res")
        if positive(value) or (value == 0 and whole):
            hints[name] = int(value) if whole else float(value)
    for name in tree.modules:
        up, taps = tree.attribute(name, "up_factor"), tree.attribute(name, "up_taps")
        if isinstance(up, int) and isinstance(taps, int) and up > 1 and taps >= up and taps % up == 0:
            hints["filter_size"] = taps // up
            break
    return hints


def _conv_clamp(tree: Tree, prefix: str) -> tuple[bool, float | None]:
    """(whether the file tells it, the clamp)."""
    for name, module in tree.modules.items():
        if name.startswith(f"{prefix}synthesis") and "conv_clamp" in module.attributes:
            value = module.attributes["conv_clamp"]
            if value is None or positive(value):
                return True, None if value is None else float(value)
    return False, None


def _check_activation(tree: Tree) -> None:
    for name, module in tree.modules.items():
        value = module.attributes.get("activation")
        if STYLED.search(name) and isinstance(value, str) and value not in ACTIVATIONS:
            raise CheckpointError(
                f"its layers use the activation {value[:40]!r}; {', '.join(ACTIVATIONS)} can be drawn"
            )


def _check_geometry(config: StyleGAN3Config, tree: Tree, prefix: str, names: Iterable[str]) -> None:
    """The paddings of a StyleGAN3's layers are those that our layers have, or its pictures would be wrong."""
    found = {int(match[1]): match[0] for name in names if (match := names_stylegan3.LAYER_NAME.match(name))}
    for i, index in enumerate(sorted(found)):
        given = tree.attribute(f"{prefix}{found[index]}", "padding")
        ours = [*config.side_padding(i), *config.padding(i)]
        if isinstance(given, list) and given != ours:
            raise CheckpointError(
                f"layer {found[index]} pads by {given!r:.60}; a StyleGAN3 of these sizes pads by {ours}"
            )


# -- what the file tells about itself --------------------------------------------------------------------------------
def _metadata(value: object, where: str, tree: Tree, licence: str, notes: list[str]) -> dict[str, Any]:
    sources = described(tree.hashes)
    releases = [found for source in sources if (found := release(str(source["sha256"])))]
    known = bool(sources) and len(releases) == len(sources)
    if not known and sources:
        notes.append(
            "the source text in the file is of no known release: the training code may have been modified, "
            "and pictures may differ"
        )
    root = tree.modules[""]
    metadata: dict[str, Any] = {
        "format": FORMAT,
        "class": root.class_name,
        "classes": sorted(tree.classes)[:50],
        "sources": sources,
        "source_known": known,
        "licence": releases[0].licence if releases else licence,
        "notes": notes,
    }
    if where:
        metadata["inside"] = where
    if where == "G":
        notes.append("the file has no averaged weights (G_ema); those of the last training step are used")
    told = {key: plain(value[key]) for key in TOLD if isinstance(value, Mapping) and key in value}
    arguments = plain(root.attributes.get("_init_kwargs"))
    return {
        **metadata,
        **{key: item for key, item in told.items() if item},
        **({"init_kwargs": arguments} if arguments else {}),
    }
