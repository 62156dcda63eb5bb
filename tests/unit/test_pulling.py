"""A figure that is pulled by its joints, and poses by name, by seed and in a mirror."""

from __future__ import annotations

import math

import pytest
import torch

from stylewidgets import avatars
from stylewidgets.avatars import (
    BODY,
    HEAD_ANGLES,
    JOINTS,
    POSTURES,
    joints,
    limits,
    mirrored,
    posture,
    pulled,
    random_pose,
)
from stylewidgets.avatars.drawing.skeleton import Arm, arm_angles

SIDES = {"left": -1.0, "right": 1.0}


def standing(seed: int) -> dict[str, float]:
    return random_pose(seed).angles


def off(angles: dict[str, float], joint: str, place: tuple[float, float]) -> float:
    """How far the joint is from a place, in picture widths."""
    return math.dist(joints(angles)[joint], place)


@pytest.mark.parametrize("joint", JOINTS)
def test_a_joint_lands_where_it_was_pulled_when_some_pose_has_it_there(joint: str) -> None:
    for seed in (1, 2, 3):
        here, there = standing(seed), standing(seed + 100)
        place = joints({**here, **{name: there[name] for name in JOINTS[joint]}})[joint]
        made = pulled(here, joint, place)
        assert off(made, joint, place) < 0.004
        assert {name for name in made if made[name] != here[name]} <= set(JOINTS[joint])


def test_what_is_out_of_reach_is_come_as_near_to_as_an_arm_is_long() -> None:
    down = posture("arms down").angles
    shoulder, place = joints(down)["shoulder_right"], (1.6, 0.2)
    wrist = joints(pulled(down, "wrist_right", place))["wrist_right"]
    length = (0.9 + 0.8) / 5.6  # of the arm, in picture widths
    assert math.dist(shoulder, wrist) > 0.98 * length
    ways = [math.atan2(at[1] - shoulder[1], at[0] - shoulder[0]) for at in (wrist, place)]
    assert abs(ways[0] - ways[1]) < 0.1


@pytest.mark.parametrize("side", SIDES)
def test_a_pulled_arm_keeps_its_limits_and_stays_off_the_body(side: str) -> None:
    ends, angles = limits(), posture("arms down").angles
    for right, y in ((0.0, 0.6), (0.2, 0.34), (0.25, 0.82), (0.05, 0.5)):  # belly, beside the head, low, chest
        place = (0.5 + SIDES[side] * right, y)
        angles = pulled(angles, f"wrist_{side}", place)
        assert all(ends[name][0] <= angles[name] <= ends[name][1] for name in arm_angles(side))
        given = [torch.tensor([angles[name]]) for name in arm_angles(side)[:4]]
        assert float(Arm.of(SIDES[side], *given).room().min()) > -0.01
        assert off(angles, f"wrist_{side}", place) < 0.02


def test_joints_are_those_of_the_drawn_figure() -> None:
    row = avatars.sample(1, 7, groups=BODY)
    drawn = avatars.render(row, 100, outputs=("landmarks",), groups=BODY, framing="half").landmarks[0]
    known = dict(zip(avatars.by_name(torch.from_numpy(row), BODY), row[0].tolist(), strict=True))
    places = joints({name: known[name] for name in avatars.angles_of()})
    for joint in ("shoulder_left", "elbow_right", "wrist_left", "hip_right"):
        at = drawn[len(avatars.LANDMARKS) + avatars.BODY_LANDMARKS.index(joint)]
        assert math.dist(places[joint], (float(at[0]) / 100, float(at[1]) / 100)) < 1e-5


def test_a_head_alone_has_no_arms_to_pull() -> None:
    straight = dict.fromkeys(HEAD_ANGLES, 0.0)
    assert set(joints(straight, "head")) == {"middle", "neck", "head", "crown", "eye_left", "eye_right"}
    place = joints({**straight, "yaw": 20.0}, "head")["head"]
    assert pulled(straight, "head", place, "head", ("head",))["yaw"] == pytest.approx(20, abs=0.6)
    with pytest.raises(ValueError, match="'head'|head, crown"):
        pulled(straight, "wrist_left", place, "head", ("head",))


def test_every_pose_by_name_is_within_the_limits() -> None:
    ends = limits()
    for name in POSTURES:
        angles = posture(name).angles
        assert set(angles) == set(ends)
        assert all(ends[each][0] <= value <= ends[each][1] for each, value in angles.items()), name
    assert set(posture("profile", ("head",)).angles) == set(HEAD_ANGLES)


def test_the_mirror_image_stands_mirrored_and_twice_is_none() -> None:
    angles = standing(4)
    here, there = joints(angles), joints(mirrored(angles))
    for joint in ("wrist_left", "elbow_left", "shoulder_left", "hand_left"):
        x, y = there[joint.replace("left", "right")]
        assert math.dist(here[joint], (1 - x, y)) < 1e-5
    assert mirrored(mirrored(angles)) == angles


def test_a_random_pose_is_that_of_the_avatar_of_its_seed() -> None:
    assert random_pose(5) == random_pose(5) != random_pose(6)
    one = avatars.Figure(avatars.sample(1, 5, groups=BODY), BODY)
    assert random_pose(5).angles == pytest.approx(one.angles, abs=0.051)
