"""An InversionViewer in a real kernel, driven by the ticks that a page sends; interrupted, and closed under way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .conftest import Kernel

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

VIEWER = """
import hashlib, threading, time, ipywidgets, numpy as np, torch
import stylewidgets as sw
from stylewidgets import inversion
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.session.session import GeneratorSession

torch.set_num_threads(1)
torch.manual_seed(0)
config = StyleGAN2Config(z_dim=8, c_dim=0, w_dim=8, resolution=16, channels=(6, 6, 4), mapping_layers=2)
session = GeneratorSession(StyleGAN2(config), device="cpu", name="tiny")
settings = dict(method="image2stylegan", perceptual=0.0, steps=12, rate=0.05)
threads_before = sorted(thread.name for thread in threading.enumerate())

def models():
    return len(getattr(ipywidgets.widgets.widget, "_instances", ipywidgets.Widget.widgets))

def result_is_whole():
    result = viewer.result
    return (np.isfinite(result.code).all() and viewer.value == session.check(result.latent())
            and result.steps == viewer.current.step and viewer.image.size == (16, 16))

def begin():
    # no machine is to be quick enough for all steps in one slice
    run = viewer.start().run
    advance = run._advance
    run._advance = lambda: time.sleep(0.03) or advance()

models_before = models()
viewer = sw.InversionViewer(session, **settings)
"""

STUCK = """
step = viewer.current.run._advance

def stuck():
    print("inside a step", flush=True)
    time.sleep(600)

viewer.current.run._advance = stuck
"""


class ViewerPage:
    """The viewer as a page keeps it going: a clock that ticks."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        kernel.run(VIEWER)
        view, self.clock = kernel.ask("[viewer.view.model_id, viewer._work._clock_widget.model_id]")
        self.ticks = 0
        hello = kernel.comm(view, {"method": "custom", "content": {"type": "hello"}})
        kernel.until(lambda: kernel.is_idle(hello), "the page's hello")

    def send_tick(self) -> str:
        """Send what the page's clock sends, and return the request."""
        self.ticks += 1
        return self.kernel.comm(self.clock, {"method": "update", "state": {"value": self.ticks}, "buffer_paths": []})

    def tick(self) -> None:
        """Tick once and wait until the kernel has done its slice."""
        request = self.send_tick()
        self.kernel.until(lambda: self.kernel.is_idle(request), "the end of a slice")

    def tick_until(self, condition: str) -> None:
        for _ in range(200):
            if self.kernel.ask(condition):
                return
            self.tick()
        pytest.fail(f"200 ticks, and still not {condition}: {self.state()}")

    def state(self) -> tuple[str, int]:
        state, step = self.kernel.ask("[viewer.current.state, viewer.current.step]")
        return state, step


@pytest.fixture
def page(kernel: Kernel) -> Iterator[ViewerPage]:
    made = ViewerPage(kernel)
    try:
        yield made
    finally:
        kernel.run("viewer.close()")


def test_the_pages_clock_alone_drives_a_run_to_the_result_of_the_pure_call(page: ViewerPage) -> None:
    kernel = page.kernel
    kernel.run("begin()")
    assert kernel.ask("viewer.running")
    page.tick_until("viewer.current.state == 'done'")
    assert kernel.ask("sorted(thread.name for thread in threading.enumerate()) == threads_before"), (
        "no thread of its own"
    )
    kernel.run("wanted = inversion.invert(session, session.latent(seed=1), **settings)")
    assert kernel.ask("bool(np.array_equal(viewer.result.code, wanted.code))")
    assert kernel.ask("[viewer.running, viewer.view.error]") == [False, ""]


def test_an_interrupt_in_the_middle_of_a_step_leaves_the_last_result_and_the_run_goes_on(page: ViewerPage) -> None:
    kernel = page.kernel
    kernel.run("begin()")
    page.tick_until("viewer.current.step >= 2")
    before = page.state()
    kernel.run(STUCK)
    request = page.send_tick()
    kernel.until(
        lambda: any("inside" in m["content"].get("text", "") for m in kernel.caused_by(request)), "the stuck step"
    )
    kernel.manager.interrupt_kernel()
    kernel.until(lambda: kernel.is_idle(request), "the end of the interrupted slice")

    assert before[0] == "running"
    assert page.state() == ("paused", before[1])
    assert f"interrupted at step {before[1]}" in kernel.ask("viewer.view.error")
    assert kernel.ask("bool(result_is_whole())")
    page.tick()
    assert page.state() == ("paused", before[1]), "a clock that ticks once more changes nothing"

    kernel.run("viewer.current.run._advance = step; viewer.resume()")
    page.tick_until("viewer.current.state == 'done'")
    kernel.run("wanted = inversion.invert(session, session.latent(seed=1), **settings)")
    assert kernel.ask("bool(np.array_equal(viewer.result.code, wanted.code))"), "as if nothing had happened"


def test_an_interrupted_cell_that_waits_for_the_end_ends_and_leaves_the_last_result(page: ViewerPage) -> None:
    kernel = page.kernel
    kernel.run("begin()")
    page.tick_until("viewer.current.step >= 2")
    step = page.state()[1]
    kernel.run(STUCK)
    request = kernel.start_cell("viewer.finish()")
    kernel.until(
        lambda: any("inside" in m["content"].get("text", "") for m in kernel.caused_by(request)), "the stuck step"
    )
    kernel.manager.interrupt_kernel()
    kernel.until(lambda: kernel.is_idle(request), "the end of the cell")
    errors = [m["content"]["ename"] for m in kernel.caused_by(request) if m["msg_type"] == "error"]
    assert errors == ["KeyboardInterrupt"]
    assert page.state() == ("paused", step)
    assert kernel.ask("bool(result_is_whole())")
    kernel.run("viewer.current.run._advance = step; viewer.finish()")
    assert page.state() == ("done", 12)


def test_an_interrupt_between_two_slices_pauses_the_run(page: ViewerPage) -> None:
    kernel = page.kernel
    kernel.run("begin()")
    page.tick_until("viewer.current.step >= 2")
    page.tick()  # the last message before the interrupt is the page's, as it is where a page ticks
    kernel.manager.interrupt_kernel()
    kernel.until(lambda: "interrupted at step" in kernel.ask("viewer.view.error"), "the interrupt")
    state, step = page.state()
    page.tick()
    assert (state, page.state()) == ("paused", ("paused", step)) and kernel.ask("bool(result_is_whole())")
    kernel.run("viewer.resume()")
    page.tick_until("viewer.current.state == 'done'")


def test_closing_a_viewer_under_way_leaves_no_thread_no_widget_and_no_work(page: ViewerPage) -> None:
    kernel = page.kernel
    kernel.run("begin()")
    page.tick_until("viewer.current.step >= 2")
    kernel.run("run = viewer.current.run; viewer.close()")
    step = kernel.ask("run.step")
    request = page.send_tick()
    kernel.until(lambda: kernel.is_idle(request), "the tick of a page that has not heard of it")
    assert not [m for m in kernel.caused_by(request) if m["msg_type"] == "error"]
    assert kernel.ask("run.step") == step
    assert kernel.ask("models()") == kernel.ask("models_before")
    assert kernel.ask("sorted(thread.name for thread in threading.enumerate()) == threads_before")
