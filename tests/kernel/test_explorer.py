"""The explorer in a real kernel, against every order in which a page's messages may come."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


def strength(page, place=0):
    return page.kernel.ask(f"explorer.value.edits[{place}].strength")


def test_every_step_of_a_slow_drag_is_answered_by_a_frame_before_its_own_idle(page):
    kernel = page.kernel
    for value in np.linspace(-3, 3, 25):
        request = page.move(float(value))
        page.finish(request)
        messages = kernel.caused_by(request)
        own = [n for n, message in enumerate(messages) if any(message is kernel.log[f["place"]] for f in page.frames)]
        idle = next(
            n for n, m in enumerate(messages) if m["msg_type"] == "status" and m["content"]["execution_state"] == "idle"
        )
        assert own, f"no frame for {value}"
        assert own[0] < idle
    assert page.most_unanswered <= 3


def test_a_burst_of_100_updates_never_has_four_frames_under_way_and_ends_at_the_newest_value(page):
    values = np.random.RandomState(0).uniform(-5, 5, 100).round(2)
    requests = []
    for value in values:
        requests.append(page.move(float(value)))
        page.look()
    page.finish(*requests)
    assert page.most_unanswered <= 3
    assert 1 < len(page.frames) <= 1 + 100
    assert strength(page) == values[-1]
    page.settle()
    assert page.frames[-1]["final"]
    assert page.shown() == page.kernel.ask("digest()")


def test_a_step_of_a_drag_causes_one_message_down_and_that_is_the_picture(page):
    page.finish(page.move(0.5))  # this one also says that there is something to undo
    for value in (1.0, 1.5, 2.0):
        request = page.move(value)
        page.finish(request)
        caused = [m["content"]["comm_id"] for m in page.kernel.caused_by(request) if m["msg_type"] == "comm_msg"]
        assert caused == [page.view], "the row that is held, words and figures stay as they are"


def test_wishes_that_overtake_each_other_end_at_the_newest(page):
    """As ipykernel 7.4 may do, which hands the messages of one widget to the main shell and to a subshell in turn."""
    order = np.random.RandomState(3).permutation(np.arange(1, 61))
    requests = []
    for place, number in enumerate(order):
        page.subshell, own = (None if place % 2 else page.subshell), page.subshell
        requests.append(page.wish(float(number) / 20, number=int(number)))
        page.subshell = own
        page.look()
    page.finish(*requests)
    assert strength(page) == 3.0
    page.settle()
    assert page.shown() == page.kernel.ask("digest()")


def test_a_page_that_is_loaded_again_in_the_middle_of_a_drag_finds_the_present_values_and_picture(page):
    page.finish(*[page.move(value) for value in (0.5, 1.0, 1.75)])
    assert page.kernel.ask("rows.get_state()['state']['values']['first']") == 1.75
    page.say_hello()
    assert page.frames[-1]["final"], "nobody else would ask for it: the page that held the slider is gone"
    assert page.shown() == page.kernel.ask("digest()")


def test_when_the_hand_lets_go_every_page_hears_of_it_and_the_picture_in_full_is_drawn_at_once(page):
    page.finish(page.move(1.0))
    request = page.move(1.25, rest=True, settle=[page.kernel.ask("explorer.view.key")])
    page.finish(request)
    states = [
        message["content"]["data"]["state"]["state"]["values"]["first"]
        for message in page.kernel.caused_by(request)
        if message["msg_type"] == "comm_msg" and message["content"]["comm_id"] == page.rows
    ]
    assert states == [1.25]
    assert page.frames[-1]["final"] and page.shown() == page.kernel.ask("digest()")


def test_two_sliders_at_once_both_arrive(page):
    requests = []
    for value in np.linspace(-2, 2, 40):
        requests.append(page.move(float(value), 0))
        requests.append(page.move(float(-value), 1))
        page.look()
    page.finish(*requests)
    page.settle()
    assert (strength(page, 0), strength(page, 1)) == (2.0, -2.0)
    assert page.shown() == page.kernel.ask("digest()")


def test_a_step_of_a_core_slider_that_the_kernel_answers_after_a_newer_one_changes_nothing(page):
    page.finish(page.cut(3))
    page.finish(page.cut(1, late=5.0))
    assert page.kernel.ask("explorer.value.cutoff") == 3
    assert page.kernel.ask("explorer._panels.source._cutoff.value") == 3
    page.finish(page.cut(2))
    assert page.kernel.ask("explorer.value.cutoff") == 2


def test_a_value_that_waits_for_a_page_that_owes_answers_is_drawn_in_full_when_the_hand_lets_go(page):
    page.answers = False
    page.finish(*[page.move(float(value)) for value in (1, 2, 3, 4)])
    page.settle()
    page.finish(page.move(0.75))
    page.settle()
    assert page.frames[-1]["final"]
    assert page.shown() == page.kernel.ask("digest()")


def storm(page):
    page.answers = False  # a page that is too busy to paint
    page.forget()
    requests = []
    for value in np.random.RandomState(1).uniform(-5, 5, 2000).round(2):
        requests.append(page.move(float(value)))
        page.look()  # the socket would drop what is not read
    page.finish(*requests)
    return value


def test_a_storm_of_2000_slider_events_leaves_one_frame_for_the_last_value_and_no_memory(page):
    kernel = page.kernel
    resident = []
    for _ in range(2):
        last = storm(page)
        assert len(page.frames) <= 1 + 3  # the one that was there, and three under way
        assert strength(page) == last
        page.forget()
        page.finish(page.acknowledge())
        assert len(page.frames) == 2, "one more frame, for the last value"
        page.answers = True
        page.finish(page.custom(type="ack", index=page.frames[-1]["index"], ms=1))
        page.settle()
        assert page.shown() == kernel.ask("digest()")
        assert kernel.ask("[explorer.picture._pump.waiting, explorer.picture._pump.in_flight]") == [False, 0]
        resident.append(kernel.ask("resident()"))
    # 2,000 pictures of this size would be 25 times as much
    assert resident[1] - resident[0] < 16 * 2**20


def test_a_slider_may_move_while_a_cell_changes_and_draws_the_same_explorer(page):
    kernel = page.kernel
    cell = kernel.start_cell(
        "for n in range(60):\n    explorer.value = explorer.value.with_edit(second, n / 20)\n    explorer.image"
    )
    requests = []
    for value in np.linspace(-3, 3, 60):
        requests.append(page.move(float(value)))
        page.look(0.02)
    page.finish(*requests, cell)
    kernel.finish_cell(cell)
    assert strength(page, 0) == 3.0
    page.settle()
    assert page.shown() == kernel.ask("digest()")


def test_a_cell_that_waits_for_long_does_not_stop_the_page_for_good(page):
    kernel = page.kernel
    cell = kernel.start_cell("import time\nwith session.lock:\n    time.sleep(1.5)")
    requests = [page.move(float(value)) for value in (1, 2, 3)]
    page.finish(*requests, cell)
    assert strength(page) == 3.0
    page.settle()
    assert page.shown() == kernel.ask("digest()")


FAIL = """
real_styles = session.code_styles
def code_styles(latent):
    if latent.edits[0].strength > 4:
        raise ValueError("no face is that long; try a strength below 4")
    return real_styles(latent)
session.code_styles = code_styles
"""


def test_an_exception_while_drawing_appears_once_and_the_next_update_works(page):
    kernel = page.kernel
    page.finish(page.move(1.0))
    before = page.frames[-1]["data"]
    kernel.run(FAIL)
    try:
        request = page.move(4.5)
        page.finish(request)
        said = [text for text in page.errors if text]
        assert len(said) == 1 and "try a strength below 4" in said[0]
        assert not [message for message in kernel.caused_by(request) if message["msg_type"] == "error"]
        assert page.frames[-1]["data"] == before, "the last good frame stays"
        page.finish(page.move(2.0))
        assert page.errors[-1] == "", "what was wrong is not so any more"
        page.settle()
        assert page.shown() == kernel.ask("digest()")
    finally:
        kernel.run("del session.code_styles")


def test_an_observer_that_fails_is_shown_once_and_stops_nothing(page):
    kernel = page.kernel
    kernel.run("def bad(change):\n    raise RuntimeError('my own mistake')\nexplorer.observe(bad, 'value')")
    page.finish(page.move(1.0))
    assert [text for text in page.errors if text] == ["RuntimeError: my own mistake"]
    kernel.run("explorer.unobserve(bad, 'value')")
    page.finish(page.move(2.0))
    page.settle()
    assert page.errors[-1] == ""
    assert page.shown() == kernel.ask("digest()")


def test_a_page_that_is_loaded_again_finds_the_last_picture_in_the_state(page):
    kernel = page.kernel
    page.finish(page.move(1.5))
    page.settle()
    page.forget()
    page.finish(kernel.comm(page.view, {"method": "request_state"}, page.subshell))
    assert len(page.frames) == 2 and page.frames[-1]["final"]
    assert page.shown() == kernel.ask("digest()")
    page.say_hello()
    page.finish(page.move(-1.5))
    page.settle()
    assert page.shown() == kernel.ask("digest()")


def test_a_page_that_went_away_without_answering_holds_up_nobody_who_comes_after(page):
    page.answers = False
    page.finish(*[page.move(float(value)) for value in range(-4, 5)])
    page.answers = True
    page.say_hello()
    page.finish(page.move(0.25))
    page.settle()
    assert strength(page) == 0.25
    assert page.shown() == page.kernel.ask("digest()")


def test_nothing_is_drawn_out_of_sight_and_the_newest_value_when_it_comes_back(page):
    page.finish(page.custom(type="visible", value=False))
    page.finish(*[page.move(float(value)) for value in np.linspace(-2, 2, 30)])
    assert not page.frames
    page.finish(page.custom(type="visible", value=True))
    page.settle()
    assert page.shown() == page.kernel.ask("digest()")


def test_messages_of_any_content_leave_the_explorer_alive(page):
    kernel = page.kernel
    for content in ({}, {"type": "ack"}, {"type": "ack", "index": "x"}, {"type": "hello"}, {"type": "nonsense"},
                    {"type": "key"}, {"type": "key", "key": "F13"}, {"type": "ack", "index": 10**9}):  # fmt: skip
        page.finish(page.custom(**content))
    page.finish(*[page.wish("far"), page.wish("inf", number=10**6), page.wish(1.0, acks=7), page.wish(1.0, key="none")])
    page.finish(page.move(0.5))
    page.settle()
    assert strength(page) == 0.5
    assert page.shown() == kernel.ask("digest()")
