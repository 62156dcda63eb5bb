"""The explorer in a real kernel, with frames of a drag encoded beside the next one, as on a GPU."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

WATCH = """
import os, threading
os.environ["STYLEWIDGETS_OVERLAP"] = "1"
from stylewidgets.render import renderer
from stylewidgets.widgets.kit.views.view import LiveView
encoders, senders, real_encoded, real_show = set(), set(), renderer._encoded, LiveView.show

def encoded(pixels, rung):
    if not rung.final:
        encoders.add(threading.current_thread().name)
    return real_encoded(pixels, rung)

def show(view, frame):
    senders.add(threading.current_thread().name)
    real_show(view, frame)

renderer._encoded, LiveView.show = encoded, show
"""


@pytest.fixture(scope="module")
def kernel(kernel):
    """A kernel that encodes on a worker for the CPU too, and remembers who encoded and who sent."""
    kernel.run(WATCH)
    return kernel


def where(page):
    """Which kinds of threads encoded and sent frames."""
    page.kernel.run("import json; seen = [sorted(encoders), sorted(senders)]; encoders.clear(); senders.clear()")
    return page.kernel.ask("seen")


def test_a_storm_of_slider_messages_ends_at_the_last_value_and_no_thread_of_ours_sends(page):
    kernel = page.kernel
    where(page)
    requests = []
    values = np.random.RandomState(0).uniform(-5, 5, 300).round(2)
    for n, value in enumerate(values):
        requests.append(page.move(float(value), n % 2))
        page.look()
    page.finish(*requests)
    drag = [frame for frame in page.frames if not frame["final"]]
    assert drag and page.most_unanswered <= 3
    encoders, senders = where(page)
    assert encoders and all(name.startswith("stylewidgets-encode") for name in encoders)
    assert senders and not any(name.startswith("stylewidgets-encode") for name in senders)
    # The last frame of the drag leaves the worker after the end of its message; then nothing waits.
    kernel.until(
        lambda: (page.look(0.05), kernel.ask("explorer.picture.latent == explorer.value"))[1], "the last frame"
    )
    page.settle()
    assert page.frames[-1]["final"] and page.shown() == kernel.ask("digest()")
    assert [kernel.ask(f"explorer.value.edits[{place}].strength") for place in (0, 1)] == [values[-2], values[-1]]
    kernel.until(
        lambda: (page.look(0.05), kernel.ask("explorer.picture._pump.in_flight") == 0)[1], "all are acknowledged"
    )
    assert not kernel.ask("explorer.picture._pump.waiting") and not any(page.errors)


def test_every_step_of_a_slow_drag_is_answered_in_the_name_of_its_own_message(page):
    kernel = page.kernel
    for value in np.linspace(-3, 3, 12):
        count, request = len(page.frames), page.move(float(value))
        kernel.until(lambda count=count: (page.look(0.05), len(page.frames) > count)[1], f"a frame for {value}")
        own = [kernel.log[frame["place"]]["parent_header"]["msg_id"] for frame in page.frames[count:]]
        assert own == [request], "where a front end takes it for an answer"
        page.finish(request)


def test_a_cell_that_moves_the_picture_shows_each_step_before_it_goes_on(page):
    where(page)
    page.kernel.run("for n in range(5):\n    explorer.value = explorer.value.with_edit(first, n / 2)\n"
                    "assert explorer.picture.latent.edits and not explorer.picture._pump._encoding")  # fmt: skip
    assert where(page)[0] in ([], ["MainThread"])
    page.finish()
    page.settle()
    assert page.shown() == page.kernel.ask("digest()")


def test_a_failing_encoder_is_shown_in_the_view_once_and_the_last_frame_stays(page):
    kernel = page.kernel
    page.finish(page.move(1.0))
    kernel.until(lambda: (page.look(0.05), page.frames)[1], "the first frame")
    page.finish()
    before, count = page.frames[-1]["data"], len(page.frames)
    kernel.run("def broken(pixels, rung):\n    raise ValueError('no codec')\nrenderer._encoded = broken")
    try:
        page.finish(page.move(2.0))
        kernel.until(lambda: (page.look(0.05), [text for text in page.errors if text])[1], "the message")
        assert len([text for text in page.errors if "no codec" in text]) == 1
        assert len(page.frames) == count and page.frames[-1]["data"] == before
    finally:
        kernel.run("renderer._encoded = encoded")
    page.finish(page.move(0.5))
    page.settle()
    assert page.shown() == kernel.ask("digest()"), [(f["index"], f["final"]) for f in page.frames[-4:]]


def test_closing_an_explorer_during_a_drag_leaves_no_thread_and_nothing_is_shown_after_it(page):
    kernel = page.kernel
    requests = [page.move(float(value)) for value in np.linspace(-1, 1, 20)]
    kernel.run("explorer.close()")
    count_at_close = "len([t for t in threading.enumerate() if t.name.startswith('stylewidgets-encode')])"
    kernel.until(lambda: kernel.ask(count_at_close) == 0, "the end of the worker")
    page.answers = False
    page.finish(*requests)
    count = len(page.frames)
    kernel.ask("1")
    page.look(0.2)
    assert len(page.frames) == count and not any(page.errors)
