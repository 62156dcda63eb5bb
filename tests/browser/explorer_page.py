"""A LatentExplorer in a notebook: its generator made on the fly, its page read and used, its kernel asked behind its back."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stylewidgets.bench.browser import Lab, Notebook

PATIENCE = 90.0
"""Seconds after which a wait is given up: far more than a slow machine needs."""

PICTURE = ".stylewidgets-canvas"

EXPLORER = """
import hashlib, torch
import stylewidgets as sw
torch.set_num_threads(1)
session = sw.load({source!r})
explorer = sw.LatentExplorer(session{options})
explorer
"""


def make_generator(folder: Path) -> Path:
    """Write a small random generator with five directions beside it and return its path."""
    import torch

    from stylewidgets.checkpoints.formats import native
    from stylewidgets.directions import pca
    from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
    from stylewidgets.session.session import GeneratorSession

    torch.manual_seed(3)
    config = StyleGAN2Config(
        z_dim=32, c_dim=0, w_dim=32, resolution=64, channels=(32, 32, 32, 16, 16), mapping_layers=2
    )
    generator = StyleGAN2(config).eval()
    path = folder / "tiny.safetensors"
    native.save(path, generator, {"name": "tiny"})
    session = GeneratorSession(native.load(path)[0], device="cpu")
    pca(session, components=5, samples=500).save(path.with_suffix(".directions.safetensors"))
    return path


class Kernel:
    """A second client of the notebook's kernel, so that a question changes nothing in the page."""

    def __init__(self, lab: Lab, name: str) -> None:
        from jupyter_client import BlockingKernelClient
        from jupyter_core.paths import jupyter_runtime_dir

        kernel = next(s["kernel"]["id"] for s in lab.request("/api/sessions") if s["path"] == name)
        file = Path(jupyter_runtime_dir()) / f"kernel-{kernel}.json"
        self._client = BlockingKernelClient(connection_file=str(file))
        self._client.load_connection_file()
        self._client.start_channels()

    def ask(self, expression: str) -> Any:
        """Return the value of an expression that is plain JSON."""
        reply = self._client.execute(
            "", silent=True, user_expressions={"value": f"__import__('json').dumps({expression})"}, reply=True,
            timeout=PATIENCE,
        )  # fmt: skip
        value = reply["content"]["user_expressions"]["value"]
        assert value["status"] == "ok", value
        return json.loads(eval(value["data"]["text/plain"]))

    def close(self) -> None:
        self._client.stop_channels()


def swipe(page: Any, start: tuple[float, float], end: tuple[float, float], steps: int = 10) -> None:
    """A finger goes down at one place of the page and up at another."""
    session = page.context.new_cdp_session(page)
    for step in range(steps + 1):
        x, y = (a + (b - a) * step / steps for a, b in zip(start, end, strict=True))
        kind = "touchStart" if step == 0 else "touchMove"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        page.wait_for_timeout(20)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()


class ExplorerPage:
    """What a person does with an explorer, and what they see."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.page.set_default_timeout(PATIENCE * 1000)
        self.canvas = self.page.locator(PICTURE)
        self.kernel = Kernel(notebook.lab, notebook.name)
        self.rest()

    # -- seeing ------------------------------------------------------------------------------------------------------
    def shot(self) -> str:
        """Return a digest of the canvas as it is now."""
        return str(self.page.evaluate("(s) => document.querySelector(s).toDataURL()", PICTURE))

    def pixels(self) -> tuple[list[int], str]:
        """Return width and height of the canvas and the digest of its colours, as `digest(session.image(...))` has it."""
        width, height, rgba = self.page.evaluate(
            """(s) => { const c = document.querySelector(s);
                 return [c.width, c.height, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]]; }""",
            PICTURE,
        )
        rgb = bytes(value for place, value in enumerate(rgba) if place % 4 != 3)
        return [width, height], hashlib.sha256(rgb).hexdigest()

    def wanted(self, latent: str = "explorer.value") -> tuple[list[int], str]:
        """Return the same of what `session.render` draws for a latent, by the kernel's account."""
        image = f"session.render({latent})"
        size = self.kernel.ask(f"list({image}.size)")
        return size, self.kernel.ask(f"hashlib.sha256({image}.convert('RGB').tobytes()).hexdigest()")

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Return the first true value of `condition()`."""
        end = time.monotonic() + PATIENCE
        while not (value := condition()):
            assert time.monotonic() < end, f"never happened: {what}"
            self.page.wait_for_timeout(100)
        return value

    def rest(self) -> None:
        """Wait until the picture is final and nothing changes any more, in the page and in the kernel."""

        def state() -> Any:
            return self.page.evaluate(
                "() => { const d = document.querySelector('.stylewidgets-live')?.dataset;"
                "        return d && d.final === 'true' ? d.frame : null; }"
            )

        def still() -> bool:
            before = state(), self.kernel.ask("repr(explorer.value)")
            self.page.wait_for_timeout(700)
            waiting = self.kernel.ask("explorer.picture._pump.waiting")
            return (
                before[0] is not None and not waiting and before == (state(), self.kernel.ask("repr(explorer.value)"))
            )

        self.until(still, "the picture comes to rest")

    # -- doing -------------------------------------------------------------------------------------------------------
    def click(self, name: str, place: int = 0) -> None:
        """Press a button of the explorer."""
        self.page.locator(".sw-explorer").get_by_role("button", name=name, exact=True).nth(place).click()

    def panel(self, name: str) -> None:
        """Choose a panel."""
        tab = self.page.locator(".sw-explorer .sw-tab", has_text=name).first
        if not tab.is_visible():  # behind "more"
            self.page.locator(".sw-explorer .sw-more").first.click()
        tab.click()

    def slider(self, place: int = 0) -> Any:
        """The handle of a direction's slider."""
        name = self.kernel.ask(f"explorer.value.edits[{place}].direction.name")
        rows = self.page.locator(".sw-explorer .stylewidgets-strength").filter(has_text=name)
        return rows.first.get_by_role("slider")

    def press(self, key: str, times: int = 1, place: int = 0) -> None:
        """Move a direction's slider by the keyboard."""
        self.slider(place).focus()
        for _ in range(times):
            self.page.keyboard.press(key)

    def close(self) -> None:
        self.kernel.close()
