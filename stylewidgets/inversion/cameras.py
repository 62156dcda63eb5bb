"""The camera as a variable: where a scene is seen from is found along with its code."""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from .. import domain
from ..latent.camera import Camera
from ..session.session import GeneratorSession
from . import spaces
from .losses.losses import mse, shrink

SWING = 10.0
"""Degrees of one unit of the variable, so that a camera moves along at the learning rate of the code."""
GRID = (-0.6, 0.0, 0.6)
"""Where cameras are tried first, as shares of the angles that the generator was trained on."""


def check_camera(session: GeneratorSession) -> None:
    """ValueError unless a session's pictures are seen by a `Camera`."""
    if session.view_kind is not Camera:
        raise ValueError(
            f"camera='find' needs a generator with a scene in space, such as EG3D or StyleNeRF; "
            f"{session.name or 'this generator'} has no camera. Use camera='still'"
        )


@torch.no_grad()
def first_angles(session: GeneratorSession, images: Tensor, code: Tensor, space: str) -> Tensor:
    """Cameras to start from, [N, 3] in degrees: what the generator's domain reads off pictures [N, 3, H, W], or else the one of a
    small grid whose picture of the code [N, …] is the nearest."""
    known = domain.of(session)
    if known is not None and known.camera is not None:
        return torch.as_tensor(known.camera(images), dtype=torch.float32, device=session.device)
    spans = [session.camera_range[name] for name in ("yaw", "pitch")]
    yaws, pitches = ([(low + high) / 2 + share * (high - low) / 2 for share in GRID] for low, high in spans)
    found, least = torch.zeros(len(images), 3, dtype=torch.float32, device=session.device), None
    for yaw, pitch in product(yaws, pitches):
        tried = found.new_tensor([[yaw, pitch, 0.0]])
        far = mse(shrink(spaces.draw(session, code, space, view=tried)), shrink(images), None)
        if least is None:
            found, least = tried.expand(len(images), -1).clone(), far
        else:
            found[far < least], least = tried[0], torch.minimum(far, least)
    return found


def cameras_of(angles: Tensor) -> Tensor:
    """Angles [N, 3] that a `Camera` takes: whole turns taken off, pitch at most straight up."""
    turned = (angles + 180) % 360 - 180
    turned[:, 1] = angles[:, 1].clamp(-90, 90)
    return turned
