"""Pictures to invert elsewhere: what `inversion.Target` is for a session here, in whole pixels and without torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ..core import files, pictures
from ..core.values import as_numpy
from ..latent.latent import Latent

if TYPE_CHECKING:
    from .session import RemoteSession


@dataclass(frozen=True, eq=False)
class RemoteTarget:
    """Pictures in the generator's size.

    Attributes:
        drawn: uint8 [N, H, W, 3].
        names, latents, left_out: as of `inversion.Target`.
        mask: float32 [N, 1, H, W] in [0, 1]; None for everywhere.
        factors: None: renders of a world are no targets from here.
    """

    drawn: NDArray[np.uint8]
    names: tuple[str, ...]
    latents: tuple[Latent | None, ...]
    mask: NDArray[np.float32] | None = None
    left_out: tuple[str, ...] = ()
    factors: None = None

    def __len__(self) -> int:
        return len(self.drawn)

    def pixels(self, i: int) -> NDArray[np.uint8]:
        """The i-th picture, uint8 [H, W, 3]."""
        return self.drawn[i]

    @property
    def images(self) -> NDArray[np.float32]:
        """float32 [N, 3, H, W] in [-1, 1]."""
        moved = np.ascontiguousarray(self.drawn.transpose(0, 3, 1, 2)).astype(np.float32)
        return np.asarray(moved / np.float32(127.5) - np.float32(1))

    def with_mask(self, mask: object) -> RemoteTarget:
        """The same pictures, of which only the part under `mask` counts; see `inversion.Target.with_mask`."""
        if mask is None:
            return replace(self, mask=None)
        weights = np.asarray(as_numpy(pictures.read_mask(mask)), np.float32)
        wanted = (len(self), 1, *self.drawn.shape[1:3])
        if weights.shape[-2:] != wanted[2:] or weights.ndim > 4 or not ((weights >= 0) & (weights <= 1)).all():
            raise ValueError(
                f"a mask has shape {list(wanted[2:])} or {list(wanted)} and values from 0 to 1; {list(weights.shape)} was given"
            )
        shaped = weights.reshape((-1, 1, *wanted[2:])) if weights.ndim != 4 else weights
        return replace(self, mask=np.ascontiguousarray(np.broadcast_to(shaped, wanted)))

    @classmethod
    def of(cls, given: object, session: RemoteSession) -> RemoteTarget:
        """Make one of a picture of any kind, a `Latent`, a folder, or a list of these.

        Raises:
            ValueError, TypeError: what was given, and what is accepted.
        """
        if isinstance(given, RemoteTarget):
            return given
        if isinstance(given, Latent):
            name = f"seed {given.seed}" if given.seed is not None and given.code is None else "generated"
            return cls(session.image(given)[None], (name,), (given,))
        if isinstance(given, (list, tuple)):
            return _joined([cls.of(one, session) for one in given])
        if isinstance(given, (str, os.PathLike)) and not files.is_address(given) and files.as_path(given).is_dir():
            return _joined([cls.of(path, session) for path in pictures.in_folder(files.as_path(given))])
        if isinstance(given, dict):
            raise ValueError("an item of a data set is no target for a session elsewhere: give its picture")  # noqa: TRY004
        if not isinstance(given, (str, os.PathLike, bytes, Image.Image, np.ndarray)):
            raise TypeError(
                f"a target is a picture, a Latent, or a list of those; {type(given).__name__} was given. {pictures.ACCEPTED}"
            )
        size = session.picture_size[::-1]
        drawn = [np.asarray(ImageOps.fit(p, size, Image.Resampling.LANCZOS)) for p in pictures.read_all(given)]
        name = PurePath(given).stem if isinstance(given, (str, os.PathLike)) else "picture"
        names = (name,) if len(drawn) == 1 else tuple(f"{name} {i}" for i in range(len(drawn)))
        return cls(np.stack(drawn), names, (None,) * len(drawn))

    def upload(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Values and arrays of the call that makes it known there."""
        values = {
            "names": list(self.names),
            "latents": [None if one is None else one.to_dict() for one in self.latents],
        }
        arrays = {"images": self.images} | ({} if self.mask is None else {"mask": self.mask})
        return values, arrays


def _joined(parts: Sequence[RemoteTarget]) -> RemoteTarget:
    if not parts:
        raise ValueError("a list of targets has at least one; an empty one was given")
    return RemoteTarget(
        np.concatenate([part.drawn for part in parts]),
        tuple(name for part in parts for name in part.names),
        tuple(latent for part in parts for latent in part.latents),
    )
