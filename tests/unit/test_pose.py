"""The pose of a source as a view: values, files, ways between two."""

from __future__ import annotations

from pathlib import Path

import pytest

from stylewidgets import Latent, Pose

HASH = "0123456789abcdef" * 4


def test_a_pose_goes_to_a_file_and_back(tmp_path: Path) -> None:
    for pose in (Pose(yaw=20, joints={"elbow_left": 30}), Pose(iuv=HASH)):
        latent = Latent(seed=3, view=pose, source=HASH)
        latent.save(tmp_path / "a.json")
        assert Latent.load(tmp_path / "a.json") == latent
        assert Latent(pose=pose).view == pose and pose.kind == "pose"


def test_the_neutral_pose_is_false_and_states_nothing() -> None:
    assert (
        not Pose()
        and Pose().angles == {}
        and Pose(yaw=0)
        and Pose(joints={"elbow_left": 5}).angles == {"elbow_left": 5}
    )


def test_between_two_poses_angles_that_both_state_move_and_others_are_the_nearer_ones() -> None:
    a, b = Pose(yaw=0, joints={"elbow_left": 10}), Pose(yaw=40, pitch=10)
    assert a.towards(b, 0.25) == Pose(yaw=10, joints={"elbow_left": 10})
    assert a.towards(b, 0.75) == Pose(yaw=30, pitch=10)
    assert Pose(iuv=HASH).towards(a, 0.4) == Pose(iuv=HASH)


def test_a_pose_states_what_it_leaves_to_its_source() -> None:
    own = {"yaw": 5.0, "pitch": 1.0, "elbow_left": 30.0}
    assert Pose().stating(own) == Pose(yaw=5, pitch=1, joints={"elbow_left": 30})
    assert Pose(pitch=9, joints={"elbow_left": 2}).stating(own) == Pose(yaw=5, pitch=9, joints={"elbow_left": 2})
    assert Pose(iuv=HASH).stating(own) == Pose(iuv=HASH)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"yaw": 181}, "yaw of a pose"),
        ({"pitch": float("nan")}, "pitch of a pose"),
        ({"iuv": "a"}, "64 hexadecimal digits"),
        ({"iuv": HASH, "yaw": 1}, "both were given"),
        ({"joints": {"yaw": 3}}, "not yaw, pitch or roll"),
        ({"joints": {"elbow_left": 1000}}, "elbow_left"),
    ],
)
def test_what_is_no_pose_is_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Pose(**values)  # type: ignore[arg-type]
