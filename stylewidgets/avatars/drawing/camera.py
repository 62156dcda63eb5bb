"""Where the camera of the avatar world is, as matrices: head or body coordinates to the camera's, and on to pixels."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .geometry import FRAMINGS, Frame, Framing

CAMERA_Z = 4.0  # how far the camera stands before the middle of the head, in head units


class Camera(NamedTuple):
    """The camera of every picture, [N, 4, 4] each; they multiply columns (x, y, z, 1).

    head: head coordinates to camera coordinates. Head coordinates turn with the head: the origin is its middle, x the
        picture's right and z forward when it looks ahead, y up; the unit is half the height of the head.
    body: the same for neck, clothes and torso, which turn by a quarter of the yaw only, and as a half figure's factors say.
    pixels: camera coordinates to (pixel x, pixel y, depth, 1). The projection is orthographic, so nothing is divided.
        0 is the left and the top edge of the picture, the centre of its first pixel is at 0.5.

    Camera coordinates: the camera is the origin, x to the picture's right, y up, z towards the viewer, so all that is
    seen has z < 0 and its depth is -z. One picture of a batch is ``Camera(*(m[i:i + 1] for m in camera))``.
    """

    head: Tensor
    body: Tensor
    pixels: Tensor

    def project(self, points: Tensor) -> Tensor:
        """Head coordinates [N, K, 3] to pixel x, pixel y and depth, [N, K, 3]."""
        return _apply(self.pixels @ self.head, points)

    def unproject(self, pixels: Tensor) -> Tensor:
        """Pixel x, pixel y and depth [N, K, 3] to head coordinates [N, K, 3]: the inverse of `project`."""
        return _apply(torch.linalg.inv(self.pixels @ self.head), pixels)


def camera_of(head: Frame, body: Frame, resolution: int, framing: Framing = FRAMINGS["head"]) -> Camera:
    """The matrices of pictures whose head and body stand in these frames."""
    n, like = len(head.base), head.base
    scale = resolution / (2 * framing.view)
    pixels = like.new_tensor(
        [[scale, 0, 0, resolution / 2], [0, -scale, 0, resolution / 2], [0, 0, -1, 0], [0, 0, 0, 1]]
    )
    return Camera(extrinsic(head, framing), extrinsic(body, framing), pixels.expand(n, 4, 4).clone())


def extrinsic(frame: Frame, framing: Framing) -> Tensor:
    """Coordinates of a frame to camera coordinates, [N, 4, 4]."""
    n, like = len(frame.base), frame.base
    shift = frame.project(like.new_zeros(n, 1, 3))[:, 0] - like.new_tensor((0.0, framing.middle, CAMERA_Z))
    last = like.new_tensor((0.0, 0.0, 0.0, 1.0)).expand(n, 1, 4)
    return torch.cat([torch.cat([frame.matrix, shift[:, :, None]], 2), last], 1)


def _apply(matrix: Tensor, points: Tensor) -> Tensor:
    return points @ matrix[:, :3, :3].transpose(1, 2) + matrix[:, None, :3, 3]
