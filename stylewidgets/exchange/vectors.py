"""Directions of other tools."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from ..checkpoints.errors import CheckpointError, reading
from ..core import files
from ..core.checks import unknown_name
from ..directions.direction_set import DirectionSet
from ..directions.tensor import from_tensor
from ..latent.latent import Direction
from ..session.session import GeneratorSession
from ..stylespace.channel import Channel
from .content import Array, array, content, owner, styles, tensors, wanted
from .convolutions import are_convolutions, unchanged_torgb

SUFFIXES = (".npy", ".npz", ".pt", ".pth", ".pkl", ".pickle", ".safetensors", ".txt")
CHANNEL = re.compile(r"\d+\s*[_,:]\s*\d+$")
MOST = 1_000
FS3 = (
    "fs3 of StyleCLIP is no direction but a table from sentences to channels: give its folder to "
    "stylewidgets.editing.words.published.read_table, or to the explorer's tool for words"
)


class Raw(NamedTuple):
    """A direction as a file has it.

    Attributes:
        name: from the file's name, or from a key in it.
        value: the array.
        space: "z", "w" or "s" where something tells it.
        layers: rows of w+ that it is for.
        explained: share of the variance.
        source: tool that wrote it.
    """

    name: str
    value: Array
    space: str | None = None
    layers: tuple[int, int] | None = None
    explained: float | None = None
    source: str = ""


def read_directions(
    path: str | os.PathLike[str], session: GeneratorSession, *, space: str | None = None, samples: int = 2_000
) -> DirectionSet:
    """Directions from a file, or from all files of a folder.

    Read are: files of `DirectionSet.save`; boundaries of InterFaceGAN (.npy, in z, or in w where the name says so);
    components and exported edits of GANSpace; ``factor.pt`` of rosinality's SeFa; ``ffhq_pca.pt``, .pt and .npy of e4e and the
    StyleGAN2 collections, [512] or [18, 512]; dictionaries and lists of such; one array a style layer or convolution; and
    single style channels as "12_479". They are scaled so that one unit of strength is one σ of this generator along them.

    Args:
        path: of a file or folder; or channels themselves.
        session: what shall draw them.
        space: "z", "w" or "s" where a file is to be taken so.
        samples: random codes that σ is measured on.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: damaged, without a direction, or of another size; the text says which generator it would fit.
    """
    if isinstance(path, str) and CHANNEL.match(path.strip()) and not files.as_path(path).exists():
        return DirectionSet.of(session, [_channel(path, session, samples)])
    place = files.as_path(path) if not files.is_address(path) else files.find(path, "direction")
    if space not in (None, "z", "w", "s"):
        raise unknown_name("space of a direction", space, ("z", "w", "s"))
    found = _Named()
    if place.is_dir():
        for file in sorted(place.iterdir()):
            if file.name == "fs3.npy":
                raise ValueError(f"{place}: {FS3}")
            if file.suffix.lower() in SUFFIXES:
                _read(file, session, space, samples, found)
        if not found.items:
            raise ValueError(f"the folder {place} has no file of directions ({', '.join(SUFFIXES)})")
    else:
        _read(place, session, space, samples, found)
    return DirectionSet.of(session, found.items.values())


class _Named:
    """Directions by names that differ."""

    def __init__(self) -> None:
        self.items: dict[str, Direction] = {}

    def add(self, one: Direction) -> None:
        if len(self.items) == MOST:
            raise CheckpointError(f"there are more than {MOST:,} directions; give a part of them")
        name, i = one.name, 2
        while name in self.items:
            name, i = f"{one.name} ({i})", i + 1
        self.items[name] = one if name == one.name else replace(one, name=name)


def _read(path: Path, session: GeneratorSession, space: str | None, samples: int, found: _Named) -> None:
    file = files.find(path, "direction")
    if (own := _own(file, session)) is not None:
        for one in own.values():
            found.add(one)
        return
    file, tree = content(file, "direction")
    with reading(file):
        if isinstance(tree, str):
            words = [word for word in re.split(r"[\s;]+", tree) if word]
            if not words or not all(CHANNEL.match(word) for word in words):
                raise CheckpointError(
                    "it is text, but no list of style channels such as 12_479, with spaces or semicolons between"
                )
            for word in words:
                found.add(_channel(word, session, samples))
            return
        before = len(found.items)
        for raw in _raws(tree, session, *_named(file.stem)):
            found.add(_direction(raw, session, space, samples, file.name))
        if len(found.items) == before:
            raise CheckpointError(f"there is no direction in it; {wanted(session)}")


def _direction(raw: Raw, session: GeneratorSession, space: str | None, samples: int, file: str) -> Direction:
    """One σ of this generator along what a file has."""
    space = space or raw.space
    value = raw.value
    while value.ndim > 1 and value.shape[0] == 1:
        value = value[0]
    source = f"{raw.source + ', ' if raw.source else ''}{file}"
    if raw.layers is not None and not 0 <= raw.layers[0] < raw.layers[1] <= session.num_ws:
        raise CheckpointError(
            f"{raw.name} is for the rows {raw.layers[0]} to {raw.layers[1] - 1} of w+; this generator has {session.num_ws}"
        )
    if (space == "z" or (space is None and session.z_dim != session.w_dim)) and value.shape == (session.z_dim,):
        length = float(np.linalg.norm(value))
        if not length:
            raise CheckpointError(f"{raw.name} is all zeros; it would change nothing")
        unit = value / length  # along which z, normal everywhere, has a standard deviation of 1
        return Direction(raw.name, unit, 1.0, "z", source=source, explained=raw.explained)
    total = sum(layer.channels for layer in session.layers)
    fits: dict[str, list[tuple[int, ...]]] = {
        "w": [(session.w_dim,), (session.num_ws, session.w_dim)],
        "s": [(total,)],
        "z": [(session.z_dim,)],
    }
    if value.shape not in (fits[space] if space else [*fits["w"], *fits["s"]]):
        fit = owner(raw.value.shape)
        raise CheckpointError(
            f"{raw.name} has shape {list(raw.value.shape)}, which is no direction here: "
            f"{wanted(session)}{'. ' + fit if fit else ''}"
        )
    made = from_tensor(session, value, raw.name, layers=raw.layers, source=source, samples=samples)
    return replace(made, explained=raw.explained)


# -- what is in a file ----------------------------------------------------------------------------------------------------
def _raws(
    tree: object, session: GeneratorSession, name: str, space: str | None, layers: tuple[int, int] | None
) -> Iterator[Raw]:
    if isinstance(tree, Tensor):
        value = array(tree, name)
        if name.startswith("fs3") and value.ndim == 2:
            raise CheckpointError(FS3)
        for label, one in _rows(value, session, name):
            yield Raw(label, one, space, layers)
        return
    if isinstance(tree, list | tuple):
        parts = styles(tree)
        sizes = [layer.channels for layer in session.layers]
        if parts is not None and [part.numel() for part in parts] == sizes:
            yield Raw(name, np.concatenate([array(part, name).ravel() for part in parts]), "s", layers)
            return
        if parts is not None and are_convolutions(parts, session):
            yield Raw(name, unchanged_torgb(parts, session, name), "s", layers)
            return
        for i, one in enumerate(tree):
            yield from _raws(one, session, f"{name} {i + 1}", space, layers)
        return
    if isinstance(tree, Mapping):
        yield from _of_mapping(tree, session, name, space, layers)


def _of_mapping(
    tree: Mapping[object, object],
    session: GeneratorSession,
    name: str,
    space: str | None,
    layers: tuple[int, int] | None,
) -> Iterator[Raw]:
    entries = tensors(tree)
    if "lat_comp" in entries:
        yield from _ganspace(tree, name, space, layers)
    elif {"comp", "mean", "std"} <= entries.keys():  # ffhq_pca.pt of e4e
        rows = array(entries["comp"], "comp")
        for i, row in enumerate(rows.reshape(-1, rows.shape[-1])):
            yield Raw(f"component {i + 1}", row, "w", layers, source="GANSpace in e4e")
    elif "eigvec" in entries:  # a matrix whose columns are the directions
        matrix = array(entries["eigvec"], "eigvec")
        for i, row in enumerate(matrix.T if matrix.ndim == 2 else ()):
            yield Raw(f"factor {i + 1}", row, "w", layers, source="SeFa")
    else:
        for key, value in entries.items():
            label, own_space, own_layers = _named(key)
            yield from _raws(value, session, label, own_space or space, own_layers or layers)


def _ganspace(
    tree: Mapping[object, object], name: str, space: str | None, layers: tuple[int, int] | None
) -> Iterator[Raw]:
    """Components with their shares of the variance, or one edit that was exported with its layers."""
    components = array(tree["lat_comp"], "lat_comp")
    told = str(tree.get("latent_space", "")).lower()
    space = (
        told
        if told in ("z", "w")
        else "w"
        if re.search(r"_w(_|$)", name)
        else space or ("z" if "_ipca_" in name else "w")
    )
    if "edit_start" in tree or "component_index" in tree:
        start, end = tree.get("edit_start"), tree.get("edit_end")
        if isinstance(start, int) and isinstance(end, int) and 0 <= start < end:
            layers = (start, end)
        yield Raw(str(tree.get("name") or name), components, space, layers if space == "w" else None, source="GANSpace")
        return
    shares = tree.get("var_ratio")
    known = array(shares, "var_ratio").ravel() if isinstance(shares, Tensor) else np.zeros(0, np.float32)
    for i, row in enumerate(components.reshape(-1, components.shape[-1])):
        share = float(known[i]) if i < len(known) else None
        yield Raw(f"component {i + 1}", row, space, layers if space == "w" else None, share, "GANSpace")


def _rows(value: Array, session: GeneratorSession, name: str) -> Iterator[tuple[str, Array]]:
    """(name, direction) of an array: itself, or its rows where it is several of them."""
    inner = value
    while inner.ndim > 1 and inner.shape[0] == 1:
        inner = inner[0]
    single = inner.ndim < 2 or inner.shape == (session.num_ws, session.w_dim)
    many = inner.ndim == 3 or (
        inner.ndim == 2 and inner.shape[1] in (session.w_dim, session.z_dim) and not 2 <= inner.shape[0] <= 18
    )
    if single or not many:
        yield name, inner
        return
    for i, row in enumerate(inner):
        yield f"{name} {i + 1}", row


def _named(stem: str) -> tuple[str, str | None, tuple[int, int] | None]:
    """(name, space, layers) that a file's name, or a key, tells.

    InterFaceGAN: ``stylegan_ffhq_smile_w_boundary`` is "smile" in w, without "w" in z. Collections: ``smile_layers_4-7``, both
    counted in.
    """
    layers = None
    if match := re.search(r"[_ .-]*(?:layers?|rows?|L)[_ .]?(\d+)(?:[-_](\d+))?$", stem):
        layers = (int(match[1]), int(match[2] or match[1]) + 1)
        stem = stem[: match.start()] or stem
    if match := re.fullmatch(r"(?:(?:pggan|stylegan2?)_[a-z]+\d*_)?(.+?)(_w)?_boundary", stem):
        return match[1].replace("_", " "), "w" if match[2] else "z", layers
    if match := re.fullmatch(r"(.+)_([zw])", stem):
        return match[1] if "_ipca_" not in stem else stem, match[2], layers
    return re.sub(r"_(direction|vector)$", "", stem) or stem, None, layers


def _channel(text: str, session: GeneratorSession, samples: int) -> Direction:
    """One σ of a style channel."""
    from ..directions._sampling import sample_styles

    channel = Channel.parse(text.replace(":", "_"), session.layers)
    place = channel.flat(session.layers)
    sigma = float(sample_styles(session, samples)[:, place].std()) or 1.0
    total = sum(layer.channels for layer in session.layers)
    source = f"style channel {channel.name(session.layers)}"
    return Direction.of_channels(channel.paper, {place: 1.0}, total, sigma=sigma, source=source)


def _own(file: Path, session: GeneratorSession) -> DirectionSet | None:
    if file.suffix.lower() not in (".npz", ".safetensors"):
        return None
    try:
        names = files.names_in(file)
    except files.DAMAGED:
        return None
    return DirectionSet.load(file).check(session) if "stylewidgets" in names else None
