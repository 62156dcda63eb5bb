"""Orbits: the camera walks round an avatar that stands still, and so does its light."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from .geometry import Frame, rotation

Orbit = tuple[float, float] | Tensor
"""Yaw and pitch in degrees, one for all pictures, or a tensor [2] or [N, 2]."""

_LIMITS = (180.0, 60.0)  # beyond this pitch the crown or the cut of the bust would face the viewer


def orbit_frame(orbit: Orbit, factors: Tensor) -> Frame | None:
    """The frame of everything, as a camera sees it that has gone round PIVOT; None where every camera is at home.

    Args:
        orbit: what `render` takes.
        factors: [N, F], for the number of pictures, dtype and device.

    Raises:
        ValueError: another shape, or an angle that is not finite or out of range.
    """
    angles = torch.as_tensor(orbit, dtype=factors.dtype, device=factors.device)
    if angles.shape not in ((2,), (len(factors), 2)):
        raise ValueError(
            f"an orbit is (yaw, pitch) for all pictures or a tensor [{len(factors)}, 2] with one for each, "
            f"got the shape {list(angles.shape)}"
        )
    angles = angles.expand(len(factors), 2)
    if not bool((angles.abs() <= angles.new_tensor(_LIMITS)).all()):  # false for NaN, too
        raise ValueError(
            f"an orbit's yaw is -{_LIMITS[0]:g} to {_LIMITS[0]:g} and its pitch -{_LIMITS[1]:g} to {_LIMITS[1]:g} "
            f"degrees, got {angles.tolist()[0] if len(angles) == 1 else orbit}"
        )
    if not bool(angles.any()):
        return None
    yaw, pitch = angles.detach().unbind(1)
    return Frame.of(rotation(yaw, pitch, torch.zeros_like(yaw)))


def runs(orbit: Frame | None, count: int) -> Iterator[tuple[bool, slice]]:
    """Consecutive pictures that are all at home (true) or all orbited: whoever is at home is drawn as without orbits."""
    if orbit is None:
        yield True, slice(0, count)
        return
    still = torch.eye(3, dtype=orbit.matrix.dtype, device=orbit.matrix.device)
    home, lengths = torch.unique_consecutive((orbit.matrix == still).all(2).all(1), return_counts=True)
    start = 0
    for at_home, length in zip(home.tolist(), lengths.tolist(), strict=True):
        yield at_home, slice(start, start + length)
        start += length
