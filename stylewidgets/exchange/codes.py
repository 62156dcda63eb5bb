"""Latent codes of other tools."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from torch import Tensor

from ..checkpoints.errors import CheckpointError, reading
from ..core import files
from ..core.checks import unknown_name
from ..latent.latent import MAX_SEED, SPACES, Code, Latent
from ..session.session import GeneratorSession
from .content import Array, array, content, owner, styles, tensors, wanted
from .convolutions import NOTE, are_convolutions, with_torgb

KEYS = (
    "latent",
    "latents",
    "latent_code",
    "latent_codes",
    "w",
    "w_plus",
    "wplus",
    "ws",
    "projected_w",
    "Latent",
    "z",
    "s",
)
MOST = 10_000
SEEDS = re.compile(r"[\s,;]*\d+(\s*(-|\.\.)\s*\d+)?([\s,;]+\d+(\s*(-|\.\.)\s*\d+)?)*[\s,;]*$")
OWN = "stylewidgets"


def read_latent(
    path: str | os.PathLike[str], session: GeneratorSession, which: int | str = 0, *, space: str | None = None
) -> Latent:
    """A latent from a file of this or another tool.

    Read are: files of `Latent.save`; ``projected_w.npz`` of the StyleGAN2-ADA projectors; .npy, .npz, .pt, .pth, .pkl and
    safetensors with an array, a list of arrays or a dictionary of them (`latent`, `latents`, `latent_code`, `w`, …), as e4e,
    PTI, StyleCLIP, genforce and InterFaceGAN write them; the projector's file of rosinality, with a code for each picture;
    lists with one style array a layer, or a convolution; and seeds as text ("1-10,55").

    Args:
        path: of the file; or the seeds themselves.
        session: what shall draw it. Shapes tell z, w, w+ and s apart, and where z and w are as long the names do; without
            any hint it is w.
        which: of several, by number or name.
        space: "z", "w", "w+" or "s", where the file is to be taken so.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: damaged, without a code, or with one of another size; the text says which generator it would fit.
    """
    found = read_latents(path, session, space=space)
    names = list(found)
    if isinstance(which, str):
        if which not in found:
            raise ValueError(f"{path} has no code {which!r}; it has {', '.join(names[:8])}")
        return found[which]
    if not -len(names) <= which < len(names):
        raise ValueError(f"{path} has {len(names)} codes, counted from 0; {which} was given")
    return found[names[which]]


def read_latents(
    path: str | os.PathLike[str], session: GeneratorSession, *, space: str | None = None
) -> dict[str, Latent]:
    """All latents of a file by name, in its order. Arguments and errors as of `read_latent`."""
    if space not in (None, *SPACES):
        raise unknown_name("space", space, SPACES)
    if isinstance(path, str) and SEEDS.match(path) and not files.as_path(path).exists():
        return _of_seeds(path, session)
    if (own := _own(path, session)) is not None:
        return {files.as_path(path).stem: own}
    file, tree = content(path, "latent code")
    with reading(file):
        if isinstance(tree, str):
            return _of_seeds(tree, session)
        found: dict[str, Latent] = {}
        hint = file.stem.lower()
        for name, codes, remark in _codes(tree, session, file.stem, space or _hinted(hint, session)):
            for i, code in enumerate(codes):
                if len(found) == MOST:
                    raise CheckpointError(f"it has more than {MOST:,} codes; give a part of them")
                full = name if len(codes) == 1 else f"{name} {i}"
                found[_free(full, found)] = session.latent(
                    code=code, history=(f"{full} of {file.name}, as {code.space}{remark}",)
                )
        if not found:
            raise CheckpointError(f"there is no latent code in it; {wanted(session)}")
        return found


# -- what is in a file ----------------------------------------------------------------------------------------------------
def _codes(
    tree: object, session: GeneratorSession, name: str, space: str | None
) -> Iterator[tuple[str, list[Code], str]]:
    """(name, codes, what is to be said of them) of all that a file holds."""
    if isinstance(tree, Tensor):
        yield name, _split(array(tree, name), session, space, name), ""
        return
    layers = styles(tree)
    if layers is not None:
        if _per_layer(layers, session):
            yield name, _styles(layers, session, name), ""
            return
        if are_convolutions(layers, session):
            yield name, _styles(layers, session, name), f"; {NOTE}"
            return
        for i, one in enumerate(layers):
            yield from _codes(one, session, f"{name} {i}", space)
        return
    if isinstance(tree, list | tuple):
        for i, one in enumerate(tree):
            yield from _codes(one, session, f"{name} {i}", space)
        return
    entries = tensors(tree)
    known = [key for key in KEYS if key in entries]
    for key in known[:1] if known else entries:
        inner = key if key in ("z", "s") else space
        if known:
            yield from _codes(entries[key], session, name, inner)
        elif isinstance(entries[key], Mapping):  # a picture of rosinality's projector, under its name
            yield from _codes(entries[key], session, Path(key).stem, inner)
        elif not key.startswith(("noise", "img", "loss")):
            yield from _codes(entries[key], session, key, _hinted(key.lower(), session) or inner)


def _split(value: Array, session: GeneratorSession, space: str | None, name: str) -> list[Code]:
    """The codes of an array with any leading axes."""
    rows, width, z_dim = session.num_ws, session.w_dim, session.z_dim
    total = sum(layer.channels for layer in session.layers)
    shape = value.shape
    if space in (None, "w+", "w") and shape[-2:] == (rows, width):
        return _checked("w+", value.reshape(-1, rows, width), session)
    if space != "w+" and shape and value.size:
        sizes = {"w": width, "z": z_dim, "s": total}
        for one in (space,) if space else ("w", "z", "s"):
            if shape[-1] == sizes[one] and (len(shape) < 3 or shape[-2] == 1):
                return _checked(one, value.reshape(-1, sizes[one]), session)
    fit = owner(shape)
    raise CheckpointError(
        f"{name} has shape {list(shape)}, which is no code here: {wanted(session)}{'. ' + fit if fit else ''}"
    )


def _checked(space: str, codes: Iterable[Array], session: GeneratorSession) -> list[Code]:
    found = [Code(space, code) for code in codes]
    if not found:
        raise CheckpointError(f"it has a place for codes in {space}, and none there")
    return found


def _per_layer(layers: list[Tensor], session: GeneratorSession) -> bool:
    return len(layers) == len(session.layers) and all(
        one.ndim >= 1 and one.numel() % layer.channels == 0 and layer.channels in (one.shape[-1], one.numel())
        for one, layer in zip(layers, session.layers, strict=True)
    )


def _styles(layers: list[Tensor], session: GeneratorSession, name: str) -> list[Code]:
    """Codes in s from one array a layer or a convolution, [C], [N, C] or [N, 1, C, 1, 1] as PyTorch ports keep them."""
    whole = len(layers) == len(session.layers)
    sizes = [layer.channels for layer in session.layers if whole or layer.kind != "torgb"]
    parts = [array(one, name).reshape(-1, size) for one, size in zip(layers, sizes, strict=True)]
    if len({len(part) for part in parts}) != 1:
        raise CheckpointError(
            f"the style arrays of {name} have different numbers of codes: {[len(p) for p in parts][:6]}"
        )
    return _checked("s", np.concatenate(parts if whole else with_torgb(parts, session), axis=1), session)


def _hinted(name: str, session: GeneratorSession) -> str | None:
    """The space that a name tells, where lengths do not."""
    if session.z_dim == session.w_dim and re.search(r"(^|[_\W])z([_\W]|$)", name):
        return "z"
    return None


def _of_seeds(text: str, session: GeneratorSession) -> dict[str, Latent]:
    if not SEEDS.match(text):
        raise CheckpointError(
            f"it is text, but no list of seeds such as 1-10,55, with commas between: {text.strip()[:60]!r} was given"
        )
    seeds: list[int] = []
    for match in re.finditer(r"(\d+)(?:\s*(?:-|\.\.)\s*(\d+))?", text):
        first, last = int(match[1]), int(match[2] or match[1])
        if not 0 <= first <= last <= MAX_SEED:
            raise CheckpointError(f"seeds are from 0 to {MAX_SEED}, and ranges go up; {match[0][:40]} was given")
        if len(seeds) + last - first >= MOST:
            raise CheckpointError(f"more than {MOST:,} seeds are given")
        seeds.extend(range(first, last + 1))
    return {f"seed {seed}": session.latent(seed=seed) for seed in dict.fromkeys(seeds)}


def _own(path: str | os.PathLike[str], session: GeneratorSession) -> Latent | None:
    """The latent of a file that `Latent.save` wrote."""
    file = files.find(path, "latent code")
    if file.suffix.lower() == ".json":
        return session.check(Latent.load(file))
    if file.suffix.lower() == ".npz":
        try:
            names = files.names_in(file)
        except files.DAMAGED:
            return None
        if OWN in names:
            return session.check(Latent.load(file))
    return None


def _free(name: str, taken: Mapping[str, object]) -> str:
    """The name, or with a number behind it where it is taken."""
    if name not in taken:
        return name
    return next(f"{name} ({i})" for i in range(2, MOST + 3) if f"{name} ({i})" not in taken)
