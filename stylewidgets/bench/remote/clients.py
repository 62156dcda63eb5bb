"""Clients that drag, as widgets do: 60 values a second, two frames on their way at most, the newest value waits."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from ...latent.latent import Direction, Latent
from ...remote.messages import SUBPROTOCOL, Outgoing, text, unpacked
from ...render.ladder import Rung
from ...render.pump import IN_FLIGHT

RATE = 60.0
"""Values a second."""
FLOOD = 10
"""Times as many messages come from one that floods."""
RUNG = Rung(64, "jpeg", 60, "drag")


@dataclass
class Client:
    """One that drags, and what it saw.

    Attributes:
        greedy: floods: sends every value `FLOOD` times, whatever is on its way.
        ages: seconds from a value's making to its picture, of each frame.
    """

    number: int
    num_ws: int
    w_dim: int
    greedy: bool = False
    ages: list[float] = field(default_factory=list)
    _made: dict[int, float] = field(default_factory=dict)

    async def drag(self, address: str, seconds: float, start: asyncio.Event) -> None:
        """Connect, wait for the start, and drag for so long."""
        async with connect(f"ws://{address}/v1/live", subprotocols=[SUBPROTOCOL], compression=None) as socket:  # type: ignore[list-item]
            name = f"client-{self.number:04d}-of-the-bench"
            await socket.send(text({"hello": {"version": 1, "token": "", "client": name, "model": ""}}))
            await socket.recv()
            latents = await self._latents(socket)
            await start.wait()
            reader = asyncio.ensure_future(self._read(socket))
            try:
                await self._send(socket, latents, seconds)
            finally:
                reader.cancel()

    async def _latents(self, socket: ClientConnection) -> list[object]:
        """A second of a drag: an edit of the upper two thirds of the layers, whose direction crosses once."""
        vector = np.random.RandomState(self.number).randn(self.w_dim).astype(np.float32)
        direction = Direction("bench", vector / np.linalg.norm(vector))
        ahead: list[str] = []
        out = Outgoing(ahead.append)
        layers = (self.num_ws // 3, self.num_ws)
        moves = [Latent(seed=self.number).with_edit(direction, 0.05 * step, layers) for step in range(int(RATE))]
        described: list[object] = [out.latent(latent) for latent in moves]
        for line in ahead:
            await socket.send(line)
        return described

    async def _send(self, socket: ClientConnection, latents: Sequence[object], seconds: float) -> None:
        began = time.perf_counter()
        rate = RATE * FLOOD if self.greedy else RATE
        for n in range(int(seconds * rate)):
            await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
            if self.greedy or len(self._made) < IN_FLIGHT:
                self._made[n] = time.perf_counter()
                await socket.send(text({"n": n, "latent": latents[n % len(latents)], "rung": list(RUNG)}))
            if time.perf_counter() - began > seconds:
                break

    async def _read(self, socket: ClientConnection) -> None:
        async for message in socket:
            if isinstance(message, bytes):
                n, now = unpacked(message)[0]["n"], time.perf_counter()
                if n in self._made:
                    self.ages.append(now - self._made[n])
                self._made = {k: made for k, made in self._made.items() if k > n}


@dataclass(frozen=True)
class Seen:
    """What the clients of one run saw.

    Attributes:
        rates: frames a second of each polite client.
        greedy: of each greedy one.
        ages: seconds, of all frames of polite clients.
    """

    rates: tuple[float, ...]
    greedy: tuple[float, ...]
    ages: tuple[float, ...]

    @property
    def jain(self) -> float:
        """Jain's index of the polite clients' rates: 1 where all are equal."""
        return sum(self.rates) ** 2 / max(1e-12, len(self.rates) * sum(rate * rate for rate in self.rates))

    @property
    def age(self) -> float:
        """Median age in milliseconds."""
        return statistics.median(self.ages) * 1000 if self.ages else float("nan")

    @property
    def late(self) -> float:
        """Age in milliseconds that one frame in twenty exceeds."""
        return float(np.quantile(self.ages, 0.95)) * 1000 if self.ages else float("nan")


def run(address: str, about: tuple[int, int], polite: int, greedy: int, seconds: float) -> Seen:
    """Let so many clients drag at once.

    Args:
        about: num_ws and w_dim of the model.
    """
    clients = [Client(k, *about, greedy=k >= polite) for k in range(polite + greedy)]

    async def all_of_them() -> None:
        start = asyncio.Event()
        tasks = [asyncio.ensure_future(client.drag(address, seconds, start)) for client in clients]
        await asyncio.sleep(0.5)
        start.set()
        await asyncio.wait_for(asyncio.gather(*tasks), seconds + 30)

    asyncio.run(all_of_them())
    rates = [len(client.ages) / seconds for client in clients]
    ages = [age for client in clients[:polite] for age in client.ages]
    return Seen(tuple(rates[:polite]), tuple(rates[polite:]), tuple(ages))


def round_trips(address: str, about: tuple[int, int], count: int) -> list[float]:
    """Milliseconds from a request to its frame, one after the other, of a client that is alone."""
    client = Client(0, *about)
    took: list[float] = []

    async def ask() -> None:
        async with connect(f"ws://{address}/v1/live", subprotocols=[SUBPROTOCOL], compression=None) as socket:  # type: ignore[list-item]
            await socket.send(text({"hello": {"version": 1, "token": "", "client": "x" * 16, "model": ""}}))
            await socket.recv()
            latents = await client._latents(socket)
            for n in range(count):
                line = text({"n": n, "latent": latents[n % len(latents)], "rung": list(RUNG)})
                began = time.perf_counter()
                await socket.send(line)
                await socket.recv()
                took.append((time.perf_counter() - began) * 1000)

    asyncio.run(asyncio.wait_for(ask(), 60 + count * 0.1))
    return took[count // 10 :]
