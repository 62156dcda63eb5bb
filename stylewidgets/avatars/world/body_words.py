"""What a caption says of a half figure: arms, sleeves and patterns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .body import LETTERS
from .words import colour_words

Values = Mapping[str, float]
Pick = Callable[[str, Sequence[str]], str]

_WIDTHS = {0: ("fine ", "narrow "), 1: ("",), 2: ("broad ", "wide ")}


def pose_words(v: Values, pick: Pick) -> str:
    """What torso and arms do, "" where there is nothing to say; `v` has natural units."""
    return ", ".join(said for said in (_turn(v, pick), _arms(v, pick)) if said)


def _turn(v: Values, pick: Pick) -> str:
    turn = v["body_turn"] + 0.25 * v["yaw"]
    if abs(turn) < 12:
        return ""
    side = "left" if turn < 0 else "right"
    return pick("turn", (f"the body turned to the {side}", f"shoulders turned to the {side}"))


def _arms(v: Values, pick: Pick) -> str:
    doing = {side: _arm(v, side) for side in ("left", "right")}
    if doing["left"] == doing["right"]:
        return doing["left"] and pick("arms " + doing["left"], _BOTH[doing["left"]])
    said = (pick(f"arm {what}", _ONE[what]).format(side) for side, what in doing.items() if what)
    return " and ".join(said)


def _arm(v: Values, side: str) -> str:
    """What an arm does, as a key of _ONE; "" where it is between two of them."""
    up, swing, elbow = v[f"arm_{side}_raise"], v[f"arm_{side}_swing"], v[f"elbow_{side}"]
    if up >= 100:
        return "up"
    if up >= 55:
        return "out"
    if elbow >= 75:
        return "bent"
    if swing >= 50:
        return "forward"
    return "down" if up < 30 and elbow < 35 and abs(swing) < 30 else ""


_ONE = {
    "up": ("the {} arm raised", "the {} arm up in the air"),
    "out": ("the {} arm spread sideways", "the {} arm held out to the side"),
    "bent": ("the {} elbow bent", "the {} arm bent"),
    "forward": ("the {} arm stretched forward", "the {} arm held out in front"),
    "down": ("the {} arm hanging down", "the {} arm at the side"),
}
_BOTH = {
    "up": ("both arms raised", "both arms up in the air"),
    "out": ("both arms spread", "both arms held out to the sides"),
    "bent": ("both elbows bent", "both arms bent"),
    "forward": ("both arms stretched forward", "both arms held out in front"),
    "down": ("both arms hanging down", "arms at the sides"),
}


def clothes_words(v: Values, pick: Pick) -> str:
    """Sleeves and pattern, to be said behind "with"."""
    sleeves = ("short sleeves", "long sleeves")[round(v["sleeves"])]
    pattern = ("plain", "stripes", "checks", "badge")[round(v["pattern"])]
    if pattern == "plain":
        return sleeves
    colour = colour_words(v["pattern_hue"], v["pattern_lightness"])
    if pattern == "badge":
        letter = LETTERS[round(v["badge_letter"])]
        said = pick("badge", (f"a {colour} badge with the letter {letter}", f"the letter {letter} on a {colour} badge"))
        said = said.replace("a orange", "an orange").replace("a olive", "an olive")
    else:
        size = v["pattern_size"]
        said = pick("width", _WIDTHS[0 if size < 0.3 else 2 if size >= 0.7 else 1]) + f"{colour} {pattern}"
    return f"{sleeves} and {said}"
