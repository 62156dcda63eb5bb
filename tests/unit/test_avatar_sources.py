"""Avatars as sources: what the renderer gives, the exact way beside the atlas, and a session that draws them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from stylewidgets import GeneratorSession, Pose, avatars
from stylewidgets.avatars import Figure
from stylewidgets.generators.families import build
from stylewidgets.generators.posed import PosedConfig

SIDE = 32
GROUPS = {"head": ("head",), "half": ("head", "body")}


def figure(framing: str = "head", way: str = "exact") -> Figure:
    return Figure(avatars.sample(1, 3, groups=GROUPS[framing]), GROUPS[framing], way, 128)


def turned(one: Figure) -> Pose:
    return Pose(yaw=15, joints={"arm_left_raise": 60.0} if one.framing == "half" else {})


@pytest.mark.parametrize("framing", GROUPS)
def test_in_its_own_pose_each_pixel_finds_itself_by_either_way(framing: str) -> None:
    line = (torch.arange(SIDE) * 2 + 1) / SIDE - 1
    own = torch.stack([line.expand(SIDE, -1), line[:, None].expand(-1, SIDE)])
    for way in ("exact", "atlas"):
        given = figure(framing, way).reposing(Pose(), None, SIDE, slip=False)
        body = given.body[0, 0] > 0
        off = (given.flow[0] - own).norm(dim=0)[body] * SIDE / 2
        assert float(off.quantile(0.95)) < 1e-3 if way == "exact" else float(off.median()) < 0.3


@pytest.mark.parametrize("framing", GROUPS)
def test_both_ways_lead_to_the_same_pixel_where_the_source_shows_it(framing: str) -> None:
    exact, atlas = (
        figure(framing, way).reposing(turned(figure(framing)), None, SIDE, slip=False) for way in ("exact", "atlas")
    )
    assert torch.equal(exact.pose, atlas.pose) and torch.equal(exact.picture, atlas.picture)
    seen = (exact.flow[0].abs() <= 1).all(0) & (atlas.flow[0].abs() <= 1).all(0)
    off = (exact.flow[0] - atlas.flow[0]).norm(dim=0)[seen] * SIDE / 2
    assert float(seen.sum()) > 0.6 * float(exact.body.sum()) and float(off.median()) < 0.3


@pytest.mark.parametrize("framing", GROUPS)
def test_the_exact_way_makes_more_of_the_target_than_a_copy(framing: str) -> None:
    one = figure(framing)
    given = one.reposing(turned(one), None, SIDE, slip=False)
    wanted = one.drawn(one.posed(turned(one)), SIDE, "image").image
    seen = (given.flow[0].abs() <= 1).all(0)
    carried = F.grid_sample(given.picture, given.flow.permute(0, 2, 3, 1), align_corners=False)
    left = [float((picture - wanted).abs()[0][:, seen].mean()) for picture in (carried, given.picture)]
    assert left[0] < 0.8 * left[1]


def test_a_session_draws_an_avatar_in_a_pose_and_repeats_it() -> None:
    torch.manual_seed(0)
    session = GeneratorSession(build("posed", PosedConfig.small(SIDE, ngf=4, scales=4, widest=16)))  # type: ignore[arg-type]
    one, other = figure(), Figure(avatars.sample(1, 4))
    first, second = session.put(one), session.put(other)
    still, moved = session.latent(), session.latent(pose=Pose(yaw=15))
    assert still.source == first
    pictures = session.images([still, moved, still.replace(source=second), moved])
    assert np.array_equal(pictures[1], pictures[3]) and np.array_equal(pictures[0], session.image(still))
    assert not any(np.array_equal(pictures[0], other) for other in pictures[1:3])


def test_poses_that_an_avatar_cannot_take_are_refused_with_what_it_can() -> None:
    one = figure()
    with pytest.raises(ValueError, match=r"yaw of this avatar is from .* 170 was given"):
        one.posed(Pose(yaw=170))
    with pytest.raises(ValueError, match="elbow_left"):
        one.posed(Pose(joints={"elbow_left": 10}))
    with pytest.raises(ValueError, match="takes angles"):
        one.posed(Pose(iuv="0" * 64))


def test_the_small_network_for_training_has_the_size_that_was_planned() -> None:
    network = build("posed", PosedConfig.small())
    assert network.config.sizes == (8, 16, 32, 64)  # type: ignore[union-attr]
    assert sum(p.numel() for p in network.parameters()) == 641_541
