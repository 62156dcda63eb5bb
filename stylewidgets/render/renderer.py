"""From a latent to the pixels and bytes of one live frame."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..session.noise import Seeded
from ..session.synthesis import to_uint8
from .encode import encode, fit, mime
from .ladder import Rung
from .pump import Encode, Picture

if TYPE_CHECKING:
    from ..latent.latent import Latent
    from ..session.session import GeneratorSession


class LiveRenderer:
    """Draws latents one after the other, each from the first block that differs from the one before.

    At a final rung the pixels are those of `session.image` to the last bit. The others are for a drag: in `session.drag_half`,
    and at a lower rung a preview from an inner block where the family has them (``finish_small``), else made smaller.
    """

    on_words: Callable[[str], object] | None = None
    """Nothing to say, ever: there is no connection that could be lost. See `remote.live.RemoteLive`."""

    def __init__(self, session: GeneratorSession) -> None:
        self.session = session
        self.device_type = session.device.type
        self.cache = session.cache()

    def __call__(self, latent: Latent, rung: Rung) -> NDArray[np.uint8]:
        """uint8 [h, w, 3], at most `rung.max_side` pixels."""
        with self.session.lock:
            return self.cache.making_room(partial(self._draw, latent, rung))

    def picture(self, latent: Latent, rung: Rung) -> Picture:
        """The encoded picture, as a `Pump` wants it."""
        return _encoded(self(latent, rung), rung)

    def begin(self, latent: Latent, rung: Rung) -> Encode:
        """Draw now and encode later, in any thread: what a `Pump` with an `Overlap` wants.

        The pixels have memory of their own, page-locked where they come from a GPU, for as long as the result is held: the
        next frame is copied to other memory (`to_host`), and torch takes up this again when it was let go.
        """
        return partial(_encoded, self(latent, rung), rung)

    def close(self) -> None:
        """Keep nothing any more."""
        self.cache.clear()

    def _draw(self, latent: Latent, rung: Rung) -> NDArray[np.uint8]:
        session = self.session
        styles = session.code_styles(latent)
        noise = Seeded(latent.noise_mode, latent.noise_seed)
        with session.shown(latent):
            picture = self.cache.run(styles, noise, rung.max_side, session.half if rung.final else session.drag_half)
        return fit(to_uint8(picture)[0], rung.max_side)


def _encoded(pixels: NDArray[np.uint8], rung: Rung) -> Picture:
    started = time.perf_counter()
    data = encode(pixels, rung)
    took = (time.perf_counter() - started) * 1000
    return Picture(data, mime(rung), pixels.shape[1], pixels.shape[0], took)
