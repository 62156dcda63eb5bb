"""The tool "Drag" in a real kernel: points come from the page, its clock drives the steps, and a slice shows inside its tick."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

OPEN = """
import time
explorer.open("drag")
tool = explorer.tools["drag"]
tool.form.raw = {"steps": 6, "near": 0.0, "lr": 0.05}
clock = tool.work._clock_widget
"""
SLOW = """
# no machine is to be quick enough for all steps in one slice
advance = tool.run._advance
tool.run._advance = lambda: time.sleep(0.1) or advance()
"""
POINTS = [[[0.5, 0.5], [0.6, 0.5]], [[0.25, 0.5], [0.25, 0.4]]]


def test_points_of_the_page_are_dragged_slice_by_slice_and_the_end_is_that_of_the_pure_call(page):
    kernel = page.kernel
    kernel.run(OPEN)
    sheet, go, clock = kernel.ask("[part.model_id for part in (tool.sheet, tool.go, clock)]")
    kernel.run("tool.work.live = True")  # this page ticks: nothing runs ahead
    page.finish(
        kernel.comm(sheet, {"method": "update", "state": {"points": POINTS}, "buffer_paths": []}, page.subshell)
    )
    assert kernel.ask("len(tool.sheet.handles)") == 2
    page.finish(kernel.comm(go, {"method": "custom", "content": {"event": "click"}}, page.subshell))
    kernel.run(SLOW)
    assert kernel.ask("[tool.run.step, tool.sheet.active]") == [0, False]
    tick = 0
    while kernel.ask("tool.work.busy()"):
        tick += 1
        assert tick < 50
        request = kernel.comm(clock, {"method": "update", "state": {"value": tick}, "buffer_paths": []}, page.subshell)
        page.finish(request)
        if tick == 2:
            messages = kernel.caused_by(request)
            frames = [m for m in messages if m["msg_type"] == "comm_msg" and m["content"]["comm_id"] == page.view]
            assert frames, "what is shown at a tick is sent inside of it, as Colab needs it"
    page.settle()
    assert kernel.ask("tool.place.error") == "" and page.errors == []
    pure = "sw.editing.drag(session, tool.run.start, tool.run.handles, tool.run.targets, steps=6, near=0.0, lr=0.05)"
    assert kernel.ask(f"explorer.value == __import__('stylewidgets').jobs.run({pure}).latent()")
    assert page.shown() == kernel.ask("digest()")
