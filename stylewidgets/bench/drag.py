"""What one drag costs: messages, redraws and processor time for each frame that is seen.

    python -m stylewidgets.bench.drag [PAGE ...] [--seconds 3] [--rounds 2]

PAGE is a name of `pages.PAGES`. The websocket of the page is listened to, the canvas counts its draws, the browser and
the system say what was computed. docs/speed.md explains the figures.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import pages
from .browser import PICTURE, PROBE, SLIDER, Browser, Lab, Notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page, WebSocket

USUAL = ("image", "tiny", "view", "costless", "explorer")

_COUNT_DRAWS = """
(selector) => {
  window.stylewidgetsDraws = 0;
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (...given) {
    if (this.canvas.matches(selector)) window.stylewidgetsDraws += 1;
    return draw.apply(this, given);
  };
}
"""


class Wire:
    """Counts what goes over the page's websockets, by direction and kind."""

    def __init__(self, page: Page) -> None:
        self.messages: Counter[str] = Counter()
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda data: self._count("up", data))
        socket.on("framereceived", lambda data: self._count("down", data))

    def _count(self, direction: str, data: str | bytes) -> None:
        text = data[:6000] if isinstance(data, bytes) else data[:6000].encode()
        kind = re.search(rb'"msg_type": ?"(\w+)"', text)
        if kind is None:
            return
        method = re.search(rb'"method": ?"(\w+)"', text)
        self.messages[f"{direction} {(method or kind)[1].decode()}"] += 1


def drag(lab: Lab, notebook: Notebook, wire: Wire, picture: str, seconds: float) -> dict[str, float]:
    """Drag the first slider through most of its length and return the figures, each for one frame that was seen."""
    page = notebook.page
    handle = page.locator(SLIDER).first
    handle.wait_for()
    handle.scroll_into_view_if_needed()
    page.evaluate(PROBE.read_text(), [picture])
    page.evaluate(_COUNT_DRAWS, PICTURE)
    handle.focus()
    page.keyboard.press("Home")
    time.sleep(1.5)
    box = handle.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    time.sleep(0.3)
    metrics = page.context.new_cdp_session(page)
    metrics.send("Performance.enable")
    page.evaluate("() => { stylewidgetsProbe.reset(); stylewidgetsDraws = 0; }")
    wire.messages.clear()
    before, computed, begin, moves = _metrics(metrics), _kernel_seconds(lab), time.monotonic(), 0
    while (elapsed := time.monotonic() - begin) < seconds:
        page.mouse.move(x + 2 + 240 * elapsed / seconds, y)
        moves += 1
        time.sleep(max(0.0, begin + moves / 60 - time.monotonic()))
    seen = page.evaluate("() => ({ ...stylewidgetsProbe.report(), draws: stylewidgetsDraws })")
    after, messages, kernel = _metrics(metrics), Counter(wire.messages), _kernel_seconds(lab) - computed
    page.mouse.up()
    time.sleep(1.0)
    frames = max(1, len(seen["changes"]))
    each = {name: count / frames for name, count in sorted(messages.items())}
    return {
        "frames/s": frames / seen["elapsed"] * 1000,
        "up": sum(value for name, value in each.items() if name.startswith("up")),
        "down": sum(value for name, value in each.items() if name.startswith("down")),
        "draws": seen["draws"] / frames,
        "script ms": (after["ScriptDuration"] - before["ScriptDuration"]) * 1000 / frames,
        "page ms": (after["TaskDuration"] - before["TaskDuration"]) * 1000 / frames,
        "kernel ms": kernel * 1000 / frames,
        **each,
    }


def _metrics(session: Any) -> dict[str, float]:
    return {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}


def _kernel_seconds(lab: Lab) -> float:
    """Processor time of the kernels of this server."""
    import psutil  # type: ignore[import-untyped]  # comes with ipykernel

    total = 0.0
    for child in psutil.Process(lab._process.pid).children(recursive=True):
        with suppress(psutil.Error):
            times = child.cpu_times()
            total += times.user + times.system
    return total


def measure(names: Sequence[str], seconds: float, rounds: int) -> None:
    """Measure these pages in turns and print a line for each drag."""
    cells = pages.notebooks(128, "")
    turns = [name for turn in range(rounds) for name in (names if turn % 2 == 0 else tuple(reversed(names)))]
    with (
        tempfile.TemporaryDirectory(prefix="stylewidgets-drag-") as folder,
        Lab(folder) as lab,
        Browser(1500, 1300) as browser,
    ):
        for name in turns:
            pages.write(Path(folder) / f"{name}.ipynb", cells[pages.PAGES[name]])
            page = browser.page()
            wire = Wire(page)
            notebook = Notebook(page, lab, f"{name}.ipynb")
            notebook.open()
            notebook.run_all()
            figures = drag(lab, notebook, wire, "img" if name == "image" else PICTURE, seconds)
            print(f"{name:>9}", "  ".join(f"{key} {value:.1f}" for key, value in figures.items()), flush=True)
            notebook.close()
            lab.shutdown_kernels()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m stylewidgets.bench.drag", description=__doc__)
    parser.add_argument("pages", nargs="*", default=USUAL, metavar="PAGE", help=f"of {', '.join(pages.PAGES)}")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each drag (default: 3)")
    parser.add_argument("--rounds", type=int, default=2, help="in turns (default: 2)")
    given = parser.parse_args()
    for name in given.pages:
        if name not in pages.PAGES:
            parser.error(f"there is no page {name!r}; there are {', '.join(pages.PAGES)}")
    measure(tuple(given.pages), given.seconds, given.rounds)


if __name__ == "__main__":
    main()
