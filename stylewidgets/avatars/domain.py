"""Avatars as a domain: all its parts, each imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from ..domain import Domain

WORLD_VERSION = 1
"""Grows when the same row of factors is drawn otherwise, so that nothing reads old pictures as new ones."""
READER_VERSION = 1
"""Grows when a reading of the factor network means something else."""


def _part(module: str, name: str) -> Callable[..., Any]:
    """A function or class of a module of this room, which is imported when it is called."""
    return lambda *given: getattr(import_module(f".{module}", __package__), name)(*given)


DOMAIN = Domain(
    "avatars",
    WORLD_VERSION,
    READER_VERSION,
    noun="avatar",
    network="factor-net",
    reader=_part("parts", "reader"),
    segmenter=_part("reading.segmenter", "AvatarSegmenter"),
    identity=_part("scoring.edits", "same_person"),
    features=_part("parts", "features"),
    captions=_part("parts", "captions"),
    camera=_part("parts", "camera"),
    landmarks=_part("parts", "landmarks"),
    observe=_part("reading.estimates", "estimate"),
    describe=_part("parts", "describe"),
    changes=_part("parts", "moved"),
    world=_part("parts", "AvatarWorld"),
    source=_part("sources", "first_figure"),
)
