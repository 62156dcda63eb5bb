"""Half figures: torso, arms and patterned clothes, whose truths agree with one another, beside heads that stay as they were."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from stylewidgets.avatars import (
    BODY,
    BODY_FACTORS,
    BODY_LANDMARKS,
    BODY_REGIONS,
    LANDMARKS,
    NUM_FACTORS,
    OUTPUTS,
    PARTS,
    POSE,
    AvatarDataset,
    Render,
    caption,
    defaults,
    edit_factors,
    exact_flow,
    limb_matrices,
    render,
    sample,
    swap_factors,
    swap_truth,
)
from stylewidgets.avatars.drawing import renderer
from stylewidgets.avatars.drawing.skeleton import FORE, SHOULDER, UPPER, held_off, skeleton
from stylewidgets.avatars.drawing.torso import room
from stylewidgets.avatars.world.body import mirrored_name
from stylewidgets.avatars.world.groups import columns

AT = columns(BODY)


def figure(**values: float | str) -> Tensor:
    """A neutral half figure, but for these factors, [1, F]."""
    return edit_factors(defaults(1, BODY), values, groups=BODY)


def half(factors: Tensor, side: int = 64, *outputs: str, orbit: tuple[float, float] = (0.0, 0.0)) -> Render:
    return render(factors, side, outputs=outputs or OUTPUTS, groups=BODY, framing="half", orbit=orbit)


def poses(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """People in two poses each."""
    one = torch.from_numpy(sample(count, seed, groups=BODY))
    other = torch.from_numpy(sample(count, seed + 1000, groups=BODY))
    moved = one.clone()
    turning = [AT.index[name] for name in ("yaw", "pitch", "roll", *POSE)]
    moved[:, turning] = other[:, turning]
    return one, moved


def named(made: Render, *names: str) -> Tensor:
    """Where a part is in front whose name begins so."""
    wanted = [i for i, part in enumerate(PARTS) if part.startswith(names)]
    return torch.isin(made.part, torch.tensor(wanted, dtype=torch.uint8))


@pytest.fixture
def unshaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures without light: the colours that surfaces have."""
    bare: Callable[..., Tensor] = lambda scene, albedo, shade, glow, shine: albedo.clone()  # noqa: E731
    monkeypatch.setattr(renderer, "_light", bare)


def test_a_head_is_the_same_picture_and_the_same_words_whether_its_row_has_a_body() -> None:
    rows = torch.from_numpy(sample(4, seed=5, groups=BODY))
    for orbit in ((0.0, 0.0), (40.0, -20.0)):
        alone = render(rows[:, :NUM_FACTORS], 48, outputs=OUTPUTS, orbit=orbit)
        beside = render(rows, 48, outputs=OUTPUTS, groups=BODY, orbit=orbit)
        for name in OUTPUTS:
            one, other = getattr(alone, name), getattr(beside, name)
            assert all(map(torch.equal, one, other)) if name == "camera" else torch.equal(one, other), name
    assert caption(rows[0], 3, BODY) == caption(rows[0, :NUM_FACTORS], 3)


def test_the_columns_of_the_body_come_behind_and_change_none_of_the_head() -> None:
    rows = sample(50, seed=3, groups=BODY)
    np.testing.assert_array_equal(rows[:, :NUM_FACTORS], sample(50, seed=3))
    np.testing.assert_array_equal(rows[:, NUM_FACTORS:], sample(50, seed=3, groups=("body",)))
    assert len(POSE) == 13 and len(BODY_FACTORS) == 19


def test_a_part_keeps_its_number() -> None:
    assert PARTS.index("glasses") == 12
    assert PARTS[13:26] == (
        "torso",
        "sleeve_left",
        "sleeve_right",
        "upper_arm_left",
        "upper_arm_right",
        "forearm_sleeve_left",
        "forearm_sleeve_right",
        "forearm_left",
        "forearm_right",
        "hand_left",
        "hand_right",
        "thumb_left",
        "thumb_right",
    )


@pytest.mark.parametrize("factor", BODY_FACTORS, ids=lambda f: f.name)
def test_every_factor_of_the_body_changes_the_picture(factor) -> None:
    dressed = {"badge_letter": "badge", "pattern": "plain"}.get(factor.name, "stripes")
    # a bent arm shows its twist
    base = figure(pattern=dressed, elbow_left=70.0, elbow_right=70.0, arm_left_raise=40.0, arm_right_raise=40.0)
    low, high = (base.clone() for _ in range(2))
    low[0, AT.index[factor.name]] = factor.low
    high[0, AT.index[factor.name]] = (factor.low + 180) if factor.kind == "circular" else factor.high
    one, other = half(torch.cat([low, high]), 64, "image").image
    assert (one - other).abs().max() > 0.2


def test_joints_lie_in_the_parts_that_they_hold() -> None:
    arms = {f"arm_{s}_{what}": value for s in ("left", "right") for what, value in (("raise", 75.0), ("swing", 10.0))}
    holding = {
        "shoulder": ("torso", "sleeve"),
        "elbow": ("upper_arm", "forearm", "sleeve"),
        "wrist": ("forearm", "hand", "thumb"),
    }
    for sleeves in ("short", "long"):
        made = half(figure(sleeves=sleeves, elbow_left=50.0, elbow_right=50.0, **arms), 128)
        for name, (x, y) in zip(BODY_LANDMARKS, made.landmarks[0, len(LANDMARKS) :].tolist(), strict=True):
            joint, side = name.split("_")
            part = PARTS[int(made.part[0, int(y), int(x)])]
            assert part.startswith(holding.get(joint, "torso")), (name, part)
            assert not part.endswith("left" if side == "right" else "right")


@pytest.mark.slow
def test_no_joint_is_before_the_surface_that_it_is_in() -> None:
    made = half(torch.from_numpy(sample(40, seed=2, groups=BODY)), 96, "depth", "points", "camera")
    place = made.camera.project(made.points)[:, len(LANDMARKS) :]
    x, y = place[..., 0].floor().long(), place[..., 1].floor().long()
    shown = (x >= 0) & (x < 96) & (y >= 0) & (y < 96)
    front = made.depth[torch.arange(40)[:, None], y.clamp(0, 95), x.clamp(0, 95)]
    assert shown.float().mean() > 0.95 and (front < place[..., 2])[shown].all()


def test_arms_stay_out_of_the_torso_where_joints_allow_it() -> None:
    v = {
        name: torch.from_numpy(column)
        for name, column in zip(AT.names, sample(200, seed=6, groups=BODY).T, strict=True)
    }
    raised, swing, twist = (v[f"arm_right_{name}"] for name in ("raise", "swing", "twist"))
    elbow = v["elbow_right"]
    turned, bent = held_off(1.0, raised, swing, twist, elbow)
    assert (turned <= twist + 1e-4).all() and (bent <= elbow + 1e-4).all()
    still = renderer.frames({**v, "yaw": v["yaw"] * 0}, half=False)[1]
    before = skeleton(v, still)

    def wrists(right_twist: Tensor, right_elbow: Tensor) -> Tensor:
        limbs = skeleton({**v, "arm_right_twist": right_twist, "elbow_right": right_elbow}, still)
        return limbs["hand_right"].origin

    x, y, z = before["hand_right"].origin.unbind(1)
    assert (room(x, y, z, 0.1) >= 0).all()
    assert torch.allclose(
        wrists(turned, bent), before["hand_right"].origin, atol=0.02
    )  # they stay where they were held
    assert 0.05 < float(((twist - turned).abs() > 0.5).float().mean()) < 0.6  # some are held off, most are as asked


def test_limbs_have_their_lengths_in_every_pose() -> None:
    rows = torch.from_numpy(sample(20, seed=8, groups=BODY))
    at = {name: matrix[:, :3, 3] for name, matrix in limb_matrices(rows).items()}
    for side in ("left", "right"):
        upper = (at[f"forearm_{side}"] - at[f"upper_arm_{side}"]).norm(dim=1)
        fore = (at[f"hand_{side}"] - at[f"forearm_{side}"]).norm(dim=1)
        assert torch.allclose(upper, torch.tensor(UPPER), atol=1e-5) and torch.allclose(
            fore, torch.tensor(FORE), atol=1e-5
        )
    apart = (at["upper_arm_left"] - at["upper_arm_right"]).norm(dim=1)
    assert torch.allclose(apart, torch.tensor(2 * SHOULDER[0]), atol=1e-5)


@pytest.mark.slow
def test_a_mirrored_pose_is_the_mirrored_picture() -> None:
    rows = torch.from_numpy(sample(12, seed=4, groups=BODY))
    for name, value in (("hair_style", 0.0), ("hat", 0.0), ("glasses", 0.0), ("light_azimuth", 0.0)):
        rows[:, AT.index[name]] = value
    rows[:, AT.index["pattern"]] = torch.arange(12) % 3
    other = rows[:, [AT.index[mirrored_name(name)] for name in AT.names]].clone()
    for name in ("yaw", "roll", "gaze_x", "body_turn", "body_lean"):
        other[:, AT.index[name]] *= -1
    one, mirror = half(rows), half(other)
    closed = torch.tensor([[PARTS.index(part)] for part in PARTS], dtype=torch.uint8)
    swapped = torch.tensor([PARTS.index(mirrored_name(part)) for part in PARTS], dtype=torch.uint8)
    assert torch.equal(closed[:, 0][swapped.long()], swapped)
    assert (swapped[one.part.long()].flip(2) != mirror.part).float().mean() < 2e-3
    body = named(mirror, *PARTS[PARTS.index("torso") :])
    differs = (one.image.flip(3) - mirror.image).abs().amax(1)
    assert (differs > 0.05)[body].float().mean() < 5e-3
    u = torch.stack([1 - one.uv[:, 0], one.uv[:, 1]], 1).flip(3)
    off = ((u - mirror.uv + 0.5) % 1 - 0.5).abs().amax(1)
    assert off[body].quantile(0.99) < 1e-3


def test_a_batch_gives_the_same_figures_as_one_at_a_time() -> None:
    rows = torch.from_numpy(sample(5, seed=9, groups=BODY))
    together = half(rows, 32)
    for i in (0, 2, 4):
        alone = half(rows[i : i + 1], 32)
        assert (together.image[i] - alone.image[0]).abs().max() < 2e-3
        for name in ("depth", "uv", "landmarks"):
            near = torch.isclose(getattr(together, name)[i], getattr(alone, name)[0], atol=1e-3)
            assert near.float().mean() > 0.999, name
        assert (together.part[i] != alone.part[0]).float().mean() < 1e-3


@pytest.mark.slow
def test_surface_coordinates_stay_with_the_point_when_the_pose_changes() -> None:
    one, other = poses(8, seed=5)
    source, target, flow = half(one, 96, "uv"), half(other, 96, "uv", "part"), exact_flow(one, other, 96)
    grid = flow.places * (2 / 96) - 1
    there = torch.nn.functional.grid_sample(source.uv, grid, mode="nearest", align_corners=False)
    off = ((there - target.uv + 0.5) % 1 - 0.5).abs()
    on_body = flow.seen & (target.part >= PARTS.index("torso"))
    assert on_body.sum() > 8000
    # a pixel is 0.058 of a head: up to a half of one, on a chart that is 3.4 heads high or 1.4
    assert off.amax(1)[on_body].median() < 0.01 and off[:, 1][on_body].quantile(0.99) < 0.05


@pytest.mark.slow
def test_part_and_coordinates_carry_one_pose_to_the_colours_of_another(unshaded: None) -> None:
    one, other = poses(6, seed=11)
    source, target = half(one, 128, "image", "part", "uv"), half(other, 128, "image", "part", "uv")
    off, still = [], []
    for i in range(6):
        for part in range(PARTS.index("torso"), len(PARTS)):
            here, there = (target.part[i] == part).nonzero(), (source.part[i] == part).nonzero()
            if not len(here) or not len(there):
                continue
            gap, nearest = torch.cdist(_chart(target, i, here), _chart(source, i, there)).min(1)
            known = gap < 0.015
            wanted = _colours(target, i, here)[known]
            off.append((wanted - _colours(source, i, there[nearest[known]])).abs().mean(1))
            still.append((wanted - _colours(source, i, here[known])).abs().mean(1))
    error, copied = torch.cat(off), torch.cat(still)
    assert len(error) > 8000
    assert error.median() < 1e-3 and (error < 0.05).float().mean() > 0.8  # what is left is at edges of the pattern
    assert error.mean() < 0.25 * copied.mean()


def _chart(made: Render, i: int, places: Tensor) -> Tensor:
    """u as a point of a circle, and v."""
    u, v = made.uv[i][:, places[:, 0], places[:, 1]]
    angle = 2 * torch.pi * u
    return torch.stack([0.12 * angle.sin(), 0.12 * angle.cos(), v], 1)


def _colours(made: Render, i: int, places: Tensor) -> Tensor:
    return made.image[i][:, places[:, 0], places[:, 1]].T


@pytest.mark.slow
def test_the_exact_flow_brings_the_source_to_the_target(unshaded: None) -> None:
    one, other = poses(6, seed=3)
    source, target, flow = half(one, 128, "image"), half(other, 128, "image", "part"), exact_flow(one, other)
    warped = torch.nn.functional.grid_sample(source.image, flow.places * (2 / 128) - 1, align_corners=False)
    on_body = flow.seen & (target.part >= PARTS.index("torso"))
    error, copied = ((x - target.image).abs().mean(1)[on_body] for x in (warped, source.image))
    assert error.median() < 1e-3 and error.mean() < 0.25 * copied.mean()
    same = exact_flow(one, one, 64)
    rows, across = torch.meshgrid(torch.arange(64) + 0.5, torch.arange(64) + 0.5, indexing="ij")
    assert (same.places - torch.stack([across, rows], 2)).abs().max() < 1e-3
    assert torch.equal(same.seen, half(one, 64, "depth").depth.isfinite())


@pytest.mark.slow
def test_two_orbits_of_a_figure_show_one_scene() -> None:
    rows = torch.from_numpy(sample(4, seed=12, groups=BODY))
    front, side = half(rows, 96, "camera", "depth", "part"), half(rows, 96, "depth", "part", orbit=(35.0, 10.0))
    here, there = limb_matrices(rows), limb_matrices(rows, orbit=(35.0, 10.0))
    nearest = -torch.nn.functional.max_pool2d(
        -side.depth.nan_to_num(posinf=99.0), 3, 1, 1
    )  # of a pixel and its neighbours
    for name in ("body", "forearm_left", "forearm_right"):
        parts = ("torso",) if name == "body" else (name, name.replace("forearm", "forearm_sleeve"))
        i, y, x = named(front, *parts).nonzero().unbind(1)
        pixel = torch.stack([x + 0.5, y + 0.5, front.depth[i, y, x], torch.ones(len(i))], 1)[:, :, None]
        local = torch.linalg.inv(front.camera.pixels[i] @ here[name][i]) @ pixel
        px, py, depth, _ = (front.camera.pixels[i] @ there[name][i] @ local)[:, :, 0].unbind(1)
        inside_ = (px > 0) & (px < 96) & (py > 0) & (py < 96)
        at = i[inside_], py[inside_].long(), px[inside_].long()
        assert (depth[inside_] - nearest[at] > -0.06).float().mean() > 0.995, name  # nobody sees behind what is there
        assert ((depth[inside_] - side.depth[at]).abs() < 0.06).float().mean() > 0.4, name


def test_segmentation_names_what_is_painted() -> None:
    made = half(figure(pattern="badge", badge_letter="K", sleeves="short"), 128)
    there = {BODY_REGIONS[i] for i in made.segmentation.unique().tolist()}
    assert {
        "torso",
        "trousers",
        "badge",
        "sleeve_left",
        "upper_arm_right",
        "forearm_left",
        "hand_right",
        "neck",
    } <= there
    badge = made.segmentation[0] == BODY_REGIONS.index("badge")
    assert named(made, "torso")[0][badge].float().mean() > 0.97
    long = half(figure(sleeves="long"), 128, "segmentation").segmentation
    assert not (long == BODY_REGIONS.index("forearm_left")).any() and (long == BODY_REGIONS.index("sleeve_left")).any()


@pytest.mark.slow
def test_the_letter_on_a_badge_is_told_from_the_others_in_another_pose() -> None:
    letters = "AEHKNTXZ"
    rows = torch.cat([figure(pattern="badge", badge_letter=letter) for letter in letters])
    posed = edit_factors(rows, {"body_turn": 8.0, "body_lean": 2.0}, groups=BODY)
    still, moved = (half(x, 128, "image", "uv", "part") for x in (rows, posed))
    near = ((moved.uv[:, 0] - 0.5).abs() < 0.1) & ((moved.uv[:, 1] - 0.36).abs() < 0.1)
    chest = (named(moved, "torso") & near)[0].nonzero()
    torso = named(still, "torso")[0].nonzero()
    known = torch.cdist(_chart(moved, 0, chest), _chart(still, 0, torso)).argmin(1)
    for i in range(8):
        seen = _colours(moved, i, chest)
        off = [float((seen - _colours(still, k, torso[known])).abs().mean()) for k in range(8)]
        assert letters[int(np.argmin(off))] == letters[i]


def test_arms_go_before_and_behind_the_torso() -> None:
    before = half(figure(arm_left_swing=35.0, arm_left_twist=80.0, elbow_left=85.0), 96)
    behind = half(figure(arm_left_swing=-35.0, arm_left_twist=80.0, elbow_left=60.0), 96)
    arm = named(before, "hand_left", "forearm_left", "forearm_sleeve_left")
    torso = named(half(figure(arm_left_raise=90.0), 96), "torso")
    assert (arm & torso).sum() > 60 > (named(behind, "hand_left", "thumb_left") & torso).sum()


def test_a_caption_tells_of_arms_and_patterns_only_where_they_are_seen() -> None:
    row = figure(arm_left_raise=120.0, pattern="badge", badge_letter="K", pattern_hue=0.0, pattern_lightness=0.5)[0]
    told = caption(row, groups=BODY, framing="half")
    for phrase in ("the left arm raised", "long sleeves and a red badge with the letter K"):
        assert phrase in told and phrase not in caption(row, groups=BODY)
    for variant in range(40):
        for other in sample(3, seed=variant, groups=BODY):
            said = caption(other, variant, BODY, "half")
            assert "{" not in said and "  " not in said and ", ," not in said
            assert ("stripes" in said) == (other[AT.index["pattern"]] == 1)


def test_clothes_of_another_person_come_alone() -> None:
    rows = torch.from_numpy(sample(5, seed=1, groups=BODY))
    others = torch.from_numpy(sample(5, seed=2, groups=BODY))
    mixed = swap_factors(rows, others, "clothes", BODY)
    worn = [AT.index[name] for name in ("clothes_hue", "sleeves", "pattern", "badge_letter")]
    kept = [AT.index[name] for name in (*POSE, "skin_tone", "hair_style")]
    assert torch.equal(mixed[:, worn], others[:, worn]) and torch.equal(mixed[:, kept], rows[:, kept])
    truth = swap_truth(rows, others, "clothes", 48, groups=BODY, framing="half")
    assert torch.equal(truth.image, half(mixed, 48, "image").image)
    head = swap_factors(rows[:, :NUM_FACTORS], others[:, :NUM_FACTORS], ("clothes", "glasses"))
    assert torch.equal(head[:, 29:31], others[:, 29:31]) and torch.equal(head[:, 26], others[:, 26])
    with pytest.raises(ValueError, match="did you mean 'clothes'"):
        swap_factors(rows, others, "cloths", BODY)


def test_a_data_set_of_half_figures_has_all_truths() -> None:
    item = AvatarDataset(seed=3, n=4, resolution=32, groups=BODY, framing="half")[2]
    assert item["landmarks"].shape == (len(LANDMARKS) + 8, 2) and item["factors"].shape == (len(AT),)
    assert int(item["part"].max()) >= PARTS.index("torso") and "sleeves" in item["caption"]
    assert item["uv"].min() >= -1 and item["uv"].max() <= 1 + 1e-6


@pytest.mark.slow
def test_gradients_reach_the_factors_of_the_body() -> None:
    rows = figure(pattern="stripes").requires_grad_()
    render(rows, 32, outputs=("image",), grad=True, groups=BODY, framing="half").image.square().sum().backward()
    assert rows.grad is not None and rows.grad.isfinite().all()
    assert float(rows.grad[0, AT.index["pattern_lightness"]].abs()) > 0


def test_a_body_that_is_not_there_cannot_be_shown() -> None:
    with pytest.raises(ValueError, match=r'groups=\("head", "body"\)'):
        render(torch.from_numpy(defaults()), 32, framing="half")
    with pytest.raises(ValueError, match="no framing 'whole'; accepted: head, half"):
        render(torch.from_numpy(defaults(1, BODY)), 32, groups=BODY, framing="whole")
    with pytest.raises(ValueError, match='framing "half"'):
        AvatarDataset(framing="half")
