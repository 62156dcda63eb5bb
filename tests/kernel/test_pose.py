"""The tool "Pose" in a real kernel: every step of a pull is answered by a frame of the person in that pose."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

OPEN = """
from stylewidgets import avatars
from stylewidgets.generators.families import build
from stylewidgets.generators.posed import PosedConfig
explorer.close()
torch.manual_seed(5)
session = GeneratorSession(build("posed", PosedConfig.small(16, ngf=4, scales=2, widest=8)), device="cpu", name="posed")
session.put(avatars.Figure(avatars.sample(1, 5, groups=avatars.BODY), avatars.BODY))
explorer = sw.LatentExplorer(session)
explorer._history._clock = lambda: 0.0
pose = explorer.tools["pose"]
"""


def pull(page, number, x, y, *, rest=False):
    content = {"type": "pull", "page": "page", "number": number, "joint": "wrist_left", "x": x, "y": y, "acks": {}}
    content |= {"settle": [page.view]} if rest else {}
    figure = page.kernel.ask("pose.figure.model_id")
    return page.kernel.comm(figure, {"method": "custom", "content": content}, page.subshell)


def test_a_pull_is_answered_step_by_step_and_rests_at_the_picture_of_its_pose(page):
    kernel = page.kernel
    kernel.run(OPEN)
    page.view = kernel.ask("explorer.view.model_id")
    page.say_hello()
    page.settle()
    page.forget()
    start = page.shown()
    for number, x in enumerate((0.25, 0.22, 0.2), 1):
        request = pull(page, number, x, 0.5)
        page.finish(request)
        frames = [m for m in kernel.caused_by(request) if m["content"].get("comm_id") == page.view]
        assert frames, f"no frame for {x}"
    page.finish(pull(page, 2, 0.6, 0.5))  # one that was overtaken
    page.settle()
    stated = kernel.ask("sorted(explorer.value.view.angles)")
    assert stated == ["arm_left_raise", "arm_left_swing", "arm_left_twist", "elbow_left"]
    assert abs(kernel.ask("pose.figure.points['wrist_left'][0]") - 0.2) < 0.02
    assert page.shown() == kernel.ask("digest()") != start
    kernel.run("explorer.undo()")
    page.settle()
    assert page.shown() == start and page.errors == []
