"""Pairs of w and readings: random faces of a generator, drawn and read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...core import files
from ...jobs import Job, Progress, Work
from ...session.session import GeneratorSession

Floats = NDArray[np.float32]
Read = Callable[[Tensor], object]
"""Pictures [N, C, H, W] in about −1 to 1 → numbers [N, A] or [N], as a tensor or an array."""

BATCH = 8
KEPT_EVERY = 640
_KEY = "stylewidgets"


def pictures_read(session: GeneratorSession, read: Read, ws: Tensor) -> Floats:
    """Readings [N, A] of the pictures of w [N, D] or w+ [N, R, D]."""
    with torch.inference_mode():
        parts = [_numbers(read, session.synthesize(part).float().clamp(-1, 1)) for part in torch.split(ws, BATCH)]
    return np.concatenate(parts)


@Work
def collect(
    session: GeneratorSession, read: Read, samples: int, seed: int = 0, kept: Path | None = None
) -> Job[tuple[Floats, Floats]]:
    """w [N, D] of `session.sample_w(samples, seed)` and the readings [N, A] of their pictures.

    Args:
        kept: an .npz file with what was read so far; work that broke off goes on from there.
    """
    if samples < 100:
        raise ValueError(f"a flow needs some hundred pictures, better thousands; {samples} were asked for")
    w = session.sample_w(samples, seed)
    array: Floats = w.cpu().numpy()
    about = {"w": session.fingerprint("w"), "generator": session.fingerprint(), "seed": seed}
    parts = [found] if (found := _found(kept, about, array)) is not None else []
    done = sum(map(len, parts))
    saved = done
    while done < samples:
        parts.append(pictures_read(session, read, w[done : done + BATCH]))
        done = min(done + BATCH, samples)
        if kept is not None and (done - saved >= KEPT_EVERY or done == samples):
            parts, saved = [np.concatenate(parts)], done
            files.write_arrays(kept, {"w": array[:done], "readings": parts[0]}, about, _KEY)
        yield Progress(done, samples, "drawing and reading faces")
    return array, np.concatenate(parts)


def _found(kept: Path | None, about: dict[str, object], w: Floats) -> Floats | None:
    """What was read of the same codes before; None where there is nothing of use."""
    if kept is None or not kept.is_file():
        return None
    with files.reading(kept, "file of pairs", "Delete it, or name another folder"):
        was, arrays = files.read_arrays(kept, _KEY)
    before = arrays.get("w")
    if was != about or before is None or not np.array_equal(before, w[: len(before)]):
        return None
    readings: Floats = arrays["readings"]
    return readings if len(readings) == len(before) else None


def _numbers(read: Read, pictures: Tensor) -> Floats:
    found = read(pictures)
    array = found.detach().cpu().numpy() if isinstance(found, Tensor) else np.asarray(found)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or len(array) != len(pictures) or not np.isfinite(array.astype(np.float64)).all():
        raise ValueError(
            f"a reading of {len(pictures)} pictures is that many finite numbers, or rows of them; "
            f"{list(array.shape)} came"
        )
    return array.astype(np.float32)
