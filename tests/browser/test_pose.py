"""A person posed in JupyterLab: a joint of the figure is pulled, and the picture that rests is the pure call's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stylewidgets.bench.browser import Notebook

from .explorer_page import ExplorerPage

pytestmark = pytest.mark.slow

CELL = """
import hashlib, torch
import stylewidgets as sw
from stylewidgets import avatars
from stylewidgets.generators.families import build
from stylewidgets.generators.posed import PosedConfig
torch.set_num_threads(1)
torch.manual_seed(5)
session = sw.GeneratorSession(build("posed", PosedConfig.small(32, ngf=8, scales=3, widest=16)), name="posed", device="cpu")
%s
explorer = sw.LatentExplorer(session)
start = explorer.value
pose = explorer.tools["pose"]
explorer
"""
SOMEBODY = "session.put(avatars.Figure(avatars.sample(1, 5, groups=avatars.BODY), avatars.BODY))"
POSE = "sw.Pose(*(getattr(explorer.value.view, name) for name in ('yaw', 'pitch', 'roll', 'joints')))"
PURE = f"hashlib.sha256(session.render(start.replace(view={POSE})).tobytes()).hexdigest()"
SHOWN = "hashlib.sha256(explorer.picture.render(explorer.picture.latent).convert('RGB').tobytes()).hexdigest()"


@pytest.fixture
def opened(open_notebook: Callable[..., Notebook]) -> Iterator[Callable[[str], ExplorerPage]]:
    pages = []

    def open_one(source: str) -> ExplorerPage:
        pages.append(ExplorerPage(open_notebook(CELL % source, viewport={"width": 1280, "height": 1200})))
        return pages[-1]

    yield open_one
    for page in pages:
        page.close()


def middle(explorer: ExplorerPage, joint: str) -> tuple[float, float]:
    box = explorer.page.locator(f"[data-joint={joint}]").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_joint_is_pulled_and_what_rests_is_the_pure_calls_picture(
    opened: Callable[[str], ExplorerPage], artifacts: Path
) -> None:
    explorer = opened(SOMEBODY)
    page, before = explorer.page, explorer.shot()
    page.locator("[data-joint=wrist_right]").wait_for()
    x, y = middle(explorer, "wrist_right")
    across = explorer.page.locator(".sw-figure").bounding_box()["width"]  # type: ignore[index]
    page.mouse.move(x, y)
    page.mouse.down()
    for k in range(1, 7):
        page.mouse.move(x + 0.02 * across * k, y - 0.02 * across * k)
        page.wait_for_timeout(60)
    page.mouse.up()
    explorer.rest()
    assert explorer.shot() != before
    assert explorer.kernel.ask(SHOWN) == explorer.kernel.ask(PURE)
    stated = set(explorer.kernel.ask("list(explorer.value.view.angles)"))
    assert stated and stated <= {"arm_right_raise", "arm_right_swing", "arm_right_twist", "elbow_right"}
    explorer.until(
        lambda: abs(middle(explorer, "wrist_right")[0] - x - 0.12 * across) < 0.02 * across,
        "the joint is where it was pulled",
    )
    page.locator(".sw-explorer").first.screenshot(path=artifacts / "pose.png")
    explorer.click("undo")
    explorer.rest()
    assert explorer.shot() == before


def test_keys_pull_a_joint_go_to_others_and_take_it_back(opened: Callable[[str], ExplorerPage]) -> None:
    explorer = opened(SOMEBODY)
    page = explorer.page
    head = page.locator("[data-joint=head]")
    head.focus()
    before = explorer.kernel.ask("pose.figure.points['head'][0]")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    explorer.rest()
    assert explorer.kernel.ask("pose.figure.points['head'][0]") == pytest.approx(before + 0.02, abs=0.006)
    page.keyboard.press("Home")
    explorer.rest()
    assert explorer.kernel.ask("pose.figure.points['head'][0]") == pytest.approx(before, abs=0.001)
    page.keyboard.press("PageDown")
    assert page.evaluate("() => document.activeElement.dataset.joint") == "crown"
    assert "arrow keys pull it" in (page.locator("[data-joint=crown]").get_attribute("aria-label") or "")
    assert page.locator(".sw-figure-joint[tabindex='0']").count() == 1


def test_without_anybody_the_panel_says_what_to_do(open_notebook: Callable[..., Notebook]) -> None:
    page = open_notebook(CELL % "", viewport={"width": 1280, "height": 1200}).page
    page.locator(".stylewidgets-badge", has_text="nobody to draw yet").wait_for()
    page.get_by_role("button", name="choose somebody").click()
    seed = page.locator(".sw-cards input[type=text]:visible").first
    seed.fill("7")
    seed.press("Enter")
    page.locator(".stylewidgets-live[data-final=true], [data-final=true]").first.wait_for()
    assert not page.locator(".stylewidgets-badge").first.is_visible()
