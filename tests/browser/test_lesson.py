"""What moves in the lesson, in a real page: the chain lights up, a search is watched, a picture is painted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stylewidgets.bench.browser import Notebook

pytestmark = pytest.mark.slow

BEGIN = "import stylewidgets as sw\nfrom stylewidgets import lesson\nsession = sw.load('avatar-64')\n"
CHAIN = BEGIN + "chain = lesson.Chain(session)\nchain"
PLAYER = (
    BEGIN
    + """from stylewidgets.lesson import ours
target = session.synthesize(session.map(session.latent(seed=4)))
path = ours.search(session.synthesize, target, session.w_avg[None], ours.loss, 20, 0.3)
land = lesson.landscape(session, target, path, ours.loss, size=11)
lesson.PathPlayer(session, target, path, land)"""
)
EASEL = BEGIN + "easel = lesson.Easel()\neasel"


def test_the_chain_lights_up_where_the_slider_reaches(open_notebook: Callable[..., Notebook], artifacts: Path) -> None:
    page = open_notebook(CHAIN, viewport={"width": 1400, "height": 900}).page
    station = page.locator(".sw-chain-station")
    station.nth(4).wait_for()
    page.wait_for_function("document.querySelectorAll('.sw-chain-lit').length === 0")
    handle = page.locator(".noUi-handle").nth(1)  # truncation
    handle.focus()
    for _ in range(10):
        handle.press("ArrowLeft")
    page.wait_for_function("document.querySelectorAll('.sw-chain-lit').length === 4")
    lit = page.locator(".sw-chain-lit .sw-chain-title").all_inner_texts()
    assert lit == ["w", "styles", "layers", "picture"]
    page.screenshot(path=artifacts / "lesson-chain.png")
    page.set_viewport_size({"width": 620, "height": 1100})
    page.wait_for_timeout(300)
    page.screenshot(path=artifacts / "lesson-chain-narrow.png")
    wide = page.evaluate(
        "(() => { const n = document.querySelector('.sw-chain'); return n.scrollWidth - n.clientWidth; })()"
    )
    assert wide <= 1


def test_a_search_is_watched_step_by_step(open_notebook: Callable[..., Notebook], artifacts: Path) -> None:
    page = open_notebook(PLAYER, viewport={"width": 1280, "height": 900}).page
    slider = page.locator(".sw-path-slider")
    slider.wait_for()
    caption = page.locator(".sw-path-figure figcaption").first
    assert caption.inner_text().startswith("step 20,")
    slider.focus()
    slider.press("Home")
    page.wait_for_function("document.querySelector('.sw-path-figure figcaption').textContent.startsWith('step 0,')")
    for _ in range(8):
        slider.press("ArrowRight")
    page.wait_for_function("document.querySelector('.sw-path-figure figcaption').textContent.startsWith('step 8,')")
    page.screenshot(path=artifacts / "lesson-path.png")


def test_a_picture_is_painted_by_mouse_and_by_keys(open_notebook: Callable[..., Notebook], artifacts: Path) -> None:
    notebook = open_notebook(EASEL, viewport={"width": 1280, "height": 1000})
    page = notebook.page
    canvas = page.locator(".sw-easel-canvas")
    canvas.wait_for()
    page.locator(".sw-easel-pot[title='red']").click()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 120)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 140, steps=8)
    page.mouse.up()
    undo = page.locator(".sw-easel .sw-button", has_text="undo")
    page.wait_for_function("!document.querySelector('.sw-easel .sw-button').disabled")
    canvas.focus()
    canvas.press("ArrowDown")
    canvas.press("Space")
    page.wait_for_timeout(500)
    page.screenshot(path=artifacts / "lesson-easel.png")
    undo.click()
    undo.click()
    page.wait_for_function("document.querySelector('.sw-easel .sw-button').disabled")
