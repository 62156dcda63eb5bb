"""Writing a film as a job: with progress, pause and stop, and whatever is written stays."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import jobs
from ..latent.latent import Latent
from . import mp4, video

KINDS = {"GIF": ".gif", "PNG frames (zip)": ".zip", "PNG frames (folder)": "", "MP4": ".mp4"}
"""Endings of what a film can be written to."""


@jobs.Work
def export(
    session: video.Session,
    keyframes: Sequence[Latent],
    path: str | Path,
    *,
    fps: float = 25,
    seconds: float = 2.0,
    ease: str = "smooth",
    closed: bool = False,
) -> jobs.Job[Path]:
    """Render the film through keyframes, see `video.frames`, and write it; returns the path.

    However it ends, the file is whole and holds the frames so far; before the first one there is none.

    Args:
        session: draws.
        keyframes: two at least.
        path: its ending, one of `KINDS`, says what is written; none: a folder of PNG files.
        fps, seconds, ease, closed: as of `video.frames`.

    Raises:
        ValueError: an ending that is not known, or a film that cannot be made; the text says why.
        RuntimeError: .mp4 without a codec; the text says what to install.
    """
    path = Path(path)
    if path.suffix not in KINDS.values():
        raise ValueError(
            f"a film ends in .gif, .zip or .mp4, or is a folder without an ending; {path.name!r} was given"
        )
    film = video.frames(session, keyframes, fps, seconds, ease, closed)
    total = video.frame_count(len(keyframes), fps, seconds, closed)
    writer: video.Writer
    if path.suffix == ".gif":
        writer = video.GifWriter(path, fps)
    else:
        writer = mp4.open_mp4(path, fps) if path.suffix == ".mp4" else video.PngWriter(path)
    return (yield from video.write.steps(writer, film, total))


def begin(
    session: video.Session,
    *,
    latents: Sequence[Mapping[str, Any]],
    kind: str = ".gif",
    settings: Mapping[str, Any] | None = None,
) -> jobs.Run[Path]:
    """Starts the kind "video" for `session.start`; the result is a file in a folder of its own for temporary files.

    Args:
        session: a GeneratorSession.
        latents: the keyframes, each as `Latent.to_dict` gives it.
        kind: ending of the file, one of `KINDS`.
        settings: fps, seconds, ease and closed.
    """
    if kind not in KINDS.values():
        raise ValueError(f"the kind of a film is one of {', '.join(map(repr, KINDS.values()))}; {kind!r} was given")
    jobs.check_names("setting of a film", settings or {}, export, 3)
    path = Path(tempfile.mkdtemp(prefix="stylewidgets-")) / f"animation{kind}"
    return export.start(session, [Latent.from_dict(one) for one in latents], path, **dict(settings or {}))
