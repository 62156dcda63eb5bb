"""What a hub draws with: one session, a cache for each client, and batches where these are quicker."""

from __future__ import annotations

import statistics
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..latent.latent import Direction
from ..mixing.renderer import GridRenderer
from ..ops.devices import out_of_memory
from ..render.encode import encode, fit, mime
from ..render.ladder import Rung, drag_rungs
from ..render.pump import Picture
from ..render.renderer import LiveRenderer
from ..session.activations import Unit
from ..session.noise import Seeded
from ..session.session import GeneratorSession
from ..session.synthesis import to_uint8
from .held import Held
from .memory import Memory
from .purse import Purse
from .seats import Made, Request, Seat

BATCHES = (8, 4, 2)
"""Sizes that are tried."""
GAIN = 0.9
"""A batch must take at most this share of the time that its pictures take one by one."""
LARGE = 128 * 128
"""Pixels from which encoding goes on beside the next frame."""
CACHES = 1 << 30
"""Bytes of activations of all clients."""

GRIDS = 4
"""Clients whose grids are kept."""
GRID_MEMORY = 64 << 20
"""Bytes of activations of the grid of one client."""


class Desk:
    """Draws for a hub. Only its thread may call.

    Args:
        session: of the model.
        held: results with weights of their own.
        limit: bytes that the caches of all clients may have; those of the client that was drawn for longest ago go first.
        batches: measure at once which batches pay; else none is made.

    Attributes:
        memory: tries again where it is full.
    """

    def __init__(
        self, session: GeneratorSession, held: Held | None = None, limit: int = CACHES, *, batches: bool = True
    ) -> None:
        self.session, self.held, self._limit = session, held or Held(), limit
        self.memory = Memory(out_of_memory, self.clear)
        self._renderers: OrderedDict[tuple[Seat, str], LiveRenderer] = OrderedDict()
        self._grids: OrderedDict[str, GridRenderer] = OrderedDict()
        self._batch = session.cache(0)  # a batch keeps nothing
        self.sizes: Sequence[int] = self._measured() if batches else ()

    @property
    def nbytes(self) -> int:
        """Bytes of activations that are kept."""
        return sum(renderer.cache.bytes for renderer in self._renderers.values())

    def clear(self) -> None:
        """Forget what can be drawn again."""
        self._renderers.clear()
        self._grids.clear()
        self._batch.clear()
        self.held.cool()

    def session_of(self, client: str, on: str) -> GeneratorSession:
        """The session that draws, with the weights of a result where one is named. `RemoteError` 424 where it is not there."""
        return self.held.session(client, on, self.session) if on else self.session

    def grids(self, client: str, session: GeneratorSession) -> GridRenderer:
        """What draws the grids of a client: of the last `GRIDS` that asked for any."""
        found = self._grids.pop(client, None)
        if found is None or found.session is not session:
            found = GridRenderer(session, GRID_MEMORY)
        self._grids[client] = found
        while len(self._grids) > GRIDS:
            self._grids.popitem(last=False)
        return found

    # -- as `hub.Drawer` -------------------------------------------------------------------------------------------------
    def begin(self, seat: Seat, request: Request) -> Made:
        """One picture, from the first block that differs from the one before of this seat."""
        session = self.session_of(seat.client, request.on)
        pixels = self.memory.trying(partial(self._draw, seat, session, request))
        return _made(pixels, request.rung)

    def alike(self, request: Request) -> Hashable:
        """Settled frames, and those of fitted weights, are drawn alone."""
        if request.rung.final or request.on:
            return None
        return request.rung.max_side, request.latent.view, request.latent.source

    def together(self, requests: Sequence[Request]) -> list[Made]:
        """One batch of them."""
        pixels = self.memory.trying(partial(self._draw_batch, requests))
        return [_made(fit(one, r.rung.max_side), r.rung) for one, r in zip(pixels, requests, strict=True)]

    def forget(self, seat: Seat) -> None:
        """Drop a seat's caches."""
        for key in [key for key in self._renderers if key[0] is seat]:
            del self._renderers[key]

    # -- inside --------------------------------------------------------------------------------------------------------
    def _draw(self, seat: Seat, session: GeneratorSession, request: Request) -> NDArray[np.uint8]:
        session.check(request.latent)
        key = seat, request.on
        renderer = self._renderers.get(key)
        if renderer is None or renderer.session is not session:
            renderer = self._renderers[key] = LiveRenderer(session)
            renderer.cache.limit = min(renderer.cache.limit, self._limit)
        self._renderers.move_to_end(key)
        pixels = renderer(request.latent, request.rung)
        while self.nbytes > self._limit and len(self._renderers) > 1:
            self._renderers.popitem(last=False)
        return pixels

    def _draw_batch(self, requests: Sequence[Request]) -> NDArray[np.uint8]:
        session, first = self.session, requests[0].latent
        for request in requests:
            session.check(request.latent)
        with session.shown(first):
            units = [
                Unit(session.code_styles(latent), Seeded(latent.noise_mode, latent.noise_seed))
                for latent in (request.latent for request in requests)
            ]
            drawn = self._batch.draw(units, requests[0].rung.max_side, session.drag_half, previews=True)
        pixels: NDArray[np.uint8] = to_uint8(drawn)
        return pixels

    # -- which batches pay -----------------------------------------------------------------------------------------------
    def _measured(self, rounds: int = 5) -> tuple[int, ...]:
        """The sizes that pay, by a drag of as many clients of an edit that acts on the upper two thirds of the layers: what a
        cache saves is saved, as it is when people drag."""
        if self.session.needs_source:
            return ()
        rungs = [rung for rung in drag_rungs(self.session.resolution) if not rung.final]
        if not rungs:
            return ()
        rung, paying = rungs[-1], []
        seats = [Seat("", Purse(), lambda _: None) for _ in range(max(BATCHES))]
        for size in BATCHES:
            requests = [_moved(self.session, seed, rung) for seed in range(size)]
            alone, together = [], []
            for step in range(rounds + 1):
                moved = [request(step) for request in requests]
                took = [
                    _seconds(lambda: [self.begin(*each) for each in zip(seats, moved, strict=False)]),  # noqa: B023
                    _seconds(lambda: self.together(moved)),  # noqa: B023
                ]
                if step:  # the first fills the caches
                    alone.append(took[0])
                    together.append(took[1])
            if statistics.median(together) <= GAIN * statistics.median(alone):
                paying.append(size)
        self.clear()
        return tuple(paying)


def _moved(session: GeneratorSession, seed: int, rung: Rung) -> Callable[[int], Request]:
    """A drag of one face: its request after so many moves."""
    vector = np.random.RandomState(seed).randn(session.w_dim).astype(np.float32)
    direction = Direction("measured", vector / np.linalg.norm(vector))
    layers = (session.num_ws // 3, session.num_ws)
    start = session.latent(seed=seed)
    return lambda step: Request(step, start.with_edit(direction, 0.5 * step, layers), rung)


def _made(pixels: NDArray[np.uint8], rung: Rung) -> Made:
    def encoded() -> Picture:
        began = time.perf_counter()
        data = encode(pixels, rung)
        took = (time.perf_counter() - began) * 1000
        return Picture(data, mime(rung), pixels.shape[1], pixels.shape[0], took)

    return Made(encoded, pixels.shape[0] * pixels.shape[1] > LARGE)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
