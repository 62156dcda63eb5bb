"""Which pictures a sentence fits best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ...directions._sampling import styles_of
from ...jobs import Job, Progress
from ...latent.latent import Latent
from ...session.session import GeneratorSession
from .measuring import BATCH, look

if TYPE_CHECKING:
    from .encoder import Encoder


class Found(NamedTuple):
    """A picture and its similarity to a sentence: the cosine of the two embeddings."""

    latent: Latent
    score: float


def find(
    session: GeneratorSession,
    encoder: Encoder,
    text: NDArray[np.float64],
    latents: Sequence[Latent],
    batch: int = BATCH,
) -> Job[list[Found]]:
    """Latents, the fitting ones first; of equal ones the first given. Each report has those seen so far, ranked.

    Args:
        text: embedding [d] of the sentence.
        latents: drawn without their noise and view.
        batch: pictures at a time.
    """
    scores: list[float] = []

    def ranked() -> list[Found]:
        order = np.argsort(-np.asarray(scores), kind="stable")
        return [Found(latents[i], scores[i]) for i in order]

    for start in range(0, len(latents), batch):
        rows = torch.from_numpy(styles_of(session, latents[start : start + batch])).to(session.device)
        scores += [float(score) for score in look(session, encoder, rows) @ text]
        yield Progress(len(scores), len(latents), "looking at pictures", partial=ranked)
    return ranked()
