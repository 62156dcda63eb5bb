"""The table of a generator and an encoder: where each style channel takes pictures in the encoder's space."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core import files
from ...latent.saved import check_version
from ...session.session import GeneratorSession
from .relevance import STILL

KEY = "stylewidgets-words"
VERSION = 1
AXES = 64
"""Principal axes of the spread of embeddings that a file has."""
ACCEPTED = "Accepted are files that `stylewidgets train words-table` made"
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ChannelTable:
    """Made by `measuring.measure`, or read off published files by `published.read_table`.

    Attributes:
        directions: Δi, float32 [S, d] of length 1; rows of zeros for channels that were not measured.
        lengths: float32 [S]: how far a channel takes an embedding for each σ, the mean over pictures of where it takes them.
        sigma: float32 [S], the standard deviation of each channel.
        spread: float32 [d, d], the covariance of embeddings of the generator's pictures.
        weights: fingerprint of the generator.
        encoder: fingerprint of the encoder; "" where a published file does not say.
        about: how it was made: encoder_name, faces, k, side, seed, layers, licence.
    """

    directions: Floats
    lengths: Floats
    sigma: Floats
    spread: Floats
    weights: str
    encoder: str
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        s, d = self.directions.shape
        for name, shape in (("lengths", (s,)), ("sigma", (s,)), ("spread", (d, d))):
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} has shape {list(shape)}; {list(getattr(self, name).shape)} was found")
        for name in ("directions", "lengths", "sigma", "spread"):
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"{name} has numbers that are not finite")

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which channels were measured, [S]."""
        return np.asarray(self.directions.any(axis=1))

    @property
    def share(self) -> float:
        """The part of all channels that were measured, 0 to 1."""
        return float(self.known.mean())

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return int(self.directions.shape[1])

    def fits(self, session: GeneratorSession, encoder: str, dim: int, name: str = "the encoder") -> str | None:
        """Why it cannot be used with a generator and an encoder, or None."""
        channels = sum(layer.channels for layer in session.layers)
        if len(self.directions) != channels or (self.weights and self.weights != session.fingerprint()):
            return f"this table was made for another generator; `Words.prepare()` makes one for {session.name or 'this one'}"
        if self.dim != dim:
            return f"this table is for embeddings of {self.dim} numbers; {name} gives {dim}"
        if self.encoder and self.encoder != encoder:
            made = self.about.get("encoder_name", "another encoder")
            return f"this table was made with other weights of {made!r}; `Words.prepare()` makes one for {name}"
        return None

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a .safetensors file: directions to 1/127 of their largest number, and `AXES` axes of the spread."""
        widths, axes = np.linalg.eigh(self.spread.astype(np.float64))
        kept = (axes * np.sqrt(widths.clip(0)))[:, ::-1][:, :AXES].T
        largest = np.abs(self.directions).max(axis=1, keepdims=True)
        arrays = {
            "directions": np.rint(self.directions / np.where(largest > STILL, largest, 1) * 127).astype(np.int8),
            "lengths": self.lengths.astype(np.float16),
            "sigma": self.sigma,
            "spread": kept.astype(np.float16),
        }
        about = {"version": VERSION, "weights": self.weights, "encoder": self.encoder, "about": dict(self.about)}
        return files.write_arrays(path, arrays, about, KEY)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ChannelTable:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: something else, or damaged.
        """
        with files.reading(path, "table of channels for words", ACCEPTED) as found:
            said, arrays = files.read_arrays(found, KEY)
            check_version(said["version"], VERSION)
            names = ("directions", "lengths", "sigma", "spread")
            wide = {name: np.asarray(arrays[name], np.float32) for name in names}
            wide["spread"] = wide["spread"].T @ wide["spread"]
            unit = np.linalg.norm(wide["directions"], axis=1, keepdims=True)
            wide["directions"] = wide["directions"] / np.where(unit > 0, unit, np.float32(1))
            return cls(**wide, weights=str(said["weights"]), encoder=str(said["encoder"]), about=dict(said["about"]))
