"""Rows of sliders without a page: what the owner, a script and a page's messages do to them."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import traitlets

from stylewidgets.widgets.kit.controls.rows import Row, Rows
from stylewidgets.widgets.kit.views.page import SHOWN


class Desk:
    """An owner that keeps what it is told and shows it again; what is beyond 3 it refuses. `sent` is what a page gets."""

    def __init__(self, *rows: Row) -> None:
        self.heard: list[tuple[Any, ...]] = []
        self.kept = {row.key: row for row in rows or (Row("smile"), Row("age", "years old", 30.0, 0, 90, 1.0))}
        self.rows = Rows(
            list(self.kept.values()),
            on_change=self.change,
            on_layers=lambda *given: self.heard.append(("layers", *given)),
            on_rename=lambda *given: self.heard.append(("rename", *given)),
            on_remove=lambda *given: self.heard.append(("remove", *given)),
        )
        self.sent: list[dict[str, Any]] = []
        self.rows.view.send_state = self._send  # type: ignore[method-assign]
        self.number = 0

    def _send(self, key: Any = None) -> None:
        names = [key] if isinstance(key, str) else list(key or ())
        self.sent.append({name: getattr(self.rows.view, name) for name in names})

    def change(self, key: str, value: float) -> None:
        from dataclasses import replace

        self.heard.append((key, value))
        if value <= 3:
            self.kept[key] = replace(self.kept[key], value=value)
        self.rows.update(list(self.kept.values()))

    def message(self, **content: Any) -> None:
        self.rows.view._receive(None, content, [])

    def wish(
        self, value: float, key: str = "smile", number: int | None = None, rest: bool = False, page: str = "a"
    ) -> None:
        self.number += 1
        number = self.number if number is None else number
        self.message(type="set", page=page, number=number, key=key, value=value, rest=rest)

    def at(self, key: str = "smile") -> float:
        return self.rows.handles[key].value


def test_a_page_moves_a_row_and_the_owner_hears_of_it() -> None:
    desk = Desk()
    desk.wish(1.5)
    assert desk.heard == [("smile", 1.5)] and desk.at() == 1.5


def test_of_two_wishes_that_are_handled_in_the_wrong_order_the_older_is_dropped() -> None:
    desk = Desk()
    desk.wish(2.0, number=7)
    desk.wish(1.0, number=6)
    desk.wish(2.0, number=7)
    assert desk.heard == [("smile", 2.0)] and desk.at() == 2.0


def test_an_older_wish_for_another_row_still_counts() -> None:
    desk = Desk()
    desk.wish(2.0, number=7)
    desk.wish(2.5, "age", number=6)
    assert desk.at("age") == 2.5


def test_the_wish_of_another_page_is_not_older_for_its_smaller_number() -> None:
    desk = Desk()
    desk.wish(2.0, number=70)
    desk.wish(1.0, number=1, page="b")
    assert desk.at() == 1.0


def test_wishes_from_many_threads_end_at_the_newest() -> None:
    desk = Desk()
    wishes = [(number, (number % 50) / 20) for number in range(1, 401)]

    def send(part: int) -> None:
        for number, value in wishes[part::4]:
            desk.wish(value, number=number)

    threads = [threading.Thread(target=send, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert desk.at() == wishes[-1][1]


def test_while_a_hand_holds_a_row_nothing_is_sent_back_and_the_state_is_true_all_the_same() -> None:
    desk = Desk()
    for n in range(20):
        desk.wish(n / 10)
    assert desk.sent == []
    state = desk.rows.view.get_state("state")["state"]
    assert state["values"]["smile"] == 1.9, "a page that is reloaded now starts here"
    desk.wish(1.9, rest=True)
    assert [sorted(message) for message in desk.sent] == [["state"]], "all pages hear of it when the hand lets go"


def test_what_the_owner_refuses_goes_back_in_the_page_when_the_hand_lets_go() -> None:
    desk = Desk()
    desk.wish(1.0)
    desk.wish(4.0, rest=True)
    assert desk.at() == 1.0 and desk.sent[-1]["state"]["values"]["smile"] == 1.0


def test_a_script_moves_a_row_as_a_hand_does_and_every_page_sees_it() -> None:
    desk = Desk()
    desk.rows.handles["age"].value = 2.0
    assert desk.heard == [("age", 2.0)] and desk.sent[-1]["state"]["values"]["age"] == 2.0


def test_rows_can_be_observed_and_linked() -> None:
    desk, other = Desk(), Desk()
    seen: list[float] = []
    desk.rows.handles["smile"].observe(lambda event: seen.append(event["new"]), "value")
    link = traitlets.link((desk.rows.handles["smile"], "value"), (other.rows.handles["smile"], "value"))
    desk.wish(1.25)
    assert other.at() == 1.25 and other.heard == [("smile", 1.25)] and seen == [1.25]
    other.wish(-1.0)
    assert desk.at() == -1.0
    link.unlink()


def test_the_owner_s_word_calls_nobody_but_observers() -> None:
    desk = Desk()
    desk.rows.update([Row("smile", value=2.0), Row("new", value=1.0)])
    assert desk.heard == [] and list(desk.rows.handles) == ["smile", "new"] and desk.at() == 2.0
    before = desk.rows.handles["smile"]
    desk.rows.update([Row("smile", value=2.0)])
    assert desk.rows.handles["smile"] is before


def test_rows_that_stay_the_same_send_nothing() -> None:
    desk = Desk()
    desk.rows.update(list(desk.kept.values()))
    assert desk.sent == []


def test_layers_name_and_removal_reach_the_owner_for_rows_that_are_there() -> None:
    desk = Desk()
    desk.message(type="layers", key="smile", layers=[0, 4])
    desk.message(type="layers", key="smile", layers=None)
    desk.message(type="rename", key="smile", name="grin")
    desk.message(type="remove", key="age")
    desk.message(type="remove", key="gone")
    assert desk.heard == [
        ("layers", "smile", (0, 4)), ("layers", "smile", None), ("rename", "smile", "grin"), ("remove", "age")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        {"type": "set"},
        {"type": "set", "page": "a", "number": 1, "key": "smile", "value": "far"},
        {"type": "set", "page": "a", "number": 1, "key": "smile", "value": float("nan")},
        {"type": "layers", "key": "smile", "layers": 3},
    ],
)
def test_nonsense_from_a_page_is_said_and_changes_nothing(content: dict[str, Any]) -> None:
    desk = Desk()
    desk.message(**content)
    assert desk.rows.view.error and desk.heard == [] and desk.at() == 0.0


@pytest.mark.parametrize(("settings", "text"), [({"low": 2.0, "high": 2.0}, "low"), ({"step": 0.0}, "step")])
def test_a_row_that_cannot_be_says_why(settings: dict[str, float], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Row("smile", **settings)  # type: ignore[arg-type]


def test_two_rows_of_one_key_are_refused() -> None:
    with pytest.raises(ValueError, match="'smile' was given twice"):
        Desk().rows.update([Row("smile"), Row("smile")])


def test_a_page_without_scripts_can_ask_for_core_sliders_and_they_are_the_same_rows() -> None:
    desk = Desk()
    assert desk.rows.children[1].description == "show plain sliders"
    desk.rows.children[1].click()
    smile, age = desk.rows.children[1:]
    assert (smile.description, age.description, age.max) == ("smile", "years old", 90)
    smile.value = 1.5
    assert desk.at() == 1.5
    desk.wish(2.0)
    assert smile.value == 2.0
    desk.rows.update([Row("age", value=40.0, low=0, high=90)])
    assert desk.rows.children[1:] == (age,) and age.value == 40.0


def test_a_message_of_the_rows_answers_for_the_pictures_of_its_page_after_the_newest_value_is_known() -> None:
    desk, order = Desk(), []

    class Picture:
        def acknowledge(self, number: int) -> None:
            order.append(("ack", number, desk.at()))

        def settle(self) -> None:
            order.append(("settle", desk.at()))

    picture = Picture()
    SHOWN["picture"] = picture
    desk.message(
        type="set",
        page="a",
        number=1,
        key="smile",
        value=1.0,
        rest=True,
        acks={"picture": 5, "gone": 1},
        settle=["picture"],
    )
    assert order == [("ack", 5, 1.0), ("settle", 1.0)]
