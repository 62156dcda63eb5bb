"""The tool "Rig" in a real page: the head is turned, the lamp is moved, and the picture is that of the pure call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stylewidgets.bench.browser import Notebook

from .explorer_page import EXPLORER, ExplorerPage

pytestmark = pytest.mark.slow

RIG = "__import__('stylewidgets').editing.Rig.load(session)"
PURE = RIG + ".edit(explorer.start, **{wanted!r})"


def pad(page: ExplorerPage, name: str) -> Any:
    return page.page.locator(f".sw-pad[aria-label^='{name}']:visible")


def drag(page: ExplorerPage, name: str, dx: int, dy: int) -> int:
    """Drag a pad by so many pixels; returns how many different pictures were in sight meanwhile."""
    handle = pad(page, name)
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    frames = {page.shot()}
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    for step in range(1, 21):
        page.page.mouse.move(x + dx * step / 20, y + dy * step / 20)
        page.page.wait_for_timeout(40)
        frames.add(page.shot())
    page.until(lambda: frames.add(page.shot()) or len(frames) > 2, "the picture moves with the hand")
    page.page.mouse.up()
    page.rest()
    return len(frames)


def test_the_head_turns_and_the_lamp_moves_by_hand_and_by_keys(
    open_notebook: Callable[..., Notebook], artifacts: Path
) -> None:
    page = ExplorerPage(
        open_notebook(EXPLORER.format(source=None, options=", size=128"), viewport={"width": 1280, "height": 1500})
    )
    page.panel("Rig")
    pad(page, "turn the head").wait_for()
    page.rest()
    before = page.kernel.ask(f"{RIG}.parameters(explorer.start)")
    label = f"turn the head: turn {round(before['yaw'])}°"
    page.until(
        lambda: pad(page, "turn the head").get_attribute("aria-label").startswith(label), "the pad says what is read"
    )
    away = -1 if before["yaw"] > 0 else 1
    drag(page, "turn the head", 45 * away, 0)
    wanted = page.kernel.ask("explorer.value.edits[-1].controls")
    assert set(wanted) == {"yaw", "pitch"} and (wanted["yaw"] - before["yaw"]) * away > 10
    assert wanted["pitch"] == pytest.approx(before["pitch"], abs=1)
    pure = PURE.format(wanted=wanted)
    assert page.kernel.ask(f"explorer.value == {pure}") and page.pixels() == page.wanted(pure)

    pad(page, "turn the head").focus()
    for key in ("ArrowUp", "ArrowUp", "Shift+ArrowLeft"):
        page.page.keyboard.press(key)
    page.rest()
    keyed = page.kernel.ask("explorer.value.edits[-1].controls")
    assert keyed["pitch"] == pytest.approx(wanted["pitch"] + 2) and keyed["yaw"] == pytest.approx(wanted["yaw"] - 5)

    away = -1 if before["light_azimuth"] > 0 else 1
    drag(page, "move the lamp", 40 * away, 15)
    lit = page.kernel.ask("explorer.value.edits[-1].controls")
    assert set(lit) == {"yaw", "pitch", "light_azimuth", "light_elevation"}
    assert (lit["light_azimuth"] - before["light_azimuth"]) * away > 15
    pure = PURE.format(wanted=lit)
    assert page.kernel.ask(f"explorer.value == {pure}") and page.pixels() == page.wanted(pure)
    page.page.screenshot(path=artifacts / "rig.png")

    for _ in range(5):  # where the machine stalls in the middle of a drag, it is more steps than one
        page.click("undo")
        page.rest()
        if page.kernel.ask("explorer.value.edits[-1].controls") == keyed:
            break
    assert page.kernel.ask("explorer.value.edits[-1].controls") == keyed
    page.page.get_by_role("button", name="take expression", exact=True).click()
    page.rest()
    assert "smile" in page.kernel.ask("explorer.value.edits[-1].controls")
    assert page.pixels() == page.wanted()
    page.page.get_by_role("button", name="reset rig", exact=True).click()
    page.rest()
    assert page.kernel.ask("explorer.value == explorer.start") and page.pixels() == page.wanted("explorer.start")
    page.page.emulate_media(color_scheme="dark")
    page.page.set_viewport_size({"width": 760, "height": 1500})
    page.page.wait_for_timeout(800)
    page.page.screenshot(path=artifacts / "rig-narrow.png")
    page.close()
    assert page.notebook.console == []
