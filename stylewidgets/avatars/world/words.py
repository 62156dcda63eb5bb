"""The words for factors: for every stretch of a factor's range a few phrases that mean the same."""

from __future__ import annotations

from typing import NamedTuple


class Level(NamedTuple):
    """Phrases that are true while low <= value < high (the last level of a factor includes high)."""

    low: float
    high: float
    phrases: tuple[str, ...]


def _levels(*levels: tuple[float, float, str]) -> tuple[Level, ...]:
    return tuple(Level(low, high, tuple(words.split("|"))) for low, high, words in levels)


LEVELS: dict[str, tuple[Level, ...]] = {
    "yaw": _levels(
        (-35, -22, "turned far to the left|facing well to the left"),
        (-22, -9, "turned to the left|facing left"),
        (-9, 9, "seen from the front|facing the viewer"),
        (9, 22, "turned to the right|facing right"),
        (22, 35, "turned far to the right|facing well to the right"),
    ),
    "pitch": _levels((-15, -5, "looking down|with the chin lowered"), (5, 15, "looking up|with the chin raised")),
    "roll": _levels(
        (-10, -3.5, "the head tilted to the right|leaning to the right"),
        (3.5, 10, "the head tilted to the left|leaning to the left"),
    ),
    "light_azimuth": _levels(
        (-70, -15, "lit from the left|with light from the left"),
        (-15, 15, "lit from the front|with light from the front"),
        (15, 70, "lit from the right|with light from the right"),
    ),
    "light_elevation": _levels((5, 18, "at a low angle|low down"), (42, 60, "at a steep angle|high above")),
    "skin_tone": _levels(
        (0, 0.3, "light skin|a fair complexion"),
        (0.3, 0.55, "tan skin|a tanned complexion"),
        (0.55, 0.78, "brown skin|a brown complexion"),
        (0.78, 1, "very dark skin|a deep dark complexion"),
    ),
    "face_width": _levels((-1, -0.3, "narrow|slim"), (0.3, 1, "wide|broad")),
    "jaw": _levels((-1, -0.3, "a pointed chin|a narrow jaw"), (0.3, 1, "a square jaw|a strong jaw")),
    "eye_size": _levels((-1, -0.3, "small|little"), (0.3, 1, "large|big")),
    "gaze_x": _levels(
        (-1, -0.3, "glancing left|looking aside to the left"), (0.3, 1, "glancing right|looking aside to the right")
    ),
    "gaze_y": _levels((-1, -0.35, "glancing downwards|cast downwards"), (0.35, 1, "glancing upwards|cast upwards")),
    "brow_height": _levels((-1, -0.35, "low|lowered"), (0.35, 1, "raised|high")),
    "brow_angle": _levels((-1, -0.35, "worried|anxious"), (0.35, 1, "stern|frowning")),
    "brow_thickness": _levels((0, 0.3, "thin|fine"), (0.3, 0.65, "medium|ordinary"), (0.65, 1, "thick|bushy")),
    "nose_size": _levels(
        (0, 0.28, "a small nose|a little nose"),
        (0.28, 0.68, "a medium nose|a nose of middling size"),
        (0.68, 1, "a big nose|a large nose"),
    ),
    "smile": _levels(
        (-1, -0.25, "sad|unhappy"),
        (-0.25, 0.2, "calm|neutral"),
        (0.2, 0.7, "smiling|cheerful"),
        (0.7, 1, "beaming|broadly grinning"),
    ),
    "mouth_open": _levels(
        (0.12, 0.45, "a slightly open mouth|parted lips"), (0.45, 1, "a wide open mouth|a gaping mouth")
    ),
    "lip_colour": _levels(
        (0, 0.3, "natural lips|lips without make-up"),
        (0.3, 0.6, "rosy lips|pink-red lips"),
        (0.6, 1, "vivid red lips|bright red lipstick"),
    ),
    "blush": _levels(
        (0.4, 0.7, "rosy cheeks|pinkish cheeks"), (0.7, 1, "strongly blushing cheeks|deeply flushed cheeks")
    ),
    "fringe": _levels((0, 0.25, "an open forehead|hair swept off the forehead"), (0.7, 1, "a long fringe|long bangs")),
    "eye_openness": _levels((0, 0.06, "closed eyes|eyes shut"), (0.06, 0.6, "half-closed|sleepy")),
}
"""Where a factor has no level, its value is unremarkable, and nothing is said."""

HAIR_LENGTHS: dict[str, tuple[str, str]] = {
    "short": ("flat", "voluminous"),
    "bob": ("jaw-length", "chin-length"),
    "long": ("shoulder-length", "flowing"),
    "curly": ("tight", "voluminous"),
    "bun": ("sleek", "voluminous"),
}
"""What hair_length below 0.3 and from 0.7 on means for each style."""

CATEGORIES: dict[str, dict[str, tuple[str, ...]]] = {
    "hair_style": {
        "bald": ("a bald head", "no hair at all"),
        "short": ("short {} hair", "{} hair cut short"),
        "bob": ("a {} bob", "{} hair in a bob"),
        "long": ("long {} hair", "{} hair worn long"),
        "curly": ("curly {} hair", "{} curls"),
        "bun": ("{} hair in a bun", "{} hair tied up in a bun"),
    },
    "glasses": {"round": ("round glasses", "round spectacles"), "square": ("square glasses", "square spectacles")},
    "beard": {"moustache": ("a moustache", "a mustache"), "full": ("a full beard", "a beard with a moustache")},
    "hat": {"cap": ("cap", "peaked cap"), "beanie": ("beanie", "woolly hat")},
}

HUES: tuple[tuple[float, str], ...] = (
    (14, "red"),
    (44, "orange"),
    (70, "yellow"),
    (160, "green"),
    (195, "turquoise"),
    (252, "blue"),
    (290, "purple"),
    (338, "pink"),
    (360, "red"),
)
"""The end of each hue's stretch of the circle, in degrees, and its name."""


def level(name: str, value: float) -> Level | None:
    """The level of a factor at a value; None where it is unremarkable."""
    levels = LEVELS[name]
    return next((x for x in levels if x.low <= value < x.high or (x is levels[-1] and value == x.high)), None)


def hue_word(hue: float) -> str:
    """The name of a hue in degrees."""
    return next(word for end, word in HUES if hue % 360 < end)


def colour_words(hue: float, lightness: float) -> str:
    """Hue and lightness (0 to 1) in one or two words."""
    word = hue_word(hue)
    if word in ("orange", "yellow") and lightness < 0.36:
        return "brown" if word == "orange" else "olive"
    return f"{'dark ' if lightness < 0.3 else 'pale ' if lightness > 0.7 else ''}{word}"


def hair_words(hue: float, lightness: float) -> str:
    """Colour of hair; natural tones have their own names."""
    if lightness < 0.12:
        return "black"
    if 15 <= hue <= 70:
        shades = ((0.22, "dark brown"), (0.42, "brown"), (0.62, "blond"), (1.0, "pale blond"))
        return next(word for end, word in shades if lightness < end)
    return colour_words(hue, 0.02 + 0.82 * lightness)


def eye_words(hue: float) -> str:
    """Colour of an iris, which the renderer keeps between dark and light."""
    return "amber" if 33 <= hue < 58 else "brown" if hue < 33 else hue_word(hue)
