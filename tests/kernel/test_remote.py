"""An explorer of a session on another machine, in a real kernel; the server is a process that is stopped and killed."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.kernel.conftest import Kernel, Page
from tests.server_process import Process

pytestmark = [pytest.mark.kernel, pytest.mark.slow]
pytest.importorskip("starlette")

CELL = """
import hashlib, threading
import stylewidgets as sw
from stylewidgets.render import pump as _pump
_pump.ACK_TIMEOUT = 1e9
session = sw.connect({url!r}, deadline={deadline})
explorer = sw.LatentExplorer(session, directions=list(session.directions.values())[:2])
rows = explorer.tools["directions"].rows.view

def digest():
    return hashlib.sha256(session.image(explorer.value).tobytes()).hexdigest()

def shown():
    return explorer.picture.latent == explorer.value and explorer.picture._frame.final
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Process]:
    made = Process()
    yield made
    made.end()


@pytest.fixture
def page(kernel: Kernel, server: Process) -> Iterator[Page]:
    made = Page(kernel, cell=CELL.format(url=f"http://127.0.0.1:{server.port}", deadline=4.0))
    made.say_hello()
    made.settle()
    made.forget()
    yield made
    kernel.run("explorer.close(); session.close(); del explorer, rows, session")


def rest(page: Page) -> None:
    """Let the page rest until the final picture of the newest value is there."""
    page.finish(page.custom(type="settle"))
    page.kernel.until(lambda: (page.look(0.05), page.kernel.ask("shown()"))[1], "the final picture")


def test_a_drag_ends_with_the_pixels_of_the_server_and_the_kernel_holds_no_torch(page: Page) -> None:
    page.finish(*[page.move(value / 10) for value in range(40)])
    rest(page)
    assert page.shown() == page.kernel.ask("digest()")
    assert page.most_unanswered <= 3 and not any(page.errors)
    assert page.kernel.ask("explorer.value.edits[0].strength") == 3.9
    assert not page.kernel.ask("'torch' in __import__('sys').modules")


TICKER = """
import asyncio, time
gaps = []
async def _tick():
    while True:
        before = time.perf_counter(), time.thread_time()
        await asyncio.sleep(0.005)
        gaps.append([time.perf_counter() - before[0], time.thread_time() - before[1]])
ticker = asyncio.get_event_loop().create_task(_tick())
"""


def test_the_event_loop_ticks_while_pictures_of_a_server_are_dragged(page: Page, capsys: pytest.CaptureFixture) -> None:
    """How long the longest gap is depends on the machine: it is printed, for docs/scale.md, and not judged."""
    kernel = page.kernel
    kernel.run(TICKER)
    kernel.run("gaps.clear()")
    for value in range(40):
        page.finish(page.move(value / 10))
    ticks, busy = kernel.ask("[sorted(each) for each in zip(*gaps)]")
    kernel.run("ticker.cancel()")
    rest(page)
    assert len(ticks) > 20, "between and during the messages the loop goes on"
    middle = len(ticks) // 2
    with capsys.disabled():
        print(
            f"\n{len(ticks)} ticks of 5 ms: median {ticks[middle] * 1000:.0f} ms, longest {ticks[-1] * 1000:.0f} ms; processor "
            f"time between two: median {busy[middle] * 1000:.1f} ms, longest {busy[-1] * 1000:.0f} ms"
        )


def test_while_the_server_stands_still_the_kernel_answers_and_says_so_and_then_the_picture_goes_on(
    page: Page, server: Process
) -> None:
    kernel = page.kernel
    page.finish(page.move(1.0))
    rest(page)
    before = page.frames[-1]["data"]
    server.send(signal.SIGSTOP)
    try:
        page.finish(*[page.move(value / 10) for value in range(20)])  # no handler waits for a frame
        page.finish(page.custom(type="settle"))  # nor for the final one
        assert kernel.ask("explorer.value.edits[0].strength") == 1.9
        assert page.frames[-1]["data"] == before
        words = lambda: [text for text in page.errors if "no answer from" in text]  # noqa: E731
        kernel.until(lambda: (page.look(0.05), words())[1], "the message")
        assert "within 4 s; the picture before it stays" in words()[0] and page.frames[-1]["data"] == before
    finally:
        server.send(signal.SIGCONT)
    kernel.until(lambda: (page.look(0.05), kernel.ask("shown()"))[1], "the picture, without another message")
    kernel.until(lambda: (page.look(0.05), kernel.ask("explorer.view.error == ''"))[1], "the message has gone")
    assert page.shown() == kernel.ask("digest()")


def test_after_kill_9_in_a_drag_the_picture_stays_and_goes_on_by_itself(page: Page, server: Process) -> None:
    kernel = page.kernel
    page.finish(*[page.move(value / 10) for value in range(10)])
    page.look(0.2)
    server.end()
    page.finish(*[page.move(value / 10) for value in range(10, 20)])
    page.finish(page.custom(type="settle"))
    kernel.until(
        lambda: (page.look(0.05), "reconnecting to" in kernel.ask("explorer.view.status"))[1], "words on the connection"
    )
    assert page.frames, "the last picture stays"
    server.start()
    kernel.until(lambda: (page.look(0.05), kernel.ask("shown()"))[1], "the picture, without another message")
    kernel.until(
        lambda: (page.look(0.05), "reconnecting" not in kernel.ask("explorer.view.status"))[1], "the words are gone"
    )
    assert kernel.ask("explorer.value.edits[0].strength") == 1.9 and page.shown() == kernel.ask("digest()")
