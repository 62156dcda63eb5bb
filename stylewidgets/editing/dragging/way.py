"""Way: what a drag found, every step of it a code, as one value and one file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core import files
from ...core.checks import check_int
from ...latent.latent import Code, Latent
from ...latent.saved import check_version

KEY = "stylewidgets-drag"
VERSION = 1


@dataclass(frozen=True, eq=False)
class Way:
    """The way that a picture was dragged.

    Attributes:
        start: the latent that was dragged.
        handles, targets: where points were and should go, float64 [n, 2], (row, column) in pixels.
        mask: bool [H, W], True where things may move; None for everywhere.
        codes: w+ before the first step and after each, float32 [steps + 1, num_ws, w_dim].
        points: where the handles were found in the pictures of these codes, float32 [steps + 1, n, 2]. Those of the last code
            are where they were before its step, unless a further step looked for them.
        terms: what each step measured: "loss" and "distance", the mean over the handles in pixels.
        ended: why no more steps were done: "reached", "stalled" (no handle comes nearer), "steps" (all that were asked for), or
            "" for a drag that can go on.
        settings: plain JSON values.
        generator: fingerprint of the generator.
    """

    start: Latent
    handles: NDArray[np.float64]
    targets: NDArray[np.float64]
    mask: NDArray[np.bool_] | None
    codes: NDArray[np.float32]
    points: NDArray[np.float32]
    terms: tuple[Mapping[str, float], ...] = ()
    ended: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    generator: str = ""

    def __len__(self) -> int:
        """Steps done."""
        return len(self.codes) - 1

    def __repr__(self) -> str:
        end = f", {self.ended}" if self.ended else ""
        return f"Way({len(self.handles)} points, {len(self)} steps{end})"

    def latent(self, step: int = -1) -> Latent:
        """The picture after so many steps, 0 for the start; negative ones count from the end. Noise, view and label stay."""
        last = len(self)
        k = check_int("step", step, -last - 1, last) % (last + 1)
        return dragged(self.start, self.codes[k], len(self.handles), k)

    def latents(self, n: int) -> list[Latent]:
        """n latents along the way, from the start to the end: the keyframes of a film.

        Raises:
            ValueError: n below 2.
        """
        check_int("n", n, 2)
        return [self.latent(round(t * len(self))) for t in np.linspace(0, 1, n)]

    def reversed(self) -> Way:
        """The same way from its end to its start."""
        return replace(
            self,
            start=self.latent(),
            handles=self.points[-1].astype(np.float64),
            targets=self.handles,
            codes=self.codes[::-1].copy(),
            points=self.points[::-1].copy(),
            terms=self.terms[::-1],
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write all of it to one .safetensors file and return its path."""
        about = {
            "version": VERSION,
            "start": self.start.to_dict(),
            "terms": [dict(step) for step in self.terms],
            "ended": self.ended,
            "settings": dict(self.settings),
            "generator": self.generator,
        }
        arrays: dict[str, NDArray[Any]] = {
            name: getattr(self, name) for name in ("handles", "targets", "codes", "points")
        }
        if self.mask is not None:
            arrays["mask"] = self.mask
        return files.write_arrays(path, arrays, about, KEY)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Way:
        """Read what `save` wrote. Nothing in the file is executed.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is not such a file, or damaged.
        """
        with files.reading(path, "way of a drag", "Accepted are files written by Way.save") as found:
            about, arrays = files.read_arrays(found, KEY)
            check_version(about["version"], VERSION)
            made = cls(
                start=Latent.from_dict(about["start"]),
                handles=arrays["handles"],
                targets=arrays["targets"],
                mask=arrays.get("mask"),
                codes=arrays["codes"],
                points=arrays["points"],
                terms=tuple(about["terms"]),
                ended=str(about["ended"]),
                settings=about["settings"],
                generator=str(about["generator"]),
            )
            shapes = made.codes.ndim == 3 and made.points.shape == (len(made.codes), *made.handles.shape)
            if not shapes or made.handles.shape != made.targets.shape or len(made.terms) != len(made):
                raise ValueError("its codes, points and terms are of different numbers of steps")
            return made


def dragged(start: Latent, code: NDArray[np.float32], points: int, step: int) -> Latent:
    """A latent with the w+ of a step in place of its own, and its edits of z and w at strength 0; the start for step 0."""
    if not step:
        return start
    words = (*start.history, f"dragged {points} points, {step} steps")
    # What edits of z and w did is in the code now; those of styles go on acting on what comes of it.
    edits = tuple(edit if edit.stage == "s" else edit.with_strength(0.0) for edit in start.edits)
    return start.replace(code=Code("w+", code), psi=1.0, cutoff=None, edits=edits, history=words)
