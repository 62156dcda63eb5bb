"""What a text encoder learns from: codes of pictures, and which facts hold for them. Made once, kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...avatars import render, sample
from ...avatars.drawing.visibility import visible
from ...avatars.reading.factor_net import bundled
from ...core import files
from ...jobs import Job, Progress, Work
from ...session.load import load
from ..world import LatentWorld

BATCH = 64
_KEY = "stylewidgets-codes"


class Codes(NamedTuple):
    """Pictures as the factor network knows them, and what they show.

    Attributes:
        codes: float32 [N, code_size] of `FactorRegressor.code`.
        factors: [N, F] in natural units: of renders what was drawn, of generated pictures what their z stands for.
        seen: bool [N, F], whether each factor can be seen.
    """

    codes: npt.NDArray[np.float32]
    factors: npt.NDArray[np.float32]
    seen: npt.NDArray[np.bool_]


@Work
def rendered(folder: Path, n: int, seed: int, side: int = 64) -> Job[Codes]:
    """Codes of `n` renders whose factors are independent."""

    def draw(start: int, count: int) -> tuple[Tensor, npt.NDArray[np.float32]]:
        factors = sample(count, seed, start)
        return torch.from_numpy(factors), factors

    def pictures(given: Tensor) -> tuple[Tensor, Tensor]:
        made = render(given, side, outputs=("image", "segmentation"))
        return made.image, made.segmentation

    key: dict[str, object] = {"seed": seed, "side": side}
    return (yield from _made(folder / f"renders-{seed}.safetensors", n, key, draw, pictures, "renders"))


@Work
def generated(folder: Path, n: int, seed: int, generator: str) -> Job[Codes]:
    """Codes of `n` pictures of a generator of avatars. Their facts are those that z stands for in its training world."""
    session = load(generator)
    recipe: dict[str, Any] = session.metadata["recipe"]
    world = LatentWorld(
        session.z_dim,
        seed=recipe["seed"],
        amplitude=recipe["twist"],
        correlated=recipe["correlated"],
    )

    def draw(start: int, count: int) -> tuple[Tensor, npt.NDArray[np.float32]]:
        z = np.random.RandomState((seed * 1_000_003 + start) % 2**32).randn(count, session.z_dim).astype(np.float32)
        return torch.from_numpy(z), world.factors(torch.from_numpy(z)).numpy()

    def pictures(given: Tensor) -> tuple[Tensor, None]:
        with session.lock:
            w = session.generator.map(given)
        return session.synthesize(w), None

    key: dict[str, object] = {"seed": seed, "generator": generator}
    place = folder / f"{generator}-{seed}.safetensors"
    return (yield from _made(place, n, key, draw, pictures, f"pictures of {generator}"))


def _made(
    place: Path,
    n: int,
    key: dict[str, object],
    draw: Callable[[int, int], tuple[Tensor, npt.NDArray[np.float32]]],
    pictures: Callable[[Tensor], tuple[Tensor, Tensor | None]],
    words: str,
) -> Job[Codes]:
    """Read what is there already, make the rest, and write every few batches."""
    place.parent.mkdir(parents=True, exist_ok=True)
    parts: list[Codes] = _kept(place, key)
    done = sum(len(part.codes) for part in parts)
    net = bundled()
    for start in range(done, n, BATCH):
        with torch.inference_mode():
            given, factors = draw(start, min(BATCH, n - start))
            x, labels = pictures(given)
            code = net.code(x.clamp(-1, 1)).half().numpy()
        parts.append(Codes(code, factors, visible(factors, labels)))
        done = start + len(code)
        if done == n or (start // BATCH) % 40 == 39:
            parts = [joined(*parts)]
            files.write_arrays(place, parts[0]._asdict(), key, _KEY)
        yield Progress(done, n, words)
    whole = joined(*parts)
    return Codes(whole.codes[:n].astype(np.float32), whole.factors[:n], whole.seen[:n])


def _kept(place: Path, key: dict[str, object]) -> list[Codes]:
    if not place.is_file():
        return []
    try:
        about, arrays = files.read_arrays(place, _KEY)
    except files.DAMAGED:
        return []
    return [Codes(**arrays)] if about == key else []


def joined(*parts: Codes) -> Codes:
    """All of them in one."""
    return Codes(*(np.concatenate(column) for column in zip(*parts, strict=True)))
