"""One picture as a value: `Latent`, with codes, directions, edits of any kind and the view. Knows no torch module."""

from __future__ import annotations

from .camera import Camera
from .edits import kinds, register_kind
from .flow import FlowEdit
from .latent import MAX_SEED, NOISE_MODES, SPACES, Code, Direction, Edit, Latent
from .mapped import MapperEdit
from .move import Move, moves
from .pose import Pose
from .rig import RigEdit
from .transfer import TransferEdit
from .view import IDENTITY, Transform, View, register_view

__all__ = [
    "IDENTITY", "MAX_SEED", "NOISE_MODES", "SPACES", "Camera", "Code", "Direction", "Edit", "FlowEdit", "Latent", "MapperEdit",
    "Move", "Pose", "RigEdit", "TransferEdit", "Transform", "View", "kinds", "moves", "register_kind", "register_view",
]  # fmt: skip
