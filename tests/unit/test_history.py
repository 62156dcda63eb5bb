"""The undo stack on its own, with a clock that the test moves."""

from __future__ import annotations

import pytest

from stylewidgets.widgets.kit.history import History


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def history(clock: Clock) -> History[int]:
    return History(0, clock=clock)


def test_undo_goes_back_and_redo_forward_again(history: History[int]) -> None:
    for value in (1, 2, 3):
        history.push(value)
    assert [history.undo(), history.undo(), history.redo()] == [2, 1, 2]
    assert history.value == 2 and history.can_undo and history.can_redo


def test_undo_at_the_oldest_step_and_redo_at_the_newest_change_nothing(history: History[int]) -> None:
    assert history.undo() == 0 and history.redo() == 0
    history.push(1)
    assert history.redo() == 1 and history.undo() == 0 and history.undo() == 0


def test_one_drag_of_one_control_is_one_step(history: History[int], clock: Clock) -> None:
    for value in range(1, 50):
        clock.now += 0.1
        history.push(value, "slider")
    assert history.undo() == 0 and not history.can_undo


def test_a_rest_longer_than_the_merge_time_starts_a_new_step(history: History[int], clock: Clock) -> None:
    history.push(1, "slider")
    clock.now += 0.81
    history.push(2, "slider")
    assert history.undo() == 1


def test_settling_starts_a_new_step(history: History[int]) -> None:
    history.push(1, "slider")
    history.settle()
    history.push(2, "slider")
    assert history.undo() == 1


def test_another_control_starts_a_new_step(history: History[int]) -> None:
    history.push(1, "psi")
    history.push(2, "smile")
    history.push(3, "psi")
    assert [history.undo(), history.undo(), history.undo()] == [2, 1, 0]


def test_changes_without_a_source_never_merge(history: History[int]) -> None:
    history.push(1)
    history.push(2)
    assert history.undo() == 1


def test_an_equal_value_is_no_step(history: History[int]) -> None:
    history.push(0)
    assert not history.can_undo


def test_a_change_after_undo_forgets_the_undone_steps(history: History[int]) -> None:
    history.push(1)
    history.undo()
    history.push(5, "slider")
    assert not history.can_redo and history.undo() == 0


def test_the_stack_is_bounded_and_forgets_the_oldest() -> None:
    history = History(0, limit=3)
    for value in range(1, 100):
        history.push(value)
    assert len(history) == 3
    assert [history.undo() for _ in range(4)] == [98, 97, 96, 96]


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        History(0, limit=0)
