"""What passes between a hub, what draws for it, and those who watch."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ..latent.latent import Latent
from ..render.ladder import Rung
from ..render.pump import Picture
from .purse import Purse

UNSENT = 1 << 18
"""Bytes that may be on their way to a client; while there are more, its mailbox waits."""
AHEAD = 4
"""Frames of one client that are being encoded or on their way; as bytes, they are bounded by `UNSENT`."""

Encode = Callable[[], Picture]
"""Makes the bytes of pixels, on any thread."""


class Request(NamedTuple):
    """One picture that a client wants.

    Attributes:
        n: number of the request.
        on: hash of the result whose weights draw, "" for the model itself.
    """

    n: int
    latent: Latent
    rung: Rung
    on: str = ""


class Made(NamedTuple):
    """Pixels that are drawn, and how they become bytes.

    Attributes:
        large: whether encoding takes long enough to go on beside the next frame.
    """

    encode: Encode
    large: bool


class Drawer(Protocol):
    """What draws. Only the hub's thread calls it."""

    sizes: Sequence[int]
    """Sizes of batches that are quicker than as many single pictures, the largest first; () where none are."""

    def begin(self, seat: Seat, request: Request) -> Made:
        """One picture, from what is kept for this seat."""

    def alike(self, request: Request) -> Hashable:
        """Equal for requests that may share a batch; None for one that is drawn alone."""

    def together(self, requests: Sequence[Request]) -> list[Made]:
        """Pictures of requests that are alike."""

    def forget(self, seat: Seat) -> None:
        """Drop what is kept for a seat."""


@dataclass(frozen=True)
class Frame:
    """A picture for a client, which answers all its requests up to `n`."""

    n: int
    picture: Picture
    rung: Rung
    render_ms: float


@dataclass(frozen=True)
class Failed:
    """Why there is no picture."""

    n: int
    error: Exception


@dataclass(frozen=True)
class Busy:
    """The token's share of the device is used up for so many seconds."""

    seconds: float


Deliver = Callable[[Frame | Failed | Busy], object]


@dataclass(eq=False)
class Seat:
    """A picture that a client watches: it may have several.

    Attributes:
        client: whose it is.
        deliver: takes what is for the client, on any thread, and returns at once.
        served: number of the turn that was its last.
        answered: the request up to which it has its answers.
        ahead: frames that are being encoded or have not left this machine.
        unsent: bytes of those that are encoded.
    """

    client: str
    purse: Purse
    deliver: Deliver
    mail: Request | None = None
    served: int = 0
    answered: int = -1
    ahead: int = 0
    unsent: int = 0
    told_busy: bool = False
    gone: bool = False

    @property
    def ready(self) -> bool:
        """Whether a frame can be drawn for it now, but for its purse."""
        return self.mail is not None and self.unsent < UNSENT and self.ahead < AHEAD
