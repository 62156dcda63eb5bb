"""Editability: whether known directions do to an inverted code what they do to a real one. Measured, because the truth is known.

The trade-off with distortion is the subject of Tov et al., "Designing an Encoder for StyleGAN Image Manipulation", SIGGRAPH 2021.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ...domain import Reader
from ...latent.latent import Direction, Latent
from ...session.session import GeneratorSession
from ..losses.perceptual import Perceptual
from ..result import Result
from ..target import to_tensor
from .change import change_error
from .known import KnownEdits, read_changes, reader_of

Array = NDArray[np.float64]
MOVED = 0.1
"""Share of the wanted change from which side effects are told for each unit of it: less is no edit to speak of."""


def editability(
    known: KnownEdits, result: Result, session: GeneratorSession, net: Perceptual
) -> list[dict[str, float]]:
    """Figures for each picture, means over the edits.

    change_error: relative error of the change of pixels (`change.change_error`): 0 is the true edit, 1 as wrong as no edit. It
        reads nothing, so that it holds outside of the domain too. Edits that cannot be seen do not count.
    edit_perceptual: distance of the edited picture from what it should be; it has the distortion of the inversion in it.

    And where the domain's reader can be believed (`KnownEdits.readable`):

    edit_transfer: change of the wanted factor as a share of what it should be, 1 is right.
    edit_error: |change − change that should be| of all readings, mean, in σ: 0 is right. What the inversion got wrong before
        the edit does not count. An edit that does little has little of it, so it does not compare edits of unlike transfer.
    edit_side: side effects for each unit of transfer, σ: what the other readings do beyond their share of the true change,
        over `edit_transfer`. Half of an edit has neither more nor less of it than the whole. nan below a transfer of 0.1.
    """
    inverted, edited = drawn_edits(known, result, session)
    far = _distances(net, known.after, edited)
    wrong = change_error(known.before, known.after, inverted, edited)
    reader = reader_of(session)
    read = reader is not None and known.change is not None and bool(known.readable.any())
    changes = read_changes(inverted, edited, reader) if read and reader is not None else None
    rows: list[dict[str, float]] = []
    for i, good in enumerate(known.valid):
        seen = wrong[i][good & ~np.isnan(wrong[i])]
        row = {"edit_perceptual": _mean(far[i][good]), "change_error": _mean(seen)}
        if changes is not None and known.change is not None and reader is not None and known.readable[i]:
            row |= readings(known.wanted, good, changes[i], known.change[i], reader)
        rows.append(row)
    return rows


def drawn_edits(
    known: KnownEdits, result: Result, session: GeneratorSession
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What a result draws, uint8 [N, H, W, 3], and what it draws with each of the edits, uint8 [N, E, H, W, 3]."""
    edits = [[None, *zip(known.directions, map(float, row), strict=True)] for row in known.strengths]
    drawn = draw(result, session, edits)
    return drawn[:, 0], drawn[:, 1:]


def readings(
    wanted: Sequence[int], good: NDArray[np.bool_], change: Array, truth: Array, reader: Reader
) -> dict[str, float]:
    """What is read of one picture's edits: changes [E, R] against those that should be."""
    named = [(k, c) for k, c in enumerate(wanted) if good[k] and c >= 0]
    whole = sum(abs(truth[k, c]) for k, c in named)
    transfer = float(sum(change[k, c] * np.sign(truth[k, c]) for k, c in named) / whole) if whole else float("nan")
    side = [
        float(np.abs(change[k] - transfer * truth[k])[_others(reader, c)].mean()) / transfer
        for k, c in named
        if transfer >= MOVED
    ]
    return {
        "edit_transfer": transfer,
        "edit_error": _mean(np.abs(change - truth).mean(axis=1)[good]),
        "edit_side": _mean(np.array(side)),
    }


def _others(reader: Reader, wanted: int) -> NDArray[np.bool_]:
    """The readings that say nothing of the wanted one's attribute, [R]."""
    return np.array([name != reader.attributes[wanted] for name in reader.attributes])


def draw(
    result: Result, session: GeneratorSession, edits: Sequence[Sequence[tuple[Direction, float] | None]]
) -> NDArray[np.uint8]:
    """Pictures of a result with edits, uint8 [N, E, H, W, 3]: for each of N codes E edits, None for the code itself."""
    rows = [
        [
            result.latent(i) if edit is None else result.latent(i).with_edit(edit[0], edit[1], edit[0].layers)
            for edit in row
        ]
        for i, row in enumerate(edits)
    ]
    flat: list[Latent] = [_labelled(latent, session) for row in rows for latent in row]
    if result.noise is None:
        pictures = result.session(session).images(flat)
    else:
        each = len(rows[0])
        pictures = np.concatenate(
            [result.session(session, i).images(flat[i * each : (i + 1) * each]) for i in range(len(rows))]
        )
    return pictures.reshape(len(rows), len(rows[0]), *pictures.shape[1:])


def _labelled(latent: Latent, session: GeneratorSession) -> Latent:
    return latent.replace(label=0) if session.c_dim and latent.label is None else latent


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")


@torch.inference_mode()
def _distances(net: Perceptual, a: NDArray[np.uint8], b: NDArray[np.uint8], batch: int = 32) -> Array:
    n, e = a.shape[:2]
    pairs = [to_tensor(x.reshape(n * e, *x.shape[2:])) for x in (a, b)]
    parts = [net.distance(x, y) for x, y in zip(*(torch.split(p, batch) for p in pairs), strict=True)]
    return torch.cat(parts).double().cpu().numpy().reshape(n, e)
