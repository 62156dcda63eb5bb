"""Catalogue: which directions in the features of one layer are which part of the picture, as one value and one file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from ...core import files
from ...core.checks import unknown_name
from ...latent.saved import check_version

KEY = "stylewidgets-parts"
VERSION = 1


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Clusters of features and their names.

    Attributes:
        layer: whose features were clustered.
        squared: whether their squares were.
        centres: float32 [K, C], of unit length.
        parts: the clusters of each part, by name; clusters of no part are free to be named.
        agreement: how well each part fits the segmenter that named it: intersection over union, 0 to 1.
        shares: what each style channel spends in each cluster, mean over pictures, float32 [K, sum of channels]; None before it
            was measured.
        generator: fingerprint of the generator.
        about: plain JSON values: how it was made.
    """

    layer: str
    squared: bool
    centres: NDArray[np.float32]
    parts: Mapping[str, tuple[int, ...]]
    agreement: Mapping[str, float] = field(default_factory=dict)
    shares: NDArray[np.float32] | None = None
    generator: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.centres.ndim != 2 or not self.centres.size or not np.isfinite(self.centres).all():
            raise ValueError(f"centres of clusters are numbers [clusters, channels]; {list(self.centres.shape)} came")
        taken = [k for clusters in self.parts.values() for k in clusters]
        if len(set(taken)) < len(taken) or any(not 0 <= k < len(self.centres) for k in taken):
            raise ValueError(
                f"each of the {len(self.centres)} clusters, 0 to {len(self.centres) - 1}, belongs to one part at most; "
                f"given were {dict(self.parts)}"
            )
        object.__setattr__(
            self, "parts", {str(name): tuple(int(k) for k in found) for name, found in self.parts.items()}
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The parts in order."""
        return tuple(self.parts)

    def part_of(self, cluster: int) -> str | None:
        """The part that a cluster belongs to."""
        return next((name for name, clusters in self.parts.items() if cluster in clusters), None)

    def place(self, part: str) -> int:
        """Place of a part in `names`. ValueError with the nearest one."""
        if part not in self.parts:
            raise unknown_name("part", part, self.parts)
        return self.names.index(part)

    def share(self, part: str) -> NDArray[np.float32]:
        """What each style channel spends in a part, [sum of channels]. ValueError for an unknown part, or before `shares` is."""
        self.place(part)
        if self.shares is None:
            raise ValueError(
                "what channels share with these parts was not measured: parts = jobs.run(parts.measured()) does it"
            )
        return np.asarray(self.shares[list(self.parts[part])].sum(0), np.float32)

    def named(self, name: str, clusters: Sequence[int]) -> Catalogue:
        """These clusters as one part of that name: named, merged with others, or taken from the parts that had them.

        Parts that lose all clusters are gone, and so is the agreement of those that change.
        """
        name = name.strip()
        if not name:
            raise ValueError("a part needs a name; an empty one was given")
        taken = set(clusters)
        left = {
            other: tuple(k for k in found if k not in taken) for other, found in self.parts.items() if other != name
        }
        parts = {other: found for other, found in left.items() if found}
        same = {other for other, found in parts.items() if found == self.parts[other]}
        agreement = {other: value for other, value in self.agreement.items() if other in same}
        return replace(self, parts={**parts, name: tuple(sorted(taken))}, agreement=agreement)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write one .safetensors file and return its path."""
        about = {
            "version": VERSION,
            "layer": self.layer,
            "squared": self.squared,
            "parts": {name: list(clusters) for name, clusters in self.parts.items()},
            "agreement": dict(self.agreement),
            "generator": self.generator,
            "about": dict(self.about),
        }
        arrays: dict[str, NDArray[Any]] = {"centres": self.centres}
        if self.shares is not None:
            arrays["shares"] = self.shares.astype(np.float16)
        return files.write_arrays(path, arrays, about, KEY)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Catalogue:
        """Read what `save` wrote. Nothing in the file is executed.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is not such a file, or damaged.
        """
        with files.reading(path, "catalogue of parts", "Accepted are files written by Parts.save") as found:
            about, arrays = files.read_arrays(found, KEY)
            check_version(about["version"], VERSION)
            shares = arrays.get("shares")
            if shares is not None and (shares.ndim != 2 or len(shares) != len(arrays["centres"])):
                raise ValueError(f"it has shares {list(shares.shape)} for {len(arrays['centres'])} clusters")
            return cls(
                layer=str(about["layer"]),
                squared=bool(about["squared"]),
                centres=arrays["centres"].astype(np.float32),
                parts=about["parts"],
                agreement=about["agreement"],
                shares=None if shares is None else shares.astype(np.float32),
                generator=str(about["generator"]),
                about=about["about"],
            )


def generator_of(path: Path) -> str:
    """Fingerprint of the generator that a catalogue of ours is of, without reading its numbers; "" for any other file."""
    try:
        with safe_open(str(path), framework="numpy") as file:
            about = files.parsed((file.metadata() or {}).get(KEY, "{}"))
    except files.DAMAGED:
        return ""
    return str(about.get("generator", "")) if isinstance(about, dict) else ""
