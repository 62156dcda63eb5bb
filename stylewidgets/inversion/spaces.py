"""The spaces that codes are looked for in: where to start, what a code draws, and how w is spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ..core.checks import unknown_name
from ..core.values import dense
from ..latent.view import IDENTITY, View
from ..session.session import GeneratorSession
from .catalogue import SPACES, STARTS

Codes = Tensor | ArrayLike
SAMPLES = 10_000
SAMPLES_SEED = 123


@dataclass(frozen=True, eq=False)
class Spread:
    """How w is distributed, from samples.

    Attributes:
        mean: [w_dim].
        length: root mean square length of w − mean; the projector's σ.
        axes: [w_dim, w_dim], rows are unit principal axes, the widest first.
        deviations: [w_dim], standard deviation along each.
    """

    mean: Tensor
    length: float
    axes: Tensor
    deviations: Tensor

    def whitening(self, floor: float = 0.01) -> Tensor:
        """A matrix A [w_dim, w_dim] with w = mean + u A for u of unit variance in every direction.

        Directions narrower than `floor` of the widest get that width, or they could not be moved along at all.
        """
        widths = self.deviations.clamp_min(float(self.deviations[0]) * floor)
        return widths[:, None] * self.axes


def spread(session: GeneratorSession, samples: int = SAMPLES) -> Spread:
    """Mean and spread of w, as the projector takes them: 10 000 z of NumPy's RandomState(123). Kept until the mapping
    network changes. Labels of conditional generators are drawn evenly."""
    with torch.inference_mode(False), torch.no_grad():
        return session.remembered(("spread", samples), lambda: _measure(session, samples), "mapping")


def _measure(session: GeneratorSession, samples: int) -> Spread:
    w = session.sample_w(samples, SAMPLES_SEED)
    mean = w.mean(dim=0)
    away = (w - mean).double()
    values, vectors = torch.linalg.eigh(away.T @ away / samples)
    order = torch.arange(len(values) - 1, -1, -1, device=values.device, dtype=torch.int64)
    deviations = values[order].clamp_min(0).sqrt().float()
    return Spread(
        mean, float(away.square().sum(dim=1).mean().sqrt()), vectors.T[order].float().contiguous(), deviations
    )


def initial(session: GeneratorSession, space: str, start: str, n: int, seed: int) -> Tensor:
    """Codes to start from, [n, ...] in "w", "w+" or "s"; all n are equal, so that a batch is n single runs.

    Args:
        start: "mean" (of w), "random" (w of a random z), "uniform" (every number even in [-1, 1], as Image2StyleGAN does for
            pictures that are no faces; in s: the styles of such a w+).
        seed: of the latter two.

    Raises:
        ValueError: an unknown space or start.
    """
    check_space(space)
    if start == "mean":
        code = spread(session).mean[None]
    elif start == "random":
        code = session.sample_w(1, seed)
    elif start == "uniform":
        shape = (1, session.w_dim) if space == "w" else (1, session.num_ws, session.w_dim)
        code = torch.from_numpy(np.random.RandomState(seed).uniform(-1, 1, shape).astype(np.float32)).to(session.device)
    else:
        raise unknown_name("start", start, STARTS)
    given = convert(session, code, "w" if code.ndim == 2 else "w+", space)
    return given.expand(n, *given.shape[1:]).detach().clone()


def convert(session: GeneratorSession, code: Tensor, given: str, wanted: str) -> Tensor:
    """A code [N, ...] in another space: w → w+ → s. w+ → w is the mean of its rows.

    Raises:
        ValueError: from s there is no way back.
    """
    if given == wanted:
        return code
    if given == "s":
        raise ValueError(f"a code in s has no {wanted}; start from one in w or w+, or fit in s")
    if wanted == "w":
        return code.mean(dim=1)
    if wanted == "w+":
        return code[:, None].expand(-1, session.num_ws, -1).clone()
    return torch.cat(session.styles(code), dim=1)


def styles(session: GeneratorSession, code: Tensor, space: str) -> list[Tensor]:
    """One [N, C_l] per layer of codes in w, w+ or s; differentiable."""
    if space == "s":
        return list(torch.split(code, [layer.channels for layer in session.layers], dim=1))
    return session.styles(code)


def draw(
    session: GeneratorSession,
    code: Tensor,
    space: str,
    noise: Sequence[Tensor] | str = "const",
    view: View | Tensor = IDENTITY,
) -> Tensor:
    """Pictures [N, 3, H, W] in float32 of codes; differentiable in codes, noise and the angles of cameras [N, 3]."""
    given = None if isinstance(noise, str) else noise
    drawn = session.synthesize(
        styles(session, code, space),
        noise_mode="const" if given is not None else str(noise),
        noise=given,
        transform=view,
        exact=True,
    )
    return coloured(drawn)


def coloured(pictures: Tensor) -> Tensor:
    """Pictures with three colours; gray is repeated."""
    return pictures.expand(-1, 3, -1, -1) if pictures.shape[1] == 1 else pictures[:, :3]


def check_space(space: str) -> str:
    """The space, or ValueError."""
    if space not in SPACES:
        raise unknown_name("space to invert in", space, SPACES)
    return space


def check_code(session: GeneratorSession, code: Codes, space: str, n: int) -> Tensor:
    """A code to start from as float32 [n, ...] on the session's device. ValueError unless it fits the space."""
    given = torch.as_tensor(dense(code), dtype=torch.float32, device=session.device).detach().clone()
    sizes = {
        "w": (session.w_dim,),
        "w+": (session.num_ws, session.w_dim),
        "s": (sum(x.channels for x in session.layers),),
    }
    wanted = sizes[check_space(space)]
    given = given[None] if tuple(given.shape) == wanted else given
    if tuple(given.shape) not in ((n, *wanted), (1, *wanted)) or not bool(torch.isfinite(given).all()):
        raise ValueError(f"a start in {space} is finite and has shape {[n, *wanted]}; {list(given.shape)} was given")
    return given.expand(n, *wanted).clone()
