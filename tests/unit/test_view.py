"""The view's kernel side: what is sent, what is heard, what is saved. No browser."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from stylewidgets.render.pump import Frame
from stylewidgets.widgets.kit import static
from stylewidgets.widgets.kit.errors import describe, report, reporting
from stylewidgets.widgets.kit.views.view import LiveView


def _png(side: int = 8, mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((side, side), 80).convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


def _frame(index: int, final: bool) -> Frame:
    return Frame(index, b"data%d" % index, "image/png", 8, 8, "drag", final)


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> LiveView:
    view = LiveView()
    view.sent = []
    monkeypatch.setattr(LiveView, "send", lambda self, content, buffers=None: self.sent.append((content, buffers)))
    return view


def _hear(view: LiveView, **message: Any) -> None:
    view._receive(view, message, [])


def test_a_frame_in_motion_is_a_message_and_a_final_one_a_trait(view: LiveView) -> None:
    view.show(_frame(1, final=False))
    assert view.sent == [({"type": "frame", "index": 1, "mime": "image/png", "width": 8, "height": 8}, [b"data1"])]
    assert view.frame == b""
    view.show(_frame(2, final=True))
    assert len(view.sent) == 1
    assert (view.frame, view.info) == (b"data2", {"index": 2, "width": 8, "height": 8, "settled": False})


def test_an_acknowledgement_covers_the_frames_before_it_once(view: LiveView) -> None:
    seen: list[int] = []
    view.on_ack = seen.append
    for index in (1, 2, 3):
        view.show(_frame(index, final=False))
    _hear(view, type="ack", index=2, ms=5)
    _hear(view, type="ack", index=2, ms=7)  # a second open page
    assert seen == [1, 2]


def test_a_new_pump_that_counts_from_one_is_not_taken_for_old_frames(view: LiveView) -> None:
    seen: list[int] = []
    view.on_ack = seen.append
    view.show(_frame(50, final=False))
    view.show(_frame(1, final=False))
    assert [content["index"] for content, _ in view.sent] == [1, 2]
    _hear(view, type="ack", index=2, ms=5)
    assert seen == [50, 1]


def test_one_rest_settles_once_however_many_pages_ask(view: LiveView) -> None:
    calls: list[str] = []

    def settle() -> None:
        calls.append("settle")
        view.show(_frame(2, final=True))

    view.on_settle = settle
    _hear(view, type="settle")
    assert calls == []  # nothing has moved
    view.show(_frame(1, final=False))
    _hear(view, type="settle")
    _hear(view, type="settle")
    assert calls == ["settle"]
    assert view.info["settled"]  # the page asks no more
    view.show(_frame(3, final=True))  # small pictures are final in motion, too
    _hear(view, type="settle")
    assert calls == ["settle", "settle"]


def test_keys_are_asked_for_only_while_somebody_listens(view: LiveView) -> None:
    heard: list[str] = []
    assert not view.keyboard
    view.on_key = heard.append
    assert view.keyboard
    _hear(view, type="key", key="z")
    view.on_key = None
    assert not view.keyboard
    assert heard == ["z"]


def test_other_messages_reach_their_callbacks(view: LiveView) -> None:
    heard: list[Any] = []
    view.on_hello = lambda dpr, width: heard.append((dpr, width))
    view.on_visible = heard.append
    view.on_pointer = heard.append
    _hear(view, type="hello", dpr=2, width=384)
    _hear(view, type="visible", value=False)
    _hear(view, type="pointer", event="move", x=0.5, y=0.25)
    _hear(view, type="of another version")
    assert heard == [(2.0, 384.0), False, {"event": "move", "x": 0.5, "y": 0.25}]


def test_a_refusal_is_logged_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    class Place:
        error = ""

    report(Place(), ValueError("psi must be a number: give one"))
    assert "psi must be a number: give one" in caplog.text and "Traceback" not in caplog.text


def test_an_exception_in_a_callback_is_shown_and_logged(view: LiveView, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise RuntimeError("the device is gone")

    view.on_settle = broken
    view.show(_frame(1, final=False))
    _hear(view, type="settle")
    assert view.error == "RuntimeError: the device is gone"
    assert "Traceback" in caplog.text
    view.show(_frame(2, final=False))
    _hear(view, type="ack", index=2, ms=1)
    assert view.error  # frames and messages do not take it away


def test_a_misspelt_argument_is_refused() -> None:
    with pytest.raises(TypeError, match=r"has no smothing; it takes .*smoothing"):
        LiveView(smothing="smooth")


def test_a_failing_block_shows_its_error_and_takes_an_old_one_away() -> None:
    shows = SimpleNamespace(error="old")
    with reporting(shows):
        pass
    assert shows.error == ""
    with reporting(shows):
        raise ZeroDivisionError("division by zero")
    assert shows.error == "ZeroDivisionError: division by zero"
    with reporting(shows, keep=True):
        pass
    assert shows.error == "ZeroDivisionError: division by zero"


def test_an_error_reported_deeper_down_is_not_taken_away() -> None:
    shows = SimpleNamespace(error="old")
    with reporting(shows):
        report(shows, ValueError("no such seed"), "drawing seed 7")
    assert shows.error == "drawing seed 7: no such seed"


def test_long_and_empty_messages_are_made_readable() -> None:
    assert describe(KeyError("no layer b9")) == "KeyError: no layer b9"
    assert describe(RuntimeError()) == "RuntimeError"
    assert len(describe(ValueError("x" * 5000))) == 600


def test_a_saved_picture_is_small_and_its_words_are_escaped() -> None:
    bundle = static.mimebundle(_png(), "image/png", 'a "smile" <b>', 384)
    assert set(bundle) == {"text/html", "image/png", "text/plain"}
    assert 'alt="a &quot;smile&quot; &lt;b&gt;"' in bundle["text/html"]
    large = static.mimebundle(_png(1024, "RGBA"), "image/png", "large", 384)
    assert "image/jpeg" in large
    assert len(json.dumps(large)) < 600_000


def test_nothing_is_saved_outside_ipython() -> None:
    code = (
        "from stylewidgets.widgets.kit.static import SavedPicture\n"
        "saved = SavedPicture(); saved.update(b'no picture', 'image/png', ''); saved.display()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == done.stderr == ""
