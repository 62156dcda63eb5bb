"""The tool "Rig" in a real kernel: every step of a turn is answered by a frame, and it rests at the picture of the pure edit."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

OPEN = """
import os, tempfile
os.environ["STYLEWIDGETS_CACHE"] = tempfile.mkdtemp()
from stylewidgets import editing
from stylewidgets.editing.flow.attributes import Attribute, Attributes
from stylewidgets.editing.rig.core import RigCore, Whitening
from stylewidgets.editing.rig.network import ParameterReader, RigNet
explorer.close()
parts = [Attribute("yaw", "degrees", -45, 45, 0, 18, "pose"), Attribute("pitch", "degrees", -20, 20, 0, 8, "pose")]
net = RigNet(session.num_ws, 8, 2, latent=4, groups=1, decoder_hidden=(8,))
shares = torch.full((session.num_ws, 2), 1 / session.num_ws)
core = RigCore(net, ParameterReader(1, 8, 2, 4), Attributes(parts), Whitening(8), shares)
made = editing.Rig(core, {"name": "tiny", "w": session.fingerprint("w")})
editing.Rig.prepared(session).parent.mkdir(parents=True, exist_ok=True)
made.save(editing.Rig.prepared(session))
explorer = sw.LatentExplorer(session, tools=["rig"])
explorer.open("rig")
tool = explorer.tools["rig"]
"""


def test_a_turn_is_answered_step_by_step_and_rests_at_the_pure_edit(page):
    kernel = page.kernel
    kernel.run(OPEN)
    page.view = kernel.ask("explorer.view.model_id")
    head = kernel.ask("tool.pads['head'].model_id")
    page.say_hello()
    page.settle()
    page.forget()
    start = page.shown()
    for number, x in enumerate((4.0, 9.0, 30.0)):
        content = {"type": "turn", "page": "page", "number": number, "x": x, "y": -3.0, "acks": {}}
        request = kernel.comm(head, {"method": "custom", "content": content}, page.subshell)
        page.finish(request)
        assert [m for m in kernel.caused_by(request) if m["content"].get("comm_id") == page.view], f"no frame for {x}"
    late = {"type": "turn", "page": "page", "number": 1, "x": 9.0, "y": -3.0, "acks": {}}
    page.finish(kernel.comm(head, {"method": "custom", "content": late}))  # in the main shell, overtaken by the last
    page.settle()
    assert kernel.ask("explorer.value == tool.rig.edit(explorer.start, yaw=30.0, pitch=-3.0)")
    assert page.shown() == kernel.ask("digest()") != start
    assert kernel.ask("[tool.pads['head'].x, tool.pads['head'].y]") == [30, -3] and page.errors == []
    kernel.run("explorer.undo()")
    page.settle()
    assert page.shown() == start
