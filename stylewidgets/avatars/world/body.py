"""The factors of a half figure: how torso and arms stand, and what is worn. They come behind those of the head.

Left and right are the picture's, as for landmarks. A mirrored figure has the values of left and right exchanged.
"""

from __future__ import annotations

from .factors import PLEASANT_HUES, Factor, angle, bell, choice, number

LETTERS = "AEHKNTXZ"
"""What a badge may say."""


def _arm(side: str) -> tuple[Factor, ...]:
    """An arm hangs at 0; joint limits are those of a person, see `drawing.skeleton`."""
    return (
        number(f"arm_{side}_raise", 6, 150, 14, "degrees, sideways and up", (6, 9, 12, 16, 22, 32, 52, 88, 150)),
        number(f"arm_{side}_swing", -35, 95, 6, "degrees, forward", (-35, -12, 0, 8, 16, 27, 42, 62, 95)),
        number(f"arm_{side}_twist", -85, 80, 20, "degrees, inward", (-85, -45, -14, 5, 16, 28, 42, 58, 80)),
        number(f"elbow_{side}", 2, 140, 22, "degrees, bent", (2, 10, 22, 38, 58, 80, 100, 118, 140)),
        number(f"hand_{side}", -35, 35, 0, "degrees, palm inward", bell(-35, 35)),
    )


BODY_FACTORS: tuple[Factor, ...] = (
    number("body_turn", -30, 30, 0, "degrees, besides a quarter of the head's yaw", bell(-30, 30)),
    number("body_lean", -8, 8, 0, "degrees, anticlockwise", bell(-8, 8)),
    number("body_bend", -6, 10, 0, "degrees, forward", (-6, -3, -1, 0, 1, 2, 4, 6, 10)),
    *_arm("left"),
    *_arm("right"),
    choice("sleeves", "long", short=0.5, long=0.5),
    choice("pattern", "plain", plain=0.25, stripes=0.25, checks=0.25, badge=0.25),
    angle("pattern_hue", 40, PLEASANT_HUES),
    number("pattern_lightness", 0.1, 0.95, 0.9),
    number("pattern_size", 0, 1, 0.5, "0 fine, 1 broad"),
    choice("badge_letter", "A", **dict.fromkeys(LETTERS, 1 / len(LETTERS))),
)
"""Thirteen angles of torso and arms, then six factors of the clothes; their colour is the head's clothes_hue."""

POSE = tuple(factor.name for factor in BODY_FACTORS[:13])
"""The names of the angles."""

BODY_CORRELATIONS: tuple[tuple[str, str, float], ...] = (
    # both arms do alike more often than not, and who lifts an arm bends it
    ("arm_left_raise", "arm_right_raise", 0.45),
    ("arm_left_swing", "arm_right_swing", 0.35),
    ("elbow_left", "elbow_right", 0.40),
    ("arm_left_swing", "elbow_left", 0.30),
    ("arm_right_swing", "elbow_right", 0.30),
    ("body_turn", "body_lean", 0.25),
)


def mirrored_name(name: str) -> str:
    """The factor of the other side: arm_left_raise for arm_right_raise, and itself for what has no side."""
    parts = {"left": "right", "right": "left"}
    return "_".join(parts.get(word, word) for word in name.split("_"))
