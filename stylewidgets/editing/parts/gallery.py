"""Gallery: pictures by their styles, to find those that are nearest in one part."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...core import files
from ...core.checks import check_int
from ...jobs import Job, Progress
from ...latent.latent import Latent
from ...latent.saved import check_version

if TYPE_CHECKING:
    from ...session.session import GeneratorSession

KEY = "stylewidgets-gallery"
VERSION = 1

Closeness = tuple[int, float]
"""Place in a gallery, and the cosine there."""


@dataclass(frozen=True, eq=False)
class Gallery:
    """Latents with their styles.

    Attributes:
        latents: what is in it.
        styles: float32 [n, sum of channels], of the latents in order.
        generator: fingerprint of the generator.
    """

    latents: tuple[Latent, ...]
    styles: NDArray[np.float32]
    generator: str

    def __len__(self) -> int:
        return len(self.latents)

    @classmethod
    def of(cls, session: GeneratorSession, latents: Iterable[Latent]) -> Job[Gallery]:
        """A gallery of these latents: seeds, codes or inverted photographs."""
        return cls(
            (), np.zeros((0, sum(layer.channels for layer in session.layers)), np.float32), session.fingerprint()
        ).grown(session, latents)

    def grown(self, session: GeneratorSession, latents: Iterable[Latent]) -> Job[Gallery]:
        """This gallery with more latents in it.

        Raises:
            ValueError: the gallery is of another generator.
        """
        self.check(session)
        more = list(latents)
        styles = np.empty((len(more), self.styles.shape[1]), np.float32)
        for n, latent in enumerate(more):
            styles[n] = session.flat_styles(session.check(latent))[0].cpu().numpy()
            yield Progress(n, len(more), "styles")
        return Gallery((*self.latents, *more), np.concatenate([self.styles, styles]), self.generator)

    def check(self, session: GeneratorSession) -> None:
        """ValueError where it is of another generator."""
        check_generator(self.generator, session)

    def latent(self, place: int) -> Latent:
        """One of its latents."""
        return self.latents[place]

    def nearest(self, style: NDArray[np.float32], weights: NDArray[np.float32], n: int = 10) -> list[Closeness]:
        """Places of the n most alike in the weighted channels, with their cosine; the most alike first.

        Args:
            style: [sum of channels], of what is looked for.
            weights: [sum of channels]: the channels of the part.
        """
        chosen = np.flatnonzero(weights)
        return first([self._by_channel[chosen]], style[chosen], weights[chosen], n)

    @cached_property
    def _by_channel(self) -> NDArray[np.float32]:
        """Styles with channels first: a part has some tens of a thousand, and the others are not even read then."""
        return np.ascontiguousarray(self.styles.T)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write one .safetensors file and return its path; styles take half the digits."""
        about = {
            "version": VERSION,
            "generator": self.generator,
            "latents": [latent.to_dict() for latent in self.latents],
        }
        return files.write_arrays(path, {"styles": self.styles.astype(np.float16)}, about, KEY)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Gallery:
        """Read what `save` wrote. Nothing in the file is executed.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is not such a file, or damaged.
        """
        with files.reading(path, "gallery", "Accepted are files written by Gallery.save") as found:
            about, arrays = files.read_arrays(found, KEY)
            check_version(about["version"], VERSION)
            latents: Sequence[object] = about["latents"]
            styles = arrays["styles"].astype(np.float32)
            if styles.ndim != 2 or len(styles) != len(latents):
                raise ValueError(f"it has {len(latents)} latents and styles {list(styles.shape)}")
            return cls(tuple(Latent.from_dict(item) for item in latents), styles, str(about["generator"]))


def first(
    tables: Sequence[NDArray[np.float32]], style: NDArray[np.float32], weights: NDArray[np.float32], n: int
) -> list[Closeness]:
    """The n columns of some tables [channels, m] that are most alike to a style [channels], as if they were one table."""
    check_int("n", n, 1)
    squares = weights * weights
    length = np.sqrt(squares @ (style * style))
    found = [np.zeros(0, np.float32)]
    for table in tables:
        lengths = np.sqrt(squares @ np.square(table))
        found.append((squares * style) @ table / np.maximum(lengths * length, 1e-8))
    closeness = np.concatenate(found)
    order = np.argsort(-closeness, kind="stable")[:n]
    return [(int(i), float(closeness[i])) for i in order]


def check_generator(own: str, session: GeneratorSession) -> None:
    """ValueError where a gallery is of another generator."""
    if session.fingerprint() != own:
        raise ValueError(
            f"this gallery is of another generator ({own}) than {session.name!r} ({session.fingerprint()}): "
            "styles of one mean nothing to the other"
        )
