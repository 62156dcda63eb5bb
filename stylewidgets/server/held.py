"""Results that jobs made: files of their clients, for as long as these are there and there is room."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..remote.messages import RemoteError

if TYPE_CHECKING:
    from ..inversion.result import Result
    from ..session.session import GeneratorSession

ROOM = 1 << 30
"""Bytes of files and fitted weights of all clients."""
AWAY = 600.0
"""Seconds that they are kept after their client has gone."""


@dataclass(eq=False)
class Kept:
    """One result.

    Attributes:
        owner: client that it belongs to.
        data: its file.
        suffix: of the file's name.
        result: itself, where it has weights or noise of its own.
        sessions: that draw with these, one for each model and picture, made when they are first asked for.
    """

    owner: str
    data: bytes
    suffix: str
    result: Result | None = None
    sessions: dict[tuple[int, int], GeneratorSession] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Its file, and about as much again as float32 where weights are its own."""
        return len(self.data) * (1 if self.result is None else 3)


class Held:
    """All results, by the sha256 of their files.

    Args:
        room: bytes of all; those that were not asked for longest go first.
        clock: seconds, monotonic.
    """

    def __init__(self, room: int = ROOM, clock: Callable[[], float] = time.monotonic) -> None:
        self._room, self._clock = room, clock
        self._kept: OrderedDict[tuple[str, str], Kept] = OrderedDict()
        self._away: dict[str, float] = {}
        self._lock = threading.RLock()

    @property
    def nbytes(self) -> int:
        """What all take."""
        with self._lock:
            return sum(kept.nbytes for kept in self._kept.values())

    def put(self, owner: str, data: bytes, suffix: str, result: Result | None = None) -> str:
        """Keep a result, and return its hash."""
        name = hashlib.sha256(data).hexdigest()
        with self._lock:
            self._kept.pop((owner, name), None)
            self._kept[owner, name] = Kept(owner, data, suffix, result)
            while self.nbytes > self._room and len(self._kept) > 1:
                self._kept.popitem(last=False)
        return name

    def get(self, owner: str, name: str) -> Kept:
        """A result of a client. `RemoteError` 404 where it is not here (any more)."""
        with self._lock:
            kept = self._kept.get((owner, name))
            if kept is not None:
                self._kept.move_to_end((owner, name))
                return kept
        raise RemoteError(f"there is no result {name[:64]}: it was dropped to make room, or its client was away", 404)

    def session(self, owner: str, on: str, base: GeneratorSession) -> GeneratorSession:
        """The session that draws as a result does.

        Args:
            owner: the client.
            on: hash of the result, with ":1" for the second of its pictures.
            base: session of the model.

        Raises:
            RemoteError: 424 where it is not here (any more), 422 where it has no such picture.
        """
        name, _, number = on.partition(":")
        try:
            kept = self.get(owner, name)
        except RemoteError as error:
            raise RemoteError(str(error), 424) from None
        if kept.result is None:
            return base
        k = int(number) if number.isdecimal() and len(number) < 6 else 0 if not number else -1
        if not 0 <= k < len(kept.result):
            raise RemoteError(f"the result has pictures 0 to {len(kept.result) - 1}; {number[:20]!r} was given", 422)
        key = id(base), k  # a client may show one result on two models
        if key not in kept.sessions:
            if kept.result.delta is not None:
                kept.sessions.clear()  # each is a copy of what was tuned
            kept.sessions[key] = kept.result.session(base, k)
        return kept.sessions[key]

    def cool(self) -> None:
        """Let go of the sessions, which can be made again."""
        for kept in list(self._kept.values()):
            kept.sessions.clear()

    def here(self, owner: str) -> None:
        """A client is there (again)."""
        self._away.pop(owner, None)

    def gone(self, owner: str) -> None:
        """A client has gone: `AWAY` seconds from now its results go as well."""
        self._away[owner] = self._clock()

    def tidy(self) -> list[str]:
        """Drop what belongs to clients that have been away for too long; returns these."""
        now = self._clock()
        with self._lock:
            gone = [owner for owner, since in self._away.items() if now - since > AWAY]
            for owner in gone:
                del self._away[owner]
                for key in [key for key in self._kept if key[0] == owner]:
                    del self._kept[key]
        return gone
