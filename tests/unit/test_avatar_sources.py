"""Avatars as sources: what the renderer gives, the exact way beside the atlas, and a session that draws them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from stylewidgets import GeneratorSession, Pose, avatars
from stylewidgets.avatars import BODY, Figure
from stylewidgets.avatars.sources import DressedFigure, first_figure
from stylewidgets.avatars.surface import GARMENTS, Surface, light_on
from stylewidgets.generators.families import build
from stylewidgets.generators.posed import Person, PosedConfig

from .. import posed_files

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
    assert exact.exact is not None and atlas.exact is not None
    seen = (exact.exact.known[0, 0] == 1) & (atlas.exact.known[0, 0] == 1) & (exact.body[0, 0] > 0)
    off = (exact.flow[0] - atlas.flow[0]).norm(dim=0)[seen] * SIDE / 2
    assert float(seen.sum()) > 0.6 * float(exact.body.sum()) and float(off.median()) < 0.3


@pytest.mark.parametrize("framing", GROUPS)
def test_the_exact_way_makes_more_of_the_target_than_a_copy(framing: str) -> None:
    one = figure(framing)
    given = one.reposing(turned(one), None, SIDE, slip=False)
    wanted = one.drawn(one.posed(turned(one)), SIDE, "image").image
    assert given.exact is not None
    seen = (given.exact.known[0, 0] == 1) & (given.body[0, 0] > 0)
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


def dressed(part: str = "clothes", strength: float = 1.0) -> tuple[Figure, Figure, DressedFigure]:
    one, other = (Figure(avatars.sample(1, seed, groups=BODY), BODY) for seed in (3, 4))
    return one, other, one.wearing(other, part, strength)


def test_mirrored_twice_a_surface_is_what_it_was_and_limbs_change_sides() -> None:
    one = figure("half")
    surface = Surface.of(one.drawn(one.posed(turned(one)), SIDE, "part", "uv"))
    turned_over = surface.mirrored()
    assert torch.equal(turned_over.mirrored().part, surface.part)
    torch.testing.assert_close(turned_over.mirrored().uv, surface.uv)
    left, right = (avatars.PARTS.index(f"hand_{side}") for side in ("left", "right"))
    assert torch.equal(turned_over.part == right, surface.part == left) and bool((surface.part == left).any())


def test_what_the_source_hides_comes_from_its_other_half_and_the_backdrop_stays() -> None:
    one = Figure(avatars.sample(1, 3, groups=BODY), BODY, "exact", 128)
    given = one.reposing(Pose(yaw=35, joints={"body_turn": 25}), None, SIDE, slip=False)
    assert given.exact is not None
    known, body = given.exact.known[0, 0], given.body[0, 0] > 0
    assert {0.0, 0.5, 1.0} == set(known.unique().tolist())
    assert not bool(((known == 0.5) & ~body).any())
    assert bool(((given.flow[0].abs() <= 1).all(0) == (known > 0)).all())
    line = (torch.arange(SIDE) * 2 + 1) / SIDE - 1
    own = torch.stack([line.expand(SIDE, -1), line[:, None].expand(-1, SIDE)])
    assert torch.equal(given.flow[0][:, ~body & (known > 0)], own[:, ~body & (known > 0)])


def test_the_light_on_a_limb_turns_against_it_and_has_length_one() -> None:
    one = Figure(avatars.sample(1, 3, groups=BODY), BODY)
    still, turned_away = (light_on(one.posed(Pose(yaw=yaw, pitch=0, roll=0)), BODY, "half")[0] for yaw in (0, 30))
    torch.testing.assert_close(still[1:].norm(dim=1), torch.ones(len(avatars.PARTS) - 1))
    skin = avatars.PARTS.index("skin")
    angles = [float(torch.atan2(table[skin, 0], table[skin, 2]).rad2deg()) for table in (still, turned_away)]
    assert abs(angles[0] - angles[1]) == pytest.approx(30, abs=0.1)
    assert not bool(still[0].any())


def test_a_part_of_another_avatar_has_its_place_and_its_strength() -> None:
    one, other, both = dressed()
    given = both.reposing(Pose(), None, SIDE, slip=False)
    assert given.garment is not None
    mask = given.garment.mask[0, 0] > 0
    truth = avatars.swap_truth(one.factors, other.factors, "clothes", SIDE, ("part",), BODY, "half").part[0]
    assert torch.equal(mask, torch.isin(truth.long(), torch.tensor(GARMENTS["clothes"])))
    torch.testing.assert_close(given.garment.picture, other.drawn(other.factors, SIDE, "image").image)  # type: ignore[arg-type]
    half = dressed(strength=0.5)[2].reposing(Pose(), None, SIDE, slip=False).garment
    assert half is not None and float(half.mask.max()) == 0.5
    assert len({thing.digest() for thing in (one, other, both, dressed("hair")[2], dressed(strength=0.5)[2])}) == 5


def test_parts_that_cannot_be_taken_are_refused_with_what_can() -> None:
    one, other, _ = dressed()
    with pytest.raises(ValueError, match="clothes"):
        one.wearing(other, "cloths")
    with pytest.raises(ValueError, match="from 0 to 1"):
        one.wearing(other, "hair", 1.5)
    with pytest.raises(ValueError, match="one kind of rows"):
        one.wearing(figure(), "hair")


def of_avatars() -> GeneratorSession:
    torch.manual_seed(0)
    network = build("posed", PosedConfig.small(SIDE, ngf=4, scales=4, widest=16, parts=len(avatars.PARTS) - 1))
    return GeneratorSession(network)  # type: ignore[arg-type]


def test_a_network_of_avatars_takes_figures_and_refuses_persons_from_files() -> None:
    session = of_avatars()
    source = session.put(figure("half"))
    picture = session.image(session.latent(view=Pose(yaw=10)))
    worn = session.image(session.latent(source=session.put(dressed()[2])))
    assert picture.shape == worn.shape == (SIDE, SIDE, 3) and picture.std() > 0
    surface = posed_files.surface(SIDE)
    person = Person.read(posed_files.picture(SIDE), surface[..., 0] > 0, surface, posed_files.atlas())
    with pytest.raises(ValueError, match="avatars.Figure"):
        session.image(session.latent(source=session.put(person)))
    assert np.array_equal(session.image(session.latent(source=source, view=Pose(yaw=10))), picture)


def test_a_pose_out_of_range_is_refused_where_it_is_drawn_and_the_next_one_is_drawn() -> None:
    session = of_avatars()
    session.put(figure("half"))
    with pytest.raises(ValueError, match=r"elbow_left of this avatar is from 2 to 140 degrees; 170 was given"):
        session.image(session.latent(view=Pose(joints={"elbow_left": 170})))
    assert session.image(session.latent(view=Pose(joints={"elbow_left": 100}))).shape == (SIDE, SIDE, 3)


def test_a_stand_in_gives_way_to_the_first_source_and_pictures_are_never_mixed_up() -> None:
    session = of_avatars()
    generator: Any = session.generator
    generator.stand_in = session.put(first_figure())
    before = session.image(session.latent())
    source = session.put(figure("half"))
    assert generator.first_source == source == session.latent().source
    after = session.image(session.latent())
    assert not np.array_equal(before, after)
    assert np.array_equal(session.image(session.latent(source=generator.stand_in)), before)
    session.put(dressed()[1])
    assert session.latent().source == source


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
