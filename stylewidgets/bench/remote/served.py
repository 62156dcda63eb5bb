"""The server of the measurement, in a process of its own: a real model, one of a fixed time, or none at all.

Run as ``python -m stylewidgets.bench.remote.served KIND SIZES MODEL``; it prints its port and ends when its input does.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence

from ... import load
from ...render.pump import Picture
from ...server.app import App
from ...server.desk import Desk
from ...server.listen import Server
from ...server.seats import Made, Request, Seat
from ...server.serving import Serving
from ...session.session import GeneratorSession

FRAME, MORE = 0.008, 0.0015
"""Seconds of one picture, and of each further one of a batch: an assumed device."""
BYTES = 4000


class Fixed(Desk):
    """Draws nothing, and takes `frame` seconds for it, and `more` for each further picture of a batch."""

    frame, more = FRAME, MORE

    def begin(self, seat: Seat, request: Request) -> Made:
        """As of `Desk`."""
        return self._made(1)[0]

    def together(self, requests: Sequence[Request]) -> list[Made]:
        """As of `Desk`."""
        return self._made(len(requests))

    def _made(self, pictures: int) -> list[Made]:
        if self.frame:
            time.sleep(self.frame + self.more * (pictures - 1))
        return [Made(lambda: Picture(bytes(BYTES), "image/jpeg", 64, 64), False)] * pictures


class Null(Fixed):
    """Takes no time: what is left is what a server adds."""

    frame = 0.0


KINDS: dict[str, type[Desk]] = {"fixed": Fixed, "real": Desk, "null": Null}


class Measured(Serving):
    """A server with such a desk.

    Args:
        session: of the model.
        kind: one of `KINDS`.
        sizes: of batches; None for those that pay, as measured.
    """

    def __init__(self, session: GeneratorSession, kind: str, sizes: Sequence[int] | None) -> None:
        self._kind = KINDS[kind]
        super().__init__({"measured": session}, batches=sizes is None)
        if sizes is not None:
            self.models["measured"].desk.sizes = sizes

    def _desk(self, session: GeneratorSession, caches: int, batches: bool) -> Desk:
        return self._kind(session, self.held, caches, batches=batches)


def main(kind: str, sizes: str, model: str) -> None:
    """Serve until the input ends."""
    given = None if sizes == "measured" else tuple(int(size) for size in sizes.split(",") if size)
    serving = Measured(load(model or None), kind, given)

    def ready(port: int) -> None:
        print(port, ",".join(map(str, serving.models["measured"].desk.sizes)) or "none", flush=True)

    server = Server(App(serving), ready=ready)

    def until_the_end() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=until_the_end, daemon=True).start()
    server.run()


if __name__ == "__main__":
    main(*sys.argv[1:4])
