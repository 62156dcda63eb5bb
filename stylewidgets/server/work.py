"""Long work of clients: whose is next, slice by slice, and what becomes of it when its client is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .. import jobs
from ..remote.messages import RemoteError
from .purse import Purse

MOST_WORK = 4
"""Jobs of one client that are not ended."""
BESIDE = 0.02
"""Seconds of a slice while somebody else watches a picture; one step at least is done."""
AWAY = 600.0
"""Seconds that the work of a client that has gone goes on."""

ENDED = (jobs.DONE, jobs.FAILED, jobs.STOPPED)


@dataclass(eq=False)
class Task:
    """One job of a client.

    Attributes:
        begin: makes the run; called on the hub's thread, as `tell`.
        tell: told after each slice and at the end. It may read `run` and `error`.
        dropped: whether it was stopped before it had begun.
        orders: what the client asked for meanwhile.
    """

    client: str
    name: str
    purse: Purse
    begin: Callable[[], jobs.Run[Any]]
    tell: Callable[[Task], object]
    run: jobs.Run[Any] | None = None
    error: Exception | None = None
    dropped: bool = False
    orders: list[str] = field(default_factory=list)
    served: int = 0
    seconds: float = 0.0

    @property
    def status(self) -> str:
        """As of a `jobs.Run`."""
        if self.error is not None:
            return jobs.FAILED
        if self.dropped:
            return jobs.STOPPED
        return jobs.READY if self.run is None else self.run.status

    @property
    def wants_a_turn(self) -> bool:
        """Whether there is something to do."""
        return bool(self.orders) or (self.status in (jobs.READY, jobs.RUNNING) and not self.purse.wait())


class Works:
    """All long work of a hub.

    Args:
        lock: of the hub, which holds it for all but `advance`.
        clock: seconds, monotonic.
    """

    def __init__(self, lock: threading.Condition, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock, self._clock = lock, clock
        self._tasks: dict[tuple[str, str], Task] = {}
        self._away: dict[str, float] = {}
        self._turns = 0

    def __len__(self) -> int:
        return len(self._tasks)

    def of(self, client: str) -> list[Task]:
        """What a client has that is not ended."""
        return [task for task in self._tasks.values() if task.client == client]

    def back(self, client: str, tell: Callable[[Task], object]) -> None:
        """A client is here (again): what it has goes on, and is told to it."""
        self._away.pop(client, None)
        for task in self.of(client):
            task.tell = tell
            task.orders.append("tell")

    def add(self, task: Task) -> None:
        """See `Hub.start`."""
        same = self._tasks.get((task.client, task.name))
        if same is not None and same.status not in ENDED:
            raise RemoteError(f"there is work called {task.name!r} already; stop it first", 409)
        own = [other for other in self.of(task.client) if other.status not in ENDED]
        if len(own) >= MOST_WORK:
            raise RemoteError(f"a client has at most {MOST_WORK} jobs at a time; stop one first", 429)
        task.served = max((other.served for other in own), default=0)
        self._tasks[task.client, task.name] = task

    def order(self, client: str, name: str, order: str) -> None:
        """See `Hub.order`."""
        task = self._tasks.get((client, name))
        if task is None:
            raise RemoteError(f"there is no work called {name!r}: it has ended, or was never started here", 404)
        task.orders.append(order)

    def away(self, client: str) -> None:
        """A client has gone; its work goes on for a while, for it to come back to."""
        if self.of(client):
            self._away[client] = self._clock()

    def tidy(self) -> None:
        """Stop the work of clients that have been away for too long."""
        now = self._clock()
        for client in [client for client, since in self._away.items() if now - since > AWAY]:
            for task in self.of(client):
                task.orders.append("stop")

    def next(self) -> Task | None:
        """The task whose client was served longest ago."""
        ready = [task for task in self._tasks.values() if task.wants_a_turn]
        if not ready:
            return None
        last: dict[str, int] = {}
        for task in self._tasks.values():
            last[task.client] = max(last.get(task.client, 0), task.served)
        chosen = min(ready, key=lambda task: (not task.orders, last[task.client], task.served))
        self._turns += 1
        chosen.served = self._turns
        return chosen

    def purses(self) -> list[Purse]:
        """Of those that wait for nothing else."""
        return [task.purse for task in self._tasks.values() if task.status in (jobs.READY, jobs.RUNNING)]

    def advance(self, task: Task, watched: bool) -> None:
        """Do what the client asked for, then a slice. Without the lock.

        Args:
            watched: whether another client watches a picture: then a short one.
        """
        began = self._clock()
        try:
            self._slice(task, BESIDE if watched else jobs.SLICE)
        except Exception as error:  # noqa: BLE001  whatever a job brings about: it is told, and the thread goes on
            task.error = error
        took = self._clock() - began
        task.purse.spend(took)
        task.seconds += took
        ended = task.status in ENDED
        task.tell(task)  # before it is forgotten: until then an order that crosses this is no mistake
        if ended:
            with self._lock:
                if self._tasks.get((task.client, task.name)) is task:
                    del self._tasks[task.client, task.name]

    def _slice(self, task: Task, seconds: float) -> None:
        with self._lock:
            orders, task.orders = task.orders, []
        if task.run is None:
            if "stop" in orders:
                task.dropped = True
                return
            task.run = task.begin()
        for order in orders:
            self._obey(task.run, order)
        if not orders and task.run.status in (jobs.READY, jobs.RUNNING):
            jobs.turn(task.run, seconds, self._clock)

    @staticmethod
    def _obey(run: jobs.Run[Any], order: str) -> None:
        if order == "stop":
            run.stop()
        elif order == "pause":
            run.pause()
        elif order == "resume" and run.status == jobs.PAUSED:
            run.resume()

    def close(self) -> None:
        """Drop everything."""
        self._tasks.clear()
