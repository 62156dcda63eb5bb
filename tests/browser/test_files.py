"""Files of other tools, given to a widget in the browser as a person gives them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stylewidgets import load
from stylewidgets.bench.browser import Notebook

from .explorer_page import EXPLORER, ExplorerPage, make_generator

pytestmark = pytest.mark.slow


def test_a_code_directions_and_a_broken_file_do_what_their_buttons_say(
    open_notebook: Callable[..., Notebook], tmp_path: Path, artifacts: Path
) -> None:
    generator = make_generator(tmp_path)
    session = load(generator, device="cpu")
    w = session.map(session.latent(seed=77)).numpy()
    np.savez(tmp_path / "projected_w.npz", w=w)
    np.save(tmp_path / "age.npy", np.random.RandomState(0).randn(1, session.w_dim))
    (tmp_path / "broken.pt").write_bytes(b"PK\x03\x04 cut short")

    explorer = ExplorerPage(open_notebook(EXPLORER.format(source=str(generator), options=", size=64")))
    explorer.panel("Save & code")

    def give(label: str, file: str) -> None:
        """Press an upload button and choose a file, as a person does: its input is not in the page."""
        with explorer.page.expect_file_chooser() as chooser:
            explorer.page.locator(".sw-explorer button", has_text=label).first.click()
        chooser.value.set_files(tmp_path / file)

    give("open a code", "projected_w.npz")
    explorer.until(lambda: explorer.kernel.ask("explorer.value.code is not None"), "the code is taken")
    explorer.rest()
    assert explorer.pixels() == explorer.wanted("session.latent(seed=77)")

    give("open directions", "age.npy")
    explorer.until(
        lambda: explorer.kernel.ask("'age' in [e.name for e in explorer.value.edits]"), "the direction is taken"
    )
    page = explorer.page
    page.get_by_text("1 from age.npy").first.wait_for()
    page.screenshot(path=artifacts / "files-taken.png")

    before = explorer.kernel.ask("repr(explorer.value)")
    give("open a code", "broken.pt")
    page.get_by_text("opening broken.pt").first.wait_for()
    assert explorer.kernel.ask("repr(explorer.value)") == before
    page.screenshot(path=artifacts / "files-broken.png")
    explorer.panel("Directions")
    explorer.page.get_by_text("age").first.wait_for()
    page.screenshot(path=artifacts / "files-direction.png")
    explorer.close()
