"""Which pictures fit a sentence best: in a gallery, among saved latents, or among random seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..core.checks import check_int
from ..jobs import Job, Progress, Work
from ..latent.latent import Latent
from ..session.batching import pictures_in_a_step
from ..session.session import GeneratorSession
from .encoder import TextEncoder, similarity
from .loading import load

SEEDS = 200
"""Random pictures that `find` looks at when nothing is given."""


@dataclass(frozen=True)
class Found:
    """One picture.

    Attributes:
        index: its place among those that were given; of random ones the seed.
        score: cosine with the sentence. It orders pictures for one sentence, and says nothing by itself.
        latent: what it was drawn from; None for a picture of a gallery.
    """

    index: int
    score: float
    latent: Latent | None = None


def rank(encoder: TextEncoder, sentence: str, pictures: Tensor, *, batch: int = 32) -> list[Found]:
    """Pictures [N, 3, H, W] in [-1, 1] by how well they fit a sentence, the best first.

    Raises:
        ValueError: the sentence is empty or holds nothing that the encoder knows.
    """
    encoder.check(sentence)
    with torch.inference_mode():
        wanted = encoder.texts(sentence)
        parts = [similarity(encoder.pictures(part), wanted)[:, 0] for part in torch.split(pictures, batch) if len(part)]
    return _sorted([float(score) for part in parts for score in part.cpu()], None)


@Work
def find(
    session: GeneratorSession,
    sentence: str,
    latents: Sequence[Latent] | int = SEEDS,
    *,
    encoder: TextEncoder | None = None,
    first: int = 0,
) -> Job[list[Found]]:
    """Latents by how well their pictures fit a sentence, the best first. As a job, what is found so far is its result so far.

    Args:
        session: draws the pictures.
        sentence: what is looked for.
        latents: to look at; or a number, of pictures of the seeds from `first` on.
        encoder: None for the bundled one.

    Raises:
        ValueError: the sentence is empty or holds nothing that the encoder knows.
    """
    chosen = load(device=session.device) if encoder is None else encoder
    chosen.check(sentence)
    if isinstance(latents, int):
        start = check_int("first", first, 0)
        given = [session.latent(seed=seed) for seed in range(start, start + check_int("latents", latents, 1))]
    else:
        start, given = 0, list(latents)
    wanted, scores = chosen.texts(sentence), list[float]()
    size = pictures_in_a_step(session)
    for at in range(0, len(given), size):
        drawn = session.images(given[at : at + size], min(chosen.side, session.resolution))
        with torch.inference_mode():
            near = similarity(chosen.pictures(_floats(drawn)), wanted)[:, 0]
        scores += near.cpu().tolist()
        result = partial(_sorted, list(scores), given, start)
        yield Progress(len(scores), len(given), "pictures", partial=result)
    return _sorted(scores, given, start)


def _floats(pictures: npt.NDArray[np.uint8]) -> Tensor:
    """uint8 [N, H, W, C] → [N, C, H, W] in [-1, 1]."""
    return (torch.from_numpy(pictures).permute(0, 3, 1, 2).float() - 127.5) / 127.5


def _sorted(scores: Sequence[float], latents: Sequence[Latent] | None, start: int = 0) -> list[Found]:
    found = [Found(start + i, score, None if latents is None else latents[i]) for i, score in enumerate(scores)]
    return sorted(found, key=lambda one: -one.score)
