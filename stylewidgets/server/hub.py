"""The hub: what many clients want of one model, and the order in which one thread does it. It knows no socket and no torch.

A turn is a frame (or a batch of frames), a batch of a call, or a slice of long work. Frames go first: between two other turns
every client that waits is drawn for once. Among clients the one that was served longest ago is next.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..remote.messages import RemoteError
from .purse import Purse
from .seats import Busy, Deliver, Drawer, Encode, Failed, Frame, Request, Seat
from .work import Task, Works

MOST_CALLS = 4
"""Calls of one client that wait at a time."""
Steps = Generator[None, None, Any]
"""A call: what it does between two `yield`s is one turn, and it returns the answer."""


@dataclass(eq=False)
class _Caller:
    """A client that calls: what waits, with where its answers go."""

    purse: Purse
    waiting: deque[tuple[Steps, Future[Any]]] = field(default_factory=deque)
    served: int = 0


class Hub:
    """Mailboxes, calls and long work of many clients, and whose turn it is. `run` is the thread; tests call `step`.

    Args:
        drawer: what draws.
        beside: starts work on another thread; by default it is done at once.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        drawer: Drawer,
        beside: Callable[[Callable[[], None]], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._drawer, self._clock = drawer, clock
        self._beside = beside or (lambda work: work())
        self._changed = threading.Condition(threading.RLock())
        self._seats: list[Seat] = []
        self._callers: dict[str, _Caller] = {}
        self.works = Works(self._changed, clock)
        self._numbers = itertools.count(1)
        self._due: int | None = None
        self._work_next = False
        self._closed = False
        self.frames = self.batches = 0

    # -- clients -------------------------------------------------------------------------------------------------------
    def join(self, client: str, purse: Purse, deliver: Deliver) -> Seat:
        """A seat for a client, until `leave`."""
        with self._changed:
            # As long unserved as anybody, but no longer: who comes anew does not go before all others for long.
            first = min((seat.served for seat in self._seats), default=0)
            seat = Seat(client, purse, deliver, served=first)
            self._seats.append(seat)
            return seat

    def leave(self, seat: Seat) -> bool:
        """Drop a seat's mailbox and what is kept for it; a frame under way is thrown away. Whether its client has no other."""
        with self._changed:
            seat.gone, seat.mail = True, None
            self._seats = [other for other in self._seats if other is not seat]
            last = all(other.client != seat.client for other in self._seats)
            if last:
                self.works.away(seat.client)
            self.ask(partial(self._drawer.forget, seat))
            return last

    def post(self, seat: Seat, request: Request) -> None:
        """Put a request into a mailbox, in place of an older one. One of the past is dropped."""
        with self._changed:
            newest = max(seat.answered, seat.mail.n if seat.mail is not None else -1)
            if request.n > newest and not seat.gone:
                seat.mail = request
                self._changed.notify()

    def sent(self, seat: Seat, size: int) -> None:
        """A frame of so many bytes has left this machine."""
        with self._changed:
            seat.unsent -= size
            seat.ahead -= 1
            self._changed.notify()

    # -- calls and long work -------------------------------------------------------------------------------------------
    def call(self, client: str, purse: Purse, steps: Steps) -> Future[Any]:
        """Queue a call. What waits may be cancelled.

        Raises:
            RemoteError: 429, with `after` seconds, where the client has `MOST_CALLS` already or its token's share is used up.
        """
        with self._changed:
            waiting = len(self._callers[client].waiting) if client in self._callers else 0
            if waiting >= MOST_CALLS or purse.wait() > 0:
                steps.close()
                what = "share of the device" if purse.wait() > 0 else f"{MOST_CALLS} calls that may wait"
                raise RemoteError(
                    f"this client has used up its {what}: try again a little later", 429, max(1.0, purse.wait())
                )
            return self._queue(client, purse, steps)

    def ask(self, act: Callable[[], object]) -> Future[Any]:
        """Queue one thing to do on the thread, of the server itself."""

        def steps() -> Steps:
            yield
            return act()

        with self._changed:
            return self._queue("", Purse(), steps())

    def start(self, task: Task) -> None:
        """Queue long work.

        Raises:
            RemoteError: 429 where the client has too much already, 409 where it has work of that name.
        """
        with self._changed:
            self.works.add(task)
            self._changed.notify()

    def back(self, client: str, tell: Callable[[Task], object]) -> None:
        """A client is here (again): its long work is told to `tell` from now on, and once at once."""
        with self._changed:
            self.works.back(client, tell)
            self._changed.notify()

    def tidy(self) -> None:
        """Stop the work of clients that have been away for too long."""
        with self._changed:
            self.works.tidy()
            self._changed.notify()

    def order(self, client: str, name: str, order: str) -> None:
        """Pause, resume or stop work. `RemoteError` 404 where there is none of this name."""
        with self._changed:
            self.works.order(client, name, order)
            self._changed.notify()

    # -- the thread ----------------------------------------------------------------------------------------------------
    def run(self) -> None:
        """Take turns until `close`."""
        while True:
            with self._changed:
                turn = self._next()
                while turn is None and not self._closed:
                    self._changed.wait(self._until())
                    turn = self._next()
            if turn is None:
                return
            turn()

    def step(self) -> bool:
        """Take one turn; False where there is nothing to do."""
        with self._changed:
            turn = self._next()
        if turn is None:
            return False
        turn()
        return True

    def close(self) -> None:
        """Take no more turns; what waits is answered with an error."""
        with self._changed:
            self._closed = True
            waiting = [each for caller in self._callers.values() for each in caller.waiting]
            self._callers.clear()
            self._seats.clear()
            self.works.close()
            self._changed.notify_all()
        for _, answer in waiting:
            if answer.running() or answer.set_running_or_notify_cancel():
                _settle(answer, partial(answer.set_exception, RemoteError("the server is going down", 503)))

    @property
    def queue(self) -> dict[str, int]:
        """What waits, in numbers."""
        with self._changed:
            return {
                "clients": len(self._seats),
                "frames": sum(seat.mail is not None for seat in self._seats),
                "calls": sum(len(caller.waiting) for caller in self._callers.values()),
                "jobs": len(self.works),
            }

    # -- whose turn it is ----------------------------------------------------------------------------------------------
    def _next(self) -> Callable[[], None] | None:
        if self._closed:
            return None
        ready = sorted((seat for seat in self._seats if self._may(seat)), key=lambda seat: seat.served)
        if self._due is None:  # another turn has just been: all that wait now go before the next such
            self._due = len(ready)
        if ready and self._due > 0:
            return self._frame_turn(ready)
        other = self._other_turn()
        if other is not None:
            self._due = None
            return other
        return self._frame_turn(ready) if ready else None

    def _may(self, seat: Seat) -> bool:
        if not seat.ready:
            return False
        wait = seat.purse.wait()
        if wait and not seat.told_busy:
            seat.deliver(Busy(wait))
        seat.told_busy = wait > 0
        return not wait

    def _frame_turn(self, ready: Sequence[Seat]) -> Callable[[], None]:
        members = [ready[0]]
        if self._drawer.sizes and len(ready) >= min(self._drawer.sizes):
            kinds = [self._drawer.alike(seat.mail) for seat in ready if seat.mail is not None]
            alike = [seat for seat, kind in zip(ready, kinds, strict=True) if kind == kinds[0] and kind is not None]
            members = alike[: next((size for size in self._drawer.sizes if size <= len(alike)), 0)] or members
        work: list[tuple[Seat, Request]] = []
        for seat in members:
            assert seat.mail is not None
            work.append((seat, seat.mail))
            seat.mail, seat.served, seat.ahead = None, next(self._numbers), seat.ahead + 1
        self._due = (self._due or 0) - len(work)
        return partial(self._draw, work)

    def _other_turn(self) -> Callable[[], None] | None:
        """A batch of a call and a slice of long work, one after the other where both wait."""
        kinds = [self._call_turn, self._work_turn]
        for kind in reversed(kinds) if self._work_next else kinds:
            turn = kind()
            if turn is not None:
                self._work_next = kind == self._call_turn
                return turn
        return None

    def _call_turn(self) -> Callable[[], None] | None:
        self._callers = {name: caller for name, caller in self._callers.items() if caller.waiting}
        ready = [caller for caller in self._callers.values() if not caller.purse.wait()]
        if not ready:
            return None
        caller = min(ready, key=lambda caller: caller.served)
        caller.served = next(self._numbers)
        return partial(self._advance, caller)

    def _work_turn(self) -> Callable[[], None] | None:
        task = self.works.next()
        if task is None:
            return None
        watched = any(seat.client != task.client and not seat.gone for seat in self._seats)
        return partial(self.works.advance, task, watched)

    def _until(self) -> float | None:
        """Seconds until somebody's purse is full enough, None where nobody waits for that."""
        purses = [seat.purse for seat in self._seats if seat.ready]
        purses += [caller.purse for caller in self._callers.values() if caller.waiting] + self.works.purses()
        return min((wait for wait in (purse.wait() for purse in purses) if wait), default=None)

    # -- turns, without the lock ---------------------------------------------------------------------------------------
    def _draw(self, work: Sequence[tuple[Seat, Request]]) -> None:
        began = self._clock()
        try:
            if len(work) == 1:
                ((seat, request),) = work
                made = [self._drawer.begin(seat, request)]
            else:
                made = self._drawer.together([request for _, request in work])
                self.batches += 1
        except Exception as error:  # noqa: BLE001  whatever a request brings about: it is told, and the thread goes on
            self._refuse(work, error)
            return
        took = (self._clock() - began) / len(work)
        for (seat, request), one in zip(work, made, strict=True):
            seat.purse.spend(took)
            encode = partial(self._encode, seat, request, one.encode, took * 1000)
            self._beside(encode) if one.large else encode()

    def _refuse(self, work: Sequence[tuple[Seat, Request]], error: Exception) -> None:
        """One bad request in a batch must not spoil the others: they are drawn alone."""
        if len(work) > 1:
            for each in work:
                self._draw([each])
            return
        ((seat, request),) = work
        with self._changed:
            seat.ahead -= 1
            seat.answered = max(seat.answered, request.n)
        if not seat.gone:
            seat.deliver(Failed(request.n, error))

    def _encode(self, seat: Seat, request: Request, encode: Encode, render_ms: float) -> None:
        reply: Frame | Failed
        try:
            picture = encode()
            assert picture is not None  # nothing here draws a newer one in its place
            reply, size = Frame(request.n, picture, request.rung, render_ms), len(picture.data)
        except Exception as error:  # noqa: BLE001  as above
            reply, size = Failed(request.n, error), 0
        with self._changed:
            self._changed.notify()
            if seat.gone or request.n < seat.answered or isinstance(reply, Failed):
                seat.ahead -= 1
            if seat.gone or request.n < seat.answered:  # a newer one was encoded sooner
                return
            seat.answered = request.n
            seat.unsent += size
            self.frames += 1
        seat.deliver(reply)

    def _advance(self, caller: _Caller) -> None:
        steps, answer = caller.waiting[0]
        if not answer.running() and not answer.set_running_or_notify_cancel():
            self._finish(caller, steps)
            return
        began = self._clock()
        try:
            next(steps)
        except StopIteration as end:
            self._finish(caller, steps)
            _settle(answer, partial(answer.set_result, end.value))
        except Exception as error:  # noqa: BLE001  as above
            self._finish(caller, steps)
            _settle(answer, partial(answer.set_exception, error))
        finally:
            caller.purse.spend(self._clock() - began)

    def _finish(self, caller: _Caller, steps: Steps) -> None:
        steps.close()
        with self._changed:
            if caller.waiting and caller.waiting[0][0] is steps:
                caller.waiting.popleft()

    def _queue(self, client: str, purse: Purse, steps: Steps) -> Future[Any]:
        answer: Future[Any] = Future()
        self._callers.setdefault(client, _Caller(purse)).waiting.append((steps, answer))
        self._changed.notify()
        return answer


def _settle(answer: Future[Any], say: Callable[[], None]) -> None:
    """Say how a call ended, unless that was said meanwhile: when the hub closes, its thread may be at the last turn."""
    with contextlib.suppress(InvalidStateError):
        say()
