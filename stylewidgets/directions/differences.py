"""The direction from one latent to another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..latent.latent import Direction, Latent
from ..session.session import GeneratorSession
from ._sampling import styles_of


def difference(session: GeneratorSession, a: Latent, b: Latent, name: str = "difference") -> Direction:
    """The step that leads from latent `a` to latent `b`: strength 0 leaves a as it is, strength 1 arrives at b.

    The vector has shape [w_dim] when the two differ by the same step in every row of w+, else [num_ws, w_dim]. When one
    of the latents carries styles (a code or an edit in s), the difference is taken in s, flat.

    Raises:
        ValueError: the latents describe the same point, or do not fit the session.
    """
    in_s = a.in_s or b.in_s
    start, end = (styles_of(session, [session.check(x)])[0] if in_s else _rows(session, x) for x in (a, b))
    vector = end - start
    if not np.any(vector):
        raise ValueError("the two latents describe the same point, so there is no direction between them")
    if not in_s and np.ptp(vector, axis=0).max() <= 1e-6 * np.abs(vector).max():
        vector = vector[0]
    return Direction(
        name=name,
        vector=vector,
        sigma=1.0,
        space="s" if in_s else "w",
        unit="×",
        source=f"difference of two latents: {_describe(a)} to {_describe(b)}",
    )


def _rows(session: GeneratorSession, latent: Latent) -> NDArray[np.float32]:
    return np.asarray(session.map(session.check(latent))[0].detach().cpu().numpy())


def _describe(latent: Latent) -> str:
    if latent.code is not None:
        what = f"a {latent.code.space} code"
    elif latent.blend:
        what = "seeds " + ", ".join(str(seed) for seed, _ in latent.blend)
    else:
        what = f"seed {latent.seed}"
    edits = f" with {len(latent.edits)} edits" if latent.edits else ""
    return f"{what} at psi {latent.psi:g}{edits}"
