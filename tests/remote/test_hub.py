"""The hub, without a socket: whose turn it is, what is dropped, what is batched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from stylewidgets import jobs
from stylewidgets.latent import Latent
from stylewidgets.remote.messages import RemoteError
from stylewidgets.render.ladder import STILL, Rung
from stylewidgets.render.pump import Picture
from stylewidgets.server.hub import MOST_CALLS, Hub
from stylewidgets.server.purse import Purse
from stylewidgets.server.seats import AHEAD, UNSENT, Busy, Failed, Frame, Made, Request, Seat
from stylewidgets.server.work import AWAY, Task

DRAG = Rung(64, "jpeg", 60, "drag")
FRAME, MORE = 0.008, 0.0015
"""Seconds of a frame, and of each further one of a batch."""


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Sketcher:
    """Draws nothing, in a fixed time. Latents of seed 13 cannot be drawn."""

    def __init__(self, clock: Clock, sizes: Sequence[int] = ()) -> None:
        self.clock, self.sizes, self.log = clock, sizes, []

    def begin(self, seat: Seat, request: Request) -> Made:
        self.clock.now += FRAME
        return self._made([request])[0]

    def alike(self, request: Request) -> object:
        return None if request.rung.final else request.rung.max_side

    def together(self, requests: Sequence[Request]) -> list[Made]:
        self.clock.now += FRAME + MORE * (len(requests) - 1)
        return self._made(requests)

    def forget(self, seat: Seat) -> None:
        self.log.append(("forgot", seat.client))

    def _made(self, requests: Sequence[Request]) -> list[Made]:
        if any(request.latent.seed == 13 for request in requests):
            raise ValueError("unlucky")
        self.log.append(tuple(request.latent.seed for request in requests))
        return [Made(lambda: Picture(b"x" * 1000, "image/jpeg", 64, 64), False) for _ in requests]


class Watcher:
    """A client that sends what is asked of it and remembers what came."""

    def __init__(self, hub: Hub, name: str, purse: Purse | None = None) -> None:
        self.hub, self.got, self.n = hub, [], -1
        self.seat = hub.join(name, purse or Purse(), self.take)

    def take(self, reply: object) -> None:
        self.got.append(reply)
        if isinstance(reply, Frame):  # it has left at once
            self.hub.sent(self.seat, len(reply.picture.data))

    def drag(self, seed: int = 0, rung: Rung = DRAG) -> None:
        self.n += 1
        self.hub.post(self.seat, Request(self.n, Latent(seed=seed), rung))

    @property
    def frames(self) -> list[int]:
        return [reply.n for reply in self.got if isinstance(reply, Frame)]


def drawn(hub: Hub) -> list[tuple]:
    """What its sketcher did, in order."""
    sketcher = hub._drawer
    assert isinstance(sketcher, Sketcher)
    return sketcher.log


@pytest.fixture
def clock() -> Clock:
    return Clock()


def jain(shares: Sequence[float]) -> float:
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


def test_the_newest_request_wins_and_its_frame_answers_all_before(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)
    one = Watcher(hub, "one")
    for seed in range(5):
        one.drag(seed)
    assert hub.step() and not hub.step()
    assert one.frames == [4] and drawn(hub) == [(4,)]


def test_a_settled_frame_is_not_replaced_by_a_drag_of_the_past(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)
    one = Watcher(hub, "one")
    hub.post(one.seat, Request(7, Latent(seed=1), STILL))
    hub.post(one.seat, Request(6, Latent(seed=2), DRAG))  # came late
    hub.step()
    assert one.frames == [7] and one.got[0].rung.final
    hub.post(one.seat, Request(5, Latent(seed=2), DRAG))
    assert not hub.step()


def test_clients_take_turns_and_a_flooder_replaces_only_its_own(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)
    polite, greedy = [Watcher(hub, f"client {k}") for k in range(9)], Watcher(hub, "greedy")
    for _ in range(200):
        for one in polite:
            if one.n == max(one.frames, default=-1):  # waits for its answer
                one.drag()
        for seed in range(20):
            greedy.drag(seed)
        hub.step()
    counts = [len(one.frames) for one in (*polite, greedy)]
    assert jain(counts) > 0.999 and min(counts) == 20 == max(counts)


@pytest.mark.parametrize("clients", [10, 30])
def test_batches_are_fair_and_take_the_longest_unserved_first(clock: Clock, clients: int) -> None:
    hub = Hub(Sketcher(clock, sizes=(8, 4, 2)), clock=clock)
    watchers = [Watcher(hub, f"client {k}") for k in range(clients)]
    for _ in range(120):
        for one in watchers:
            one.drag()
        hub.step()
    counts = [len(one.frames) for one in watchers]
    assert jain(counts) >= 0.99 and hub.batches == 120
    assert max(counts) - min(counts) <= 1


def test_a_batch_is_of_what_is_there_and_of_a_size_that_pays(clock: Clock) -> None:
    hub = Hub(Sketcher(clock, sizes=(4,)), clock=clock)
    watchers = [Watcher(hub, f"client {k}") for k in range(6)]
    for k, one in enumerate(watchers):
        one.drag(k)
    while hub.step():
        pass
    assert drawn(hub) == [(0, 1, 2, 3), (4,), (5,)]


def test_settled_frames_are_never_batched(clock: Clock) -> None:
    hub = Hub(Sketcher(clock, sizes=(2,)), clock=clock)
    for k in range(4):
        Watcher(hub, f"client {k}").drag(k, STILL if k % 2 else DRAG)
    while hub.step():
        pass
    assert drawn(hub) == [(0, 2), (1,), (3,)]


def test_one_bad_request_does_not_spoil_the_batch(clock: Clock) -> None:
    hub = Hub(Sketcher(clock, sizes=(4, 2)), clock=clock)
    watchers = [Watcher(hub, f"client {k}") for k in range(4)]
    for one, seed in zip(watchers, (1, 13, 2, 3), strict=True):
        one.drag(seed)
    hub.step()
    assert [type(one.got[0]) for one in watchers] == [Frame, Failed, Frame, Frame]
    watchers[1].drag(4)
    hub.step()
    assert watchers[1].frames == [1]


def test_a_mailbox_waits_while_its_socket_is_full(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)
    slow, quick = Watcher(hub, "slow"), Watcher(hub, "quick")
    slow.seat.unsent, slow.seat.ahead = UNSENT, 1
    for _ in range(3):
        slow.drag(), quick.drag()
        hub.step()
    assert slow.frames == [] and quick.frames == [0, 1, 2] and not hub.step()
    hub.sent(slow.seat, UNSENT)
    hub.step()
    assert slow.frames == [2]


def test_no_more_than_a_few_frames_are_ahead_of_a_client(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)
    got: list[object] = []
    seat = hub.join("one", Purse(), got.append)  # which never says that anything has left
    for n in range(50):
        hub.post(seat, Request(n, Latent(seed=n), DRAG))
        hub.step()
    assert len(got) == AHEAD and seat.mail.n == 49


def test_who_leaves_is_drawn_for_no_more(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)
    one, other = Watcher(hub, "one"), Watcher(hub, "other")
    one.drag(1), other.drag(2)
    assert hub.leave(one.seat)
    while hub.step():
        pass
    assert one.got == [] and drawn(hub) == [(2,), ("forgot", "one")]
    assert hub.queue["clients"] == 1


def test_a_token_that_has_used_up_its_share_waits_and_is_told_once(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)
    purse = Purse(share=0.25, burst=FRAME, clock=clock)
    poor, rich = Watcher(hub, "poor", purse), Watcher(hub, "rich")
    while clock.now < 4:
        poor.drag(1), rich.drag(2)
        assert hub.step()
    counts = Counter(log[0] for log in drawn(hub))
    assert counts[1] / counts.total() == pytest.approx(0.25, abs=0.01)
    told = [reply for reply in poor.got if isinstance(reply, Busy)]
    assert told and 0 < told[0].seconds <= FRAME / 0.25


def test_a_frame_goes_between_two_calls_and_between_two_slices(clock: Clock) -> None:
    sketcher = Sketcher(clock)
    hub = Hub(sketcher, clock=clock)
    watchers = [Watcher(hub, "one"), Watcher(hub, "two")]

    def calling():
        for _ in range(5):
            sketcher.log.append("call")
            clock.now += 0.05
            yield
        return "answer"

    def working() -> jobs.Job[int]:
        for k in range(5):
            sketcher.log.append("work")
            clock.now += 0.05
            yield jobs.Progress(k, 5)
        return 7

    answer = hub.call("caller", Purse(), calling())
    hub.start(Task("worker", "job", Purse(), lambda: jobs.Run(working()), lambda task: None))
    while not answer.done() or len(hub.works):
        for one in watchers:
            one.drag()
        assert hub.step()
    assert answer.result() == "answer"
    others = [k for k, log in enumerate(sketcher.log) if isinstance(log, str)]
    assert {b - a for a, b in zip(others, others[1:], strict=False)} == {3}  # both were drawn for in between
    names = [sketcher.log[k] for k in others]
    assert names[:6] == ["call", "work"] * 3


def test_a_client_has_so_many_calls_and_no_more(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)

    def nothing():
        yield from ()

    answers = [hub.call("one", Purse(), nothing()) for _ in range(MOST_CALLS)]
    with pytest.raises(RemoteError, match="used up") as caught:
        hub.call("one", Purse(), nothing())
    assert caught.value.code == 429 and caught.value.after >= 1
    hub.call("two", Purse(), nothing())
    while hub.step():
        pass
    assert all(answer.done() for answer in answers)


def test_calls_of_clients_take_turns(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)
    log = []

    def call(name):
        log.append(name)
        yield

    for name in "aaab":
        hub.call(name, Purse(), call(name))
    while hub.step():
        pass
    assert log == ["a", "b", "a", "a"]


def test_a_call_that_fails_says_why_and_the_next_one_goes_on(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)

    def failing():
        yield
        raise ValueError("no such layer")

    bad, cancelled, good = hub.call("a", Purse(), failing()), hub.ask(lambda: 1), hub.ask(lambda: 2)
    cancelled.cancel()
    while hub.step():
        pass
    assert str(bad.exception()) == "no such layer" and good.result() == 2


def test_calls_that_wait_or_have_begun_are_answered_when_the_hub_closes(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)

    def call():
        yield
        yield

    begun, waits, cancelled = (hub.call(name, Purse(), call()) for name in "abc")
    cancelled.cancel()
    hub.step()
    hub.close()
    for answer in (begun, waits):
        assert answer.exception(timeout=0).code == 503
    assert not hub.step()


# -- long work -------------------------------------------------------------------------------------------------------------
def counting(clock: Clock, steps: int, took: float = 0.005) -> jobs.Job[int]:
    for k in range(steps):
        clock.now += took
        yield jobs.Progress(k + 1, steps, partial=lambda k=k: k + 1)
    return steps


def test_jobs_of_clients_take_turns_and_end_with_their_result(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)
    told: list[tuple[str, str, int]] = []

    def tell(task: Task) -> None:
        told.append((task.client, task.status, task.run.progress.done))

    for client, name in (("a", "1"), ("a", "2"), ("b", "1")):
        hub.start(Task(client, name, Purse(), lambda: jobs.Run(counting(clock, 40)), tell))
    while hub.step():
        pass
    assert [client for client, _, _ in told[:4]] == ["a", "b", "a", "b"]
    assert [status for _, status, _ in told].count("done") == 3 and not len(hub.works)


def test_slices_are_short_while_somebody_else_watches(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)
    done: list[int] = []
    hub.start(
        Task("a", "1", Purse(), lambda: jobs.Run(counting(clock, 1000)), lambda t: done.append(t.run.progress.done))
    )
    hub.step()
    Watcher(hub, "b")
    hub.step()
    alone, beside = done[0], done[1] - done[0]
    assert alone * 0.005 <= jobs.SLICE and beside * 0.005 <= 0.02 and beside >= 1 and alone > 2 * beside


def test_a_job_is_paused_goes_on_and_is_stopped_with_what_it_found(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)
    told: list[str] = []
    task = Task("a", "1", Purse(), lambda: jobs.Run(counting(clock, 1000)), lambda t: told.append(t.status))
    hub.start(task)
    hub.step()
    for order, status in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        hub.order("a", "1", order)
        hub.step()
        assert told[-1] == status
        if order == "pause":
            assert not hub.step()
    assert task.run.result() == task.run.progress.done > 0
    with pytest.raises(RemoteError) as caught:
        hub.order("a", "1", "stop")
    assert caught.value.code == 404


def test_nobody_orders_the_jobs_of_others(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)
    hub.start(Task("a", "1", Purse(), lambda: jobs.Run(counting(clock, 9)), lambda t: None))
    with pytest.raises(RemoteError, match="no work called"):
        hub.order("b", "1", "stop")


def test_a_job_that_cannot_begin_is_told_and_the_hub_goes_on(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)
    told: list[Task] = []

    def begin():
        raise ValueError("unknown kind")

    hub.start(Task("a", "1", Purse(), begin, told.append))
    hub.step()
    assert told[0].status == "failed" and str(told[0].error) == "unknown kind" and not len(hub.works)


def test_work_goes_on_while_its_client_is_away_and_is_told_when_it_is_back(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)
    first, second = [], []
    one = Watcher(hub, "a")
    hub.start(
        Task("a", "1", Purse(), lambda: jobs.Run(counting(clock, 60)), lambda t: first.append(t.run.progress.done))
    )
    hub.step()
    hub.leave(one.seat)
    while hub.works.of("a")[0].run.progress.done < 30:
        hub.step()
    Watcher(hub, "a")
    hub.back("a", lambda t: second.append(t.run.progress.done))
    while not second:
        assert hub.step()
    assert second == [max(first)]  # told before it goes on
    while hub.step():
        pass
    assert second[-1] == 60


def test_work_of_a_client_that_stays_away_is_stopped(clock: Clock) -> None:
    hub = Hub(Sketcher(clock), clock=clock)
    one = Watcher(hub, "a")
    hub.start(Task("a", "1", Purse(), lambda: jobs.Run(counting(clock, 10**6)), lambda t: None))
    hub.step()
    hub.leave(one.seat)
    clock.now += AWAY + 1
    hub.tidy()
    hub.step(), hub.step()
    assert not len(hub.works)
