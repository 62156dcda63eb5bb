"""Plain English about an avatar, in many wordings, all true: they are read off its factors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from torch import Tensor

from .body_words import clothes_words, pose_words
from .groups import HEAD, Columns, framed, with_head
from .words import CATEGORIES, HAIR_LENGTHS, LEVELS, colour_words, eye_words, hair_words, level


def caption(
    factors: Tensor | npt.NDArray[np.floating] | Sequence[float],
    variant: int = 0,
    groups: Sequence[str] = HEAD,
    framing: str = "head",
) -> str:
    """A caption of one avatar, about everything that can be seen of it.

    Args:
        factors: [F] in natural units.
        variant: which wording, any whole number from 0: it picks the order of the sentence and the synonyms. The same
            factors and variant give the same words everywhere.
        groups: of factors that the row has; "head" among them.
        framing: as `render` has it; torso, arms and patterns are told where they are seen, which is in "half".
    """
    at = with_head(groups, "caption")
    half = framed(framing, groups)
    if len(factors) != len(at):
        raise ValueError(f"caption needs the {len(at)} factors of one avatar, got {len(factors)} numbers")
    template = _TEMPLATES[_hash(variant, 0) % len(_TEMPLATES) if variant else 0]
    return template.format_map(_Speaker(factors, variant, at, half).phrases())


def _hash(variant: int, place: int) -> int:
    x = (variant * 0x9E3779B97F4A7C15 + place * 0xBF58476D1CE4E5B9 + 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    return (x ^ (x >> 27)) >> 5


class _Speaker:
    """The phrases of one avatar in one wording."""

    def __init__(
        self, factors: Tensor | npt.NDArray[np.floating] | Sequence[float], variant: int, at: Columns, half: bool
    ) -> None:
        self.half = half
        self.v = {name: float(factors[i]) for i, name in enumerate(at.names)}
        self.others = [group.phrase for group in at.groups if group.phrase]
        self.variant = variant
        self.kind = {f.name: f.categories[round(self.v[f.name])] for f in at.factors if f.categories}

    def pick(self, topic: str, phrases: Sequence[str]) -> str:
        place = sum(ord(c) * (i + 1) for i, c in enumerate(topic))
        return phrases[_hash(self.variant, place) % len(phrases) if self.variant else 0]

    def word(self, name: str) -> str:
        """The phrase for a factor's level or category, "" where there is nothing to say."""
        if name in LEVELS:
            at = level(name, self.v[name])
            return self.pick(name, at.phrases) if at else ""
        return self.pick(name, CATEGORIES[name].get(self.kind[name], ("",)))

    def phrases(self) -> dict[str, str]:
        """What the templates are filled with."""
        noun = self.pick("subject", ("figure" if self.half else "face", "avatar", "character", "person"))
        shape = self.word("face_width")
        mood = _join([self.word("smile"), shape + "-faced" * (shape != "" and noun != "face")], ", ")
        hue, light = self.v["background_hue"], self.v["background_lightness"]
        body = pose_words(self.v, self.pick) if self.half else ""
        wall = self.pick("background", ("background", "backdrop", "wall"))
        return {
            "noun": noun,
            "subject": f"{mood} {noun}",
            "a_subject": _article(f"{mood} {noun}"),
            "features": self.features(),
            "wear": self.wear(),
            "pose": _join([self.word("yaw"), self.word("pitch"), self.word("roll"), body], ", "),
            "light": _join([self.word("light_azimuth"), self.word("light_elevation")], " "),
            "background": _article(f"{colour_words(hue, light)} {wall}"),
        }

    def hair(self) -> str:
        style, hatted = self.kind["hair_style"], self.kind["hat"] != "none"
        if style == "bald":
            return self.word("hair_style")
        colour = hair_words(self.v["hair_hue"], self.v["hair_lightness"])
        if style == "bun" and hatted:
            return f"{colour} hair tucked away"  # a hat hides the bun
        short, long = HAIR_LENGTHS[style]
        length = short if self.v["hair_length"] < 0.3 else long if self.v["hair_length"] >= 0.7 else ""
        if style == "short" and hatted:
            length = ""
        text = self.word("hair_style").format(_join([length, colour], " "))
        return text if not text.startswith("a ") else _article(text[2:])

    def eyes(self) -> str:
        if self.v["eye_openness"] < LEVELS["eye_openness"][0].high:
            return self.word("eye_openness")
        words = [self.word("eye_size"), self.word("eye_openness"), eye_words(self.v["iris_hue"]), "eyes"]
        return _join([_join(words, " "), _join([self.word("gaze_x"), self.word("gaze_y")], " and ")], " ")

    def features(self) -> str:
        """Everything that the face itself has."""
        fringe = "" if self.kind["hair_style"] == "bald" or self.kind["hat"] != "none" else self.word("fringe")
        parts = [
            self.word("skin_tone"),
            self.hair(),
            fringe,
            self.eyes(),
            _join([*(self.word(f"brow_{k}") for k in ("thickness", "height", "angle")), "brows"], " "),
            self.word("nose_size"),
            self.word("jaw"),
            self.word("mouth_open"),
            self.word("lip_colour"),
            self.word("blush"),
            self.word("beard"),
            *(phrase(self.v, self.pick) for phrase in self.others),
        ]
        return _list(parts)

    def wear(self) -> str:
        hue, light = self.v["clothes_hue"], self.v["clothes_lightness"]
        hat = self.word("hat") and _article(f"{colour_words(hue + 150, 0.62 - 0.42 * light)} {self.word('hat')}")
        top = f"{colour_words(hue, 0.08 + 0.76 * light)} {self.pick('top', ('top', 'jumper', 'sweater'))}"
        sewn = f" with {clothes_words(self.v, self.pick)}" if self.half else ""
        return _list([self.word("glasses"), hat, _article(top) + sewn])


_TEMPLATES = (
    "{a_subject} with {features}, wearing {wear}, {pose}, {light}, in front of {background}",
    "a portrait of {a_subject}, {pose}: {features}. The {noun} wears {wear}, {light}, before {background}.",
    "in front of {background}, {light}, {a_subject} dressed in {wear} is {pose}, and has {features}",
    "{subject}, {pose}; {features}; {wear}; {light}; {background}",
    "this is {a_subject} wearing {wear}. Notice {features}. It is {pose}, {light}, with {background} behind.",
)


def _join(parts: Sequence[str], between: str) -> str:
    return between.join(p for p in parts if p)


def _list(parts: Sequence[str]) -> str:
    said = [p for p in parts if p]
    return said[0] if len(said) == 1 else ", ".join(said[:-1]) + " and " + said[-1]


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
