"""The avatar world: procedural, shaded 3-D heads with exact ground truth, for training and for measuring edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import attach

if TYPE_CHECKING:
    from .domain import READER_VERSION, WORLD_VERSION
    from .drawing.camera import Camera
    from .drawing.poses import Flow, exact_flow, limb_matrices
    from .drawing.renderer import (
        ALL_REGIONS,
        BODY_LANDMARKS,
        BODY_REGIONS,
        LANDMARKS,
        OUTPUTS,
        PARTS,
        REGIONS,
        Render,
        render,
    )
    from .drawing.truth import body_uv, head_uv
    from .postures import POSTURES, mirrored, pose_of, posture, random_pose
    from .pulling import HEAD_ANGLES, JOINTS, angles_of, joints, limits, pulled
    from .reading.estimates import Estimate, estimate
    from .scoring.chance import chance_map
    from .sources import Figure
    from .world.body import BODY_FACTORS, POSE
    from .world.captions import caption
    from .world.correlations import correlate, correlation_matrix, mix
    from .world.dataset import AvatarDataset
    from .world.detail import DETAIL_FACTORS
    from .world.edits import WORN, edit_factors, edit_truth, swap_factors, swap_truth
    from .world.factors import CORRELATIONS, EMBED_SIZE, FACTORS, INDEX, NUM_FACTORS, Factor
    from .world.groups import BODY, DETAIL, UNSEEN, Group, register_group
    from .world.rows import by_name, defaults, embed, from_uniform
    from .world.sampling import sample, sample_in_poses
    from .world.unseen import UNSEEN_FACTORS

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "domain": "READER_VERSION WORLD_VERSION",
        "drawing.camera": "Camera",
        "drawing.poses": "Flow exact_flow limb_matrices",
        "drawing.renderer": "ALL_REGIONS BODY_LANDMARKS BODY_REGIONS LANDMARKS OUTPUTS PARTS REGIONS Render render",
        "drawing.truth": "body_uv head_uv",
        "postures": "POSTURES mirrored pose_of posture random_pose",
        "pulling": "HEAD_ANGLES JOINTS angles_of joints limits pulled",
        "reading.estimates": "Estimate estimate",
        "scoring.chance": "chance_map",
        "sources": "Figure",
        "world.body": "BODY_FACTORS POSE",
        "world.captions": "caption",
        "world.correlations": "correlate correlation_matrix mix",
        "world.dataset": "AvatarDataset",
        "world.detail": "DETAIL_FACTORS",
        "world.edits": "WORN edit_factors edit_truth swap_factors swap_truth",
        "world.factors": "CORRELATIONS EMBED_SIZE FACTORS INDEX NUM_FACTORS Factor",
        "world.groups": "BODY DETAIL Group UNSEEN register_group",
        "world.rows": "by_name defaults embed from_uniform",
        "world.sampling": "sample sample_in_poses",
        "world.unseen": "UNSEEN_FACTORS",
    },
)
