"""Catalogues as the public code of both papers saves them: the centres are read, and nothing is executed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...checkpoints.formats import torch_file
from ...checkpoints.pickle.records import Stub
from ...checkpoints.pickle.unpickler import unpickle
from ...core import files
from .catalogue import Catalogue
from .features import features, seen

if TYPE_CHECKING:
    from ...session.session import GeneratorSession

SIDE = 32
"""Pixels of the layer that both papers cluster."""
ACCEPTED = (
    "Accepted are files written by Parts.save, catalog.pkl of Retrieve in Style and catalogues of Editing in Style, "
    "which hold cluster_centers_"
)
SUFFIXES = (".pkl", ".pickle", ".pt", ".pth")
_DEPTH, _LARGEST = 6, 64 << 20


def read(path: Path, session: GeneratorSession, layer: str = "") -> Catalogue:
    """A published catalogue as one of ours.

    Retrieve in Style pickles the clusters alone; they are of squared features, taken before the non-linearity, where we see
    them after it. Editing in Style has them in a catalogue with the clusters of each part, and features as they are. Neither
    file says which generator and which layer it is of.

    Args:
        path: of a pickle, or of a file of `torch.save`.
        session: the generator that it was made for.
        layer: whose features were clustered; the last of at most 32 pixels by default.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: damaged, something else, or of a generator with other channels.
    """
    with files.reading(path, "catalogue of parts", ACCEPTED) as found:
        root = _content(found)
        centres = _of_name(root, "cluster_centers_", set())
        if not isinstance(centres, np.ndarray) or centres.ndim != 2 or centres.dtype.kind != "f" or not centres.size:
            raise ValueError("it has no cluster_centers_ [clusters, channels]")
        unit = np.asarray(centres, np.float32)
        length = np.linalg.norm(unit, axis=1, keepdims=True)
        if not (np.isfinite(length).all() and (length > 0).all()):
            raise ValueError("its centres are not all finite and of some length")
        named = _annotations(_of_name(root, "annotations", set()), len(unit))
    layer = layer or _layer(session)
    channels = features(session, session.latent(), layer).shape[1]
    if channels != unit.shape[1]:
        raise ValueError(
            f"{path.name} has centres of {unit.shape[1]} channels; after the layer {layer!r} this generator has {channels}. "
            "It was made for another generator, or after another layer: Parts.load(path, session, layer=…)"
        )
    alone = not isinstance(root, Mapping) or "cluster_centers_" in root
    parts = named or {f"part {k + 1}": (k,) for k in range(len(unit))}
    about = {"published": path.name}
    return Catalogue(layer, alone, unit / length, parts, {}, None, session.fingerprint(), about)


def _layer(session: GeneratorSession) -> str:
    there = seen(session)
    small = [layer.name for layer in session.layers if layer.name in there and layer.resolution <= SIDE]
    return small[-1] if small else there[0]


def _content(path: Path) -> object:
    """What a file of either kind holds, as plain values and passive records."""
    if path.stat().st_size > _LARGEST:
        raise ValueError(f"it has {path.stat().st_size:,} bytes; a catalogue has a few thousand")
    with path.open("rb") as file:
        zipped = file.read(2) == b"PK"
        file.seek(0)
        root = torch_file.read(path) if zipped else unpickle(file)
    return root.state if isinstance(root, Stub) else root


def _of_name(value: object, name: str, visited: set[int], depth: int = 0) -> object | None:
    """What is called so in a record or dictionary, or in one inside of it; None for nothing. Each is looked into once."""
    value = value.state if isinstance(value, Stub) else value
    if not isinstance(value, Mapping) or depth > _DEPTH or id(value) in visited:
        return None
    visited.add(id(value))
    if name in value:
        found: object = value[name]
        return found
    inside = (_of_name(inner, name, visited, depth + 1) for inner in value.values())
    return next((found for found in inside if found is not None), None)


def _annotations(value: object, clusters: int) -> dict[str, tuple[int, ...]]:
    """Clusters by part, where all that is said is names and numbers of clusters."""
    if not isinstance(value, Mapping):
        return {}
    named: dict[str, tuple[int, ...]] = {}
    for name, numbers in value.items():
        listed: NDArray[np.int64] = np.asarray(numbers if isinstance(numbers, (list, tuple)) else [numbers])
        if not isinstance(name, str) or listed.dtype.kind != "i" or listed.min() < 0 or listed.max() >= clusters:
            return {}
        named[name] = tuple(sorted(set(listed.tolist())))
    taken = [k for numbers in named.values() for k in numbers]
    return named if len(set(taken)) == len(taken) else {}
