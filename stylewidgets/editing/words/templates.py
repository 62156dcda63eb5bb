"""Sentences that a text is put into, so that its embedding does not hang on one wording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

PLAIN = ("{}", "a {}", "a picture of a {}", "a portrait of a {}", "this is a {}")
"""For an encoder of captions of one world."""
_ARTICLES = ("a", "the")
_LOOKS = [
    "bad",
    "clean",
    "dirty",
    "blurry",
    "bright",
    "dark",
    "cool",
    "good",
    "nice",
    "weird",
    "close-up",
    "cropped",
    "pixelated",
    "low-resolution",
    "black-and-white",
]
_THINGS = ("sculpture", "rendering", "painting", "drawing", "sketch", "doodle", "rendition", "tattoo")
_MATERIALS = ("plastic", "toy", "origami", "cartoon", "plushie", "embroidered")


def _photographs() -> Iterator[str]:
    yield from ("a photo of {}", "a photo of my {}", "a photo of one {}", "itap of my {}")
    for article in _ARTICLES:
        yield from (f"a photo of {article} {{}}", f"itap of {article} {{}}", f"graffiti of {article} {{}}")
        yield from (
            f"art of {article} {{}}",
            f"{article} {{}} in a video game",
            f"a jpeg corrupted photo of {article} {{}}",
        )
    for look, article in product(_LOOKS, _ARTICLES):
        yield f"a {look.replace('-', ' ') if look != 'close-up' else look} photo of {article} {{}}"
    for thing, article in product(_THINGS, _ARTICLES):
        yield f"a {thing} of {article} {{}}"
    for size, article in product(("large", "small"), _ARTICLES):
        yield f"a photo of {article} {size} {{}}"
    for article, material in product(_ARTICLES, _MATERIALS):
        yield f"{article} {material} {{}}"


PHOTOGRAPHS = tuple(_photographs())
"""In the manner of those that CLIP was tested with on photographs (Radford et al. 2021): every look, medium and article."""


def choose(name: str) -> tuple[str, ...]:
    """The templates for an encoder of that name: `PLAIN` for the bundled one, `PHOTOGRAPHS` for public CLIP."""
    return PLAIN if name == "avatars" else PHOTOGRAPHS


def bare(text: str) -> str:
    """A text without what templates bring themselves: an article at its beginning, a full stop, spaces."""
    words = text.strip().rstrip(".").split()
    return " ".join(words[1:] if len(words) > 1 and words[0].lower() in ("a", "an", "the") else words)


def filled(text: str, templates: Sequence[str]) -> list[str]:
    """The text in each template; "a" becomes "an" where a vowel follows.

    Raises:
        ValueError: an empty text, or a template without a place for it.
    """
    inner = bare(text)
    if not inner:
        raise ValueError("an empty text was given; write a few words, such as 'a smiling face'")
    for template in templates:
        if "{}" not in template:
            raise ValueError(f"a template has {{}} where the text goes; {template!r} was given")
    before_vowel = inner[0].lower() in "aeiou"
    return [
        (t.replace("a {}", "an {}") if before_vowel and f" {t}".find(" a {}") >= 0 else t).format(inner)
        for t in templates
    ]
