"""The tool "Camera" in a real kernel: every step of a turn is answered by a frame of the scene from there."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

OPEN = """
from stylewidgets.generators.stylenerf.config import StyleNeRFConfig
from stylewidgets.generators.stylenerf.generator import StyleNeRF
explorer.close()
torch.manual_seed(5)
session = GeneratorSession(StyleNeRF(StyleNeRFConfig(
    z_dim=8, w_dim=8, mapping_layers=2, rays=8, channels=(8, 8), hidden=16, field_layers=3, features=8, frequencies=3, samples=4,
    density="softplus", ball=(12.0, 0.85, 0.6), background="colour", projection="orthographic", fov=43.8, radius=4.0,
    depth=(2.6, 5.4), yaw=(-35.0, 35.0), pitch=(-15.0, 15.0), normal=False,
)), device="cpu", name="ball")
explorer = sw.LatentExplorer(session)
explorer.open("camera")
camera = explorer.tools["camera"]
"""


def turn(page, number, *, rest=False, **place):
    content = {"type": "orbit", "page": "page", "number": number, "yaw": 0.0, "pitch": 0.0, "fov": 43.8, "acks": {}}
    sheet = page.kernel.ask("camera.sheet.model_id")
    return page.kernel.comm(sheet, {"method": "custom", "content": {**content, **place, "rest": rest}}, page.subshell)


def test_a_turn_is_answered_step_by_step_and_rests_at_the_picture_from_there(page):
    kernel = page.kernel
    kernel.run(OPEN)
    page.view = kernel.ask("explorer.view.model_id")
    page.say_hello()
    page.settle()
    page.forget()
    start = page.shown()
    for number, yaw in enumerate((4.0, 9.0, 15.0), 1):
        request = turn(page, number, yaw=yaw, pitch=-3.0, rest=yaw == 15.0)
        page.finish(request)
        frames = [m for m in kernel.caused_by(request) if m["content"].get("comm_id") == page.view]
        assert frames, f"no frame for {yaw}"
    page.finish(turn(page, 2, yaw=-30.0))  # one that was overtaken
    page.settle()
    assert kernel.ask("explorer.value.view.to_dict()") == {
        "yaw": 15,
        "pitch": -3,
        "roll": 0,
        "fov": None,
        "radius": None,
    }
    assert page.shown() == kernel.ask("digest()") != start
    kernel.run("explorer.undo()")
    page.settle()
    assert page.shown() == start

    kernel.run("camera.view.value = 'depth'")
    assert kernel.ask("len(camera.sheet.picture)") > 100 and page.errors == []
    far = "float(np.median(session.depth(explorer.value, 32)[np.isfinite(session.depth(explorer.value, 32))]))"
    assert 2.6 < kernel.ask(far) < 5.4
