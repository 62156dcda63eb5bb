"""A family, a tool and a method written outside the package, as the how-tos have them, in JupyterLab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stylewidgets.bench.browser import Notebook

from .explorer_page import ExplorerPage

pytestmark = pytest.mark.slow

OUTSIDE = Path(__file__).resolve().parents[1] / "outside"

FAMILY = f"""
import sys
sys.path.insert(0, {str(OUTSIDE)!r})
import hashlib, torch
import stylewidgets as sw
import family, method, tool  # three files beside the notebook
torch.set_num_threads(1)
torch.manual_seed(4)
generator = family.Waves(family.WavesConfig(256))
generator.estimate_w_avg()
session = sw.GeneratorSession(generator, name="waves", device="cpu")
explorer = sw.LatentExplorer(session, size=256)
explorer.open("borrow")
explorer
"""

VIEWER = """
from stylewidgets import inversion

def pure():
    return inversion.invert(session, session.latent(seed=5), "hill-climb", steps=120).code.tolist()

viewer = sw.InversionViewer(session, target=session.latent(seed=5), method="hill-climb", steps=120, size=192)
viewer
"""


def test_a_family_a_tool_and_a_method_from_outside_work_in_the_page(
    open_notebook: Callable[..., Notebook], artifacts: Path
) -> None:
    explorer = ExplorerPage(open_notebook(FAMILY, VIEWER, viewport={"width": 1280, "height": 1900}))
    page, ask = explorer.page, explorer.kernel.ask
    # the family: the page shows to the level what its session draws
    assert ask("type(explorer.session.generator).__module__") == "family"
    first = explorer.pixels()
    assert first == explorer.wanted() and first[0] == [256, 256]

    # the tool: its button borrows the look of another seed, and undo gives it back
    explorer.click("next seed")
    explorer.rest()
    assert ask("explorer.value.strength('borrowed')") == 1.0
    borrowed = explorer.pixels()
    assert borrowed == explorer.wanted() != first
    page.locator(".sw-explorer").get_by_text("levels from the picture without edits").wait_for()

    # the method: the viewer has it in its menu with its settings, runs it by the page's clock and shows its result
    viewer = page.locator(".sw-inversion")
    viewer.get_by_role("button", name="All methods and settings …").click()
    chosen = viewer.locator(".widget-dropdown select").first
    assert chosen.evaluate("(s) => s.selectedOptions[0].textContent").split() == ["Hill", "climbing"]
    viewer.get_by_role("button", name="Start", exact=True).first.click()
    explorer.until(lambda: ask("viewer.current is not None and viewer.current.run.done"), "the method is done")
    losses = ask("[terms['loss'] for terms in viewer.current.run.history]")
    assert len(losses) == 120 and losses == sorted(losses, reverse=True) and losses[-1] < losses[0]
    assert ask("viewer.result.code.tolist() == pure()")
    assert ask("viewer.current.method") == "hill-climb" and ask("viewer.view.error") == ""
    page.wait_for_timeout(500)
    page.screenshot(path=artifacts / "outside.png", full_page=True)

    explorer.click("undo")
    explorer.rest()
    assert explorer.pixels() == first
    explorer.close()
    assert explorer.notebook.console == []
