"""The lock around widget state."""

from __future__ import annotations

import threading

import pytest

from stylewidgets.widgets.kit.state_lock import StateLock


def test_work_put_off_runs_after_the_outermost_block_once_for_each_key() -> None:
    lock, done = StateLock(), []
    with lock:
        with lock:
            lock.afterwards("a", lambda: done.append("old"))
        assert done == []
        lock.afterwards("a", lambda: done.append("new"))
        lock.afterwards("b", lambda: done.append("other"))
    assert done == ["new", "other"]
    with lock:
        pass
    assert done == ["new", "other"]


def test_without_the_lock_work_runs_at_once() -> None:
    lock, done = StateLock(), []
    lock.afterwards("a", lambda: done.append(1))
    assert done == [1]


def test_work_put_off_does_not_hold_the_lock() -> None:
    lock, entered = StateLock(), threading.Event()

    def from_another_thread() -> None:
        with lock:
            entered.set()

    def slow_work() -> None:
        thread = threading.Thread(target=from_another_thread)
        thread.start()
        thread.join(5)

    with lock:
        lock.afterwards("slow", slow_work)
    assert entered.is_set()


def test_an_exception_in_the_block_still_runs_what_was_put_off() -> None:
    lock, done = StateLock(), []
    with pytest.raises(KeyError), lock:
        lock.afterwards("a", lambda: done.append(1))
        raise KeyError
    assert done == [1]
