"""Target: the pictures to invert, with what is known about them."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from ..core import files, pictures
from ..latent.latent import Latent
from ..ops.devices import float_tensor
from ..session.session import GeneratorSession

NAMED = 5
"""Broken files that a message names."""


@dataclass(frozen=True, eq=False)
class Target:
    """Pictures in the generator's size, on the CPU.

    Attributes:
        images: float32 [N, 3, H, W] in [-1, 1].
        names: one for each picture, for tables.
        latents: what drew a generated picture, None for others.
        factors: [N, F] of renders, in the order of the domain's world (`avatars.FACTORS`); None for others.
        mask: [N, 1, H, W] in [0, 1], 1 where the picture counts; None for everywhere.
        left_out: the files of a list or folder that could not be read, each with the reason.
        factor_groups: of the factors, such as ("head", "unseen"); () for the domain's usual ones.
    """

    images: Tensor
    names: tuple[str, ...]
    latents: tuple[Latent | None, ...]
    factors: Tensor | None = None
    mask: Tensor | None = None
    left_out: tuple[str, ...] = ()
    factor_groups: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> Target:
        """One of them, as a target of its own."""
        if not -len(self) <= i < len(self):
            raise IndexError(f"target {i} of {len(self)}")
        i %= len(self)
        return self._part(slice(i, i + 1))

    def groups(self, size: int) -> list[Target]:
        """All of them in order, as targets of at most `size` pictures."""
        return [self._part(slice(i, i + size)) for i in range(0, len(self), size)]

    def _part(self, part: slice) -> Target:
        return Target(
            self.images[part],
            self.names[part],
            self.latents[part],
            None if self.factors is None else self.factors[part],
            None if self.mask is None else self.mask[part],
            factor_groups=self.factor_groups,
        )

    def on(self, device: torch.device) -> tuple[Tensor, Tensor | None]:
        """Pictures and mask on a device."""
        return self.images.to(device), None if self.mask is None else self.mask.to(device)

    def pixels(self, i: int) -> NDArray[np.uint8]:
        """The i-th picture, uint8 [H, W, 3]."""
        picture = (self.images[i] * 127.5 + 128).clamp(0, 255).permute(1, 2, 0)
        return picture.numpy().astype(np.uint8)

    def digest(self) -> str:
        """A sha256 of all of it, hexadecimal: what `session.put` names it by."""
        known = [None if one is None else one.to_dict() for one in self.latents]
        groups = [list(self.factor_groups)] if self.factor_groups else []
        made = hashlib.sha256(json.dumps([list(self.names), list(self.images.shape), known, *groups]).encode())
        for tensor in (self.images, self.factors, self.mask):
            made.update(b"-" if tensor is None else tensor.contiguous().numpy().tobytes())
        return made.hexdigest()

    def with_mask(self, mask: object) -> Target:
        """The same pictures, of which only the part under `mask` counts.

        Args:
            mask: [H, W] or [N, 1, H, W] in [0, 1] or bool, or a picture (white counts), in the pictures' size; None for
                everywhere.
        """
        if mask is None:
            return replace(self, mask=None)
        weights = float_tensor(pictures.read_mask(mask)).cpu()
        weights = weights.expand(len(self), 1, *weights.shape[-2:]) if weights.ndim <= 4 else weights
        wanted = (len(self), 1, *self.images.shape[2:])
        if tuple(weights.shape) != wanted or not bool(((weights >= 0) & (weights <= 1)).all()):
            raise ValueError(
                f"a mask has shape {list(wanted[2:])} or {list(wanted)} and values from 0 to 1; "
                f"{list(weights.shape)} with {float(weights.min()):g} to {float(weights.max()):g} was given"
            )
        return replace(self, mask=weights.contiguous())

    @classmethod
    @torch.inference_mode(False)  # gradients may pass through it later
    def of(cls, given: object, session: GeneratorSession, *, skip: bool = False) -> Target:
        """Make a target of what people have.

        Args:
            given: a `Target`; a picture of any kind (`stylewidgets.core.pictures.read`: a path, an http(s) address, bytes, a
                PIL image, an array [H, W, 3], a tensor [3, H, W] in [-1, 1]), or several as an array or tensor [N, …]; a
                `Latent` of this session (then it is known); an item or a batch of `AvatarDataset` (its factors are known);
                a folder of pictures; or a list of all these. Of a list, factors are kept where all have those of the same
                groups.
            session: pictures are cropped around their middle to the shape of its pictures, and resized (Lanczos).
            skip: leave out the files of a list that cannot be read, with a warning that names them, as it is always done for a
                folder. Else the error names them all: whoever gives a list counts on its length.

        Raises:
            ValueError, TypeError: what was given, and what is accepted.
            FileNotFoundError, OSError: no such file, or it cannot be downloaded.
        """
        if isinstance(given, Target):
            if tuple(given.images.shape[-2:]) != session.picture_size:
                own, drawn = (" × ".join(map(str, size)) for size in (given.images.shape[-2:], session.picture_size))
                raise ValueError(
                    f"this target has {own} px; the generator draws {drawn} px. Make it anew from the pictures"
                )
            return given
        if isinstance(given, Mapping):
            return _rendered(given, session)
        if isinstance(given, Latent):
            return cls(to_tensor(session.image(given)[None]), (_latent_name(given),), (given,))
        if isinstance(given, (list, tuple)):
            return _each(given, session, skip)
        if isinstance(given, (str, os.PathLike)) and not files.is_address(given) and files.as_path(given).is_dir():
            return _each(pictures.in_folder(files.as_path(given)), session, skip=True)
        if not isinstance(given, (str, os.PathLike, bytes, Image.Image, np.ndarray, Tensor)):
            raise TypeError(
                f"a target is a picture, a Latent, an item of AvatarDataset, or a list of those; {type(given).__name__} "
                f"was given. {pictures.ACCEPTED}"
            )
        images = _pictures(given, session.picture_size)
        name = PurePath(given).stem if isinstance(given, (str, os.PathLike)) else "picture"
        names = (name,) if len(images) == 1 else tuple(f"{name} {i}" for i in range(len(images)))
        return cls(images, names, (None,) * len(images))


def to_tensor(pixels: NDArray[np.uint8]) -> Tensor:
    """Pictures uint8 [N, H, W, 3] as float32 [N, 3, H, W] in [-1, 1]."""
    # Dense, since sums in another order of memory round differently, and files keep no strides.
    return torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).contiguous().float() / 127.5 - 1


def cropped(picture: object, size: tuple[int, int]) -> Image.Image:
    """The middle of a picture (see `pictures.read`) in RGB, resized with Lanczos to a height and width."""
    return ImageOps.fit(pictures.read(picture), size[::-1], Image.Resampling.LANCZOS)


def _pictures(given: object, size: tuple[int, int]) -> Tensor:
    if isinstance(given, Tensor) and given.is_floating_point() and given.ndim in (3, 4) and given.shape[-3] == 3:
        exact = (given[None] if given.ndim == 3 else given).detach().float().cpu()
        if tuple(exact.shape[2:]) == size:
            pictures.check_scale(exact)
            return exact.clamp(-1, 1)
    return to_tensor(np.stack([np.asarray(cropped(picture, size)) for picture in pictures.read_all(given)]))


def _rendered(item: Mapping[str, Any], session: GeneratorSession) -> Target:
    if "image" not in item:
        raise ValueError(f"an item of a data set has an 'image'; {', '.join(map(str, item))} were given")
    given = item["image"]
    images = given if isinstance(given, Tensor) else torch.from_numpy(np.array(given))
    batch = images[None] if images.ndim == 3 else images
    if batch.dtype != torch.uint8:
        raise ValueError(f"the image of an item is uint8 [3, H, W]; {batch.dtype} was given")
    made = Target.of(batch.permute(0, 2, 3, 1).cpu().numpy(), session)
    factors = item.get("factors")
    if factors is None:
        return made
    rows = float_tensor(factors).cpu()
    return replace(
        made,
        factors=rows[None] if rows.ndim == 1 else rows,
        factor_groups=tuple(item.get("groups", ())),
        names=tuple(f"avatar {i}" for i in range(len(made))) if len(made) > 1 else ("avatar",),
    )


def _each(given: Sequence[object], session: GeneratorSession, skip: bool) -> Target:
    """Targets of a list as one; all of it is read before anything is said of the files that are broken."""
    parts, broken = [], []
    for one in given:
        try:
            parts.append(Target.of(one, session, skip=skip))
        except (ValueError, OSError) as error:
            if not isinstance(one, (str, os.PathLike)):
                raise
            name = PurePath(one).name
            broken.append(str(error) if name in str(error) else f"{name}: {error}")
            if len(given) == 1:
                raise
    if not broken:
        return _joined(parts)
    told = "; ".join(broken[:NAMED]) + (f"; and {len(broken) - NAMED} more" if len(broken) > NAMED else "")
    if not skip or not parts:
        raise ValueError(
            f"{len(broken)} of {len(given)} pictures cannot be used: {told}. Target.of(…, skip=True) goes on without them"
        )
    warnings.warn(f"{len(broken)} of {len(given)} pictures are left out: {told}", stacklevel=3)
    return replace(_joined(parts), left_out=tuple(broken))


def _joined(parts: Sequence[Target]) -> Target:
    if not parts:
        raise ValueError("a list of targets has at least one; an empty one was given")
    groups = {part.factor_groups for part in parts}
    known = [part.factors if len(groups) == 1 else None for part in parts]
    names = [name for part in parts for name in part.names]
    twice = {name for name in names if names.count(name) > 1}
    return Target(
        torch.cat([part.images for part in parts]),
        tuple(f"{name} {i}" if name in twice else name for i, name in enumerate(names)),
        tuple(latent for part in parts for latent in part.latents),
        torch.cat([f for f in known if f is not None]) if all(f is not None for f in known) else None,
        factor_groups=groups.pop() if len(groups) == 1 else (),
    )


def _latent_name(latent: Latent) -> str:
    return f"seed {latent.seed}" if latent.seed is not None and latent.code is None else "generated"
