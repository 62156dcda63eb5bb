"""What directions have to do with each other, by their names and how they were found: for lists that people read."""

from __future__ import annotations

from collections.abc import Iterable

from ..latent.direction import Direction

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("clothes and background", ("clothes", "background", "shirt", "tie", "necklace", "earring")),
    ("eyes", ("eye", "iris", "gaze", "brow", "glasses", "lash")),
    ("mouth and nose", ("smile", "mouth", "lip", "teeth", "nose", "beard", "moustache", "mustache", "goatee")),
    ("hair and hat", ("hair", "fringe", "bang", "bald", "hat", "curl", "sideburn")),
    ("skin", ("skin", "blush", "cheek", "freckle", "makeup", "pale")),
    ("light", ("light", "azimuth", "elevation", "shadow", "brightness")),
    (
        "head",
        (
            "yaw",
            "pitch",
            "roll",
            "pose",
            "head",
            "face",
            "jaw",
            "chin",
            "age",
            "young",
            "old",
            "gender",
            "male",
            "rotat",
        ),
    ),
)
"""Words in a name, and what they are about. Of several the first counts: an "eyebrow" is no forehead."""

ORDER = ("head", "eyes", "mouth and nose", "hair and hat", "skin", "light", "clothes and background", "others")
FOUND = {"pca": "found by PCA", "sefa": "found by SeFa", "ica": "found by ICA"}
"""Directions that no one has named: the first word of their name or source says how they were found."""


def group_of(direction: Direction) -> str:
    """The group that a direction belongs to, one of `ORDER` or of the values of `FOUND`."""
    first = direction.name.lower().split(maxsplit=1)[:1]
    if first and first[0] in FOUND:
        return FOUND[first[0]]
    name = direction.name.lower()
    return next((group for group, words in GROUPS if any(word in name for word in words)), "others")


def grouped(directions: Iterable[Direction]) -> dict[str, list[Direction]]:
    """Directions by group, the groups in the order of `ORDER` and then those that were found; none is empty."""
    found: dict[str, list[Direction]] = {name: [] for name in (*ORDER, *FOUND.values())}
    for direction in directions:
        found[group_of(direction)].append(direction)
    return {name: members for name, members in found.items() if members}
