"""Files of other tools, given to a widget in the browser as a person gives them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stylewidgets import load, read_latent
from stylewidgets.bench.browser import Notebook
from stylewidgets.widgets.kit.views.toolbar import LARGEST

from .explorer_page import EXPLORER, ExplorerPage, make_generator

pytestmark = pytest.mark.slow


def test_a_code_directions_and_a_broken_file_do_what_their_buttons_say(
    open_notebook: Callable[..., Notebook], tmp_path: Path, artifacts: Path
) -> None:
    generator = make_generator(tmp_path)
    session = load(generator, device="cpu")
    w = session.map(session.latent(seed=77)).numpy()
    np.savez(tmp_path / "projected_w.npz", w=w)
    age = np.random.RandomState(0).randn(1, session.w_dim)
    np.save(tmp_path / "age.npy", age)
    (tmp_path / "large.npy").write_bytes(bytes(LARGEST + 1))
    (tmp_path / "broken.pt").write_bytes(b"PK\x03\x04 cut short")

    explorer = ExplorerPage(open_notebook(EXPLORER.format(source=str(generator), options=", size=64")))
    explorer.panel("Save & code")

    page = explorer.page

    def give(label: str, file: str) -> None:
        """Press an upload button and choose a file, as a person does: its input is not in the page."""
        with page.expect_file_chooser() as chooser:
            explorer.click(label)
        chooser.value.set_files(tmp_path / file)

    def fetch(label: str) -> Path:
        """Press a button that hands out a file, and keep the file."""
        with page.expect_download() as download:
            explorer.click(label)
        path = tmp_path / f"got-{download.value.suggested_filename}"
        download.value.save_as(path)
        return path

    give("open a code", "projected_w.npz")
    explorer.until(lambda: explorer.kernel.ask("explorer.value.code is not None"), "the code is taken")
    explorer.rest()
    assert explorer.pixels() == explorer.wanted("session.latent(seed=77)")
    for suffix in (".npz", ".pt"):
        got = read_latent(fetch(f"code {suffix}"), session)
        assert got.code is not None and np.array_equal(got.code.array, w[0])

    give("open directions", "age.npy")
    page.get_by_text("1 from age.npy").first.wait_for()
    assert explorer.kernel.ask("'age' in [e.name for e in explorer.value.edits]")
    page.screenshot(path=artifacts / "files-taken.png")
    explorer.until(lambda: page.get_by_role("button", name="direction .npy").is_enabled(), "the direction can be saved")
    got_direction = np.load(fetch("direction .npy"))
    assert np.allclose(got_direction / np.linalg.norm(got_direction), age / np.linalg.norm(age), atol=1e-6)

    before = explorer.kernel.ask("repr(explorer.value)")
    give("open a code", "broken.pt")
    fault = page.get_by_role("alert").filter(has_text="opening broken.pt")
    fault.wait_for()
    assert explorer.kernel.ask("repr(explorer.value)") == before
    assert not page.get_by_text("1 from age.npy").is_visible()  # nothing of the last success beside it
    page.screenshot(path=artifacts / "files-broken.png")

    give("open a code", "large.npy")  # its bytes never leave the page: no server would let them through
    page.get_by_role("alert").filter(has_text="Put it beside the notebook").wait_for()

    explorer.panel("Directions")
    explorer.slider().wait_for()
    page.screenshot(path=artifacts / "files-direction.png")
    assert explorer.notebook.console == []
    explorer.close()
