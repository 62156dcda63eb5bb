"""What a session does for work from plain values: it knows pictures by their hash, and starts runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import jobs
from ..generators.protocol import HasSource

if TYPE_CHECKING:
    from .session import GeneratorSession

KEPT = 32
"""Pictures that a session knows at a time; the one that was given longest ago is forgotten first."""

for _kind, _starter in {
    "drag": "editing.dragging.run:begin",
    "inversion": "inversion.starting:begin",
    "statistics": "stylespace.starting:begin_statistics",
    "local-search": "stylespace.starting:begin_local",
    "effect": "stylespace.starting:begin_effect",
    "attribute-search": "stylespace.starting:begin_attributes",
    "realism": "inversion.starting:begin_realism",
    "mesh": "session.scene:begin_mesh",
    "video": "film.export:begin",
}.items():
    jobs.register(_kind, f"stylewidgets.{_starter}")


def put(session: GeneratorSession, picture: object) -> str:
    """Make a picture known to specs, and return the name for it there: a sha256, hexadecimal.

    Args:
        picture: uint8 or bool array [H, W], [H, W, 3] or [N, H, W, 3] (masks and labels are such, too), a PIL image, or
            an `inversion.Target`; for a generator with a source, that source (`Person`) or the IUV picture of a pose.
    """
    if not hasattr(picture, "digest"):
        array = np.ascontiguousarray(picture)
        if array.dtype not in (np.uint8, np.bool_) or not 2 <= array.ndim <= 4 or not array.size:
            raise ValueError(
                f"a picture is a uint8 array [H, W, 3]; {array.dtype} {list(array.shape)} was given. Others become "
                "one with inversion.Target.of(picture, session)"
            )
        picture = array.copy()
        name = hashlib.sha256(f"{array.dtype} {array.shape} ".encode() + array.tobytes()).hexdigest()
    else:
        name = str(picture.digest())
    if isinstance(session.generator, HasSource):
        session.generator.keep(name, picture)
    session._put[name] = picture
    session._put.move_to_end(name)
    while len(session._put) > KEPT:
        session._put.popitem(last=False)
    return name


def known(session: GeneratorSession, name: str) -> Any:
    """What `put` was given under this name. ValueError when it is not known (any more)."""
    if name not in session._put:
        raise ValueError(f"this session knows no picture {name!r}: give it with session.put(picture) first")
    return session._put[name]


def start(session: GeneratorSession, spec: Mapping[str, object]) -> jobs.Run[Any]:
    """Start long work from plain JSON values; nothing is done before the run's first step.

    Args:
        spec: {"kind": ..., and the fields of that kind}, such as {"kind": "inversion", "method": "projector",
            "settings": {"steps": 100}, "target": session.put(picture)}. The `spec` of a run that was started makes
            the same one again.

    Raises:
        ValueError: an unknown kind, field or picture, or values out of range; the text says what is accepted.
    """
    return jobs.start(session, spec)
