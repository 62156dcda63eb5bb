"""Where a code lies among the codes that the mapping network gives: how far out, how likely, and how unequal its rows are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...directions import sample_w
from ...directions._sampling import styles_of
from ...session.session import GeneratorSession
from ..spaces import spread

Array = NDArray[np.float64]
SAMPLES = 4000
USUAL = 0.99
"""Share of a generator's own codes that count as usual."""
RIDGE = 0.01
"""Added to every variance, as a share of the layer's mean one: style layers have directions in which nothing ever varies, and
a step along those that cannot be seen should not count as infinitely unlikely."""


@dataclass(frozen=True, eq=False)
class CodeStatistics:
    """How w and styles of a generator are distributed, from samples without truncation.

    Attributes:
        mean: w [w_dim].
        length: root mean square length of w − mean, the projector's w_std.
        style_mean: flat [S].
        style_length: root mean square length of a flat style vector minus its mean.
        whiten: one matrix [C_l, C_l] for each style layer; of a typical style, the whitened difference has unit mean square.
        usual: `mahalanobis` of the generator's own codes is below this for 99 of 100.
    """

    mean: Array
    length: float
    style_mean: Array
    style_length: float
    whiten: tuple[Array, ...]
    usual: float = float("nan")

    def distance(self, space: str, a: ArrayLike, b: ArrayLike | None = None) -> Array:
        """Distances [N] of codes from others or, without, from the mean, in units of the typical distance from the mean.

        1 is as far out as samples are; two samples are about 1.4 apart. In w+ it is the root mean square over rows.
        """
        x = np.asarray(a, np.float64)
        if space == "s":
            away = x - (self.style_mean if b is None else np.asarray(b, np.float64))
            return np.asarray(np.linalg.norm(away, axis=1) / self.style_length)
        rows = x if x.ndim == 3 else x[:, None]
        other = self.mean if b is None else np.asarray(b, np.float64)
        other = other[:, None] if other.ndim == 2 else other
        return np.asarray(np.sqrt(np.square(rows - other).sum(axis=2).mean(axis=1)) / self.length)

    def row_spread(self, space: str, code: ArrayLike) -> Array:
        """How much the rows of w+ differ from their mean, [N], in units of `length`: 0 in w, nan in s.

        Tov et al. ("Designing an Encoder for StyleGAN Image Manipulation", SIGGRAPH 2021) keep it small for editability.
        """
        rows = np.asarray(code, np.float64)
        if space != "w+":
            return np.full(len(rows), np.nan if space == "s" else 0.0)
        return np.asarray(
            np.sqrt(np.square(rows - rows.mean(axis=1, keepdims=True)).sum(axis=2).mean(axis=1)) / self.length
        )

    def mahalanobis(self, styles: ArrayLike) -> Array:
        """Root mean square Mahalanobis distance [N] of flat styles [N, S], layer by layer: 1 is typical, 2 is far out."""
        x = np.asarray(styles, np.float64) - self.style_mean
        parts = np.split(x, np.cumsum([len(m) for m in self.whiten])[:-1], axis=1)
        squares = [np.square(part @ matrix).mean(axis=1) for part, matrix in zip(parts, self.whiten, strict=True)]
        return np.asarray(np.sqrt(np.mean(squares, axis=0)))


def code_statistics(session: GeneratorSession, samples: int = SAMPLES) -> CodeStatistics:
    """Statistics of the session's generator; made once, and again when its mapping network changes."""
    return session.remembered(("code statistics", samples), lambda: _measure(session, samples), "mapping")


def flat_styles(session: GeneratorSession, space: str, code: ArrayLike) -> NDArray[np.float32]:
    """Codes of any space as flat styles [N, S]."""
    if space == "s":
        return np.asarray(code, np.float32)
    return styles_of(session, np.asarray(code, np.float32))


def _measure(session: GeneratorSession, samples: int) -> CodeStatistics:
    w = sample_w(session, samples)
    styles = flat_styles(session, "w", w).astype(np.float64)
    about, centre = spread(session), styles.mean(axis=0)
    away = styles - centre
    parts = np.split(away, np.cumsum([layer.channels for layer in session.layers])[:-1], axis=1)
    made = CodeStatistics(
        about.mean.double().cpu().numpy(),
        about.length,
        centre,
        float(np.sqrt(np.square(away).sum(axis=1).mean())),
        tuple(_whitening(part) for part in parts),
    )
    return replace(made, usual=float(np.quantile(made.mahalanobis(styles), USUAL)))


def _whitening(away: Array) -> Array:
    values, vectors = np.linalg.eigh(away.T @ away / len(away))
    values = np.maximum(values, 0)
    padded = values + RIDGE * max(float(values.mean()), 1e-12)
    matrix = vectors / np.sqrt(padded)
    # the ridge makes typical styles look nearer than 1; this brings them back
    return np.asarray(matrix / np.sqrt(max(float((values / padded).mean()), 1e-12)))
