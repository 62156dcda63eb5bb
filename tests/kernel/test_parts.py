"""The Parts panel in a real kernel: what a click and a drag cause comes before their own idle, as Colab needs it."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

PARTS = """
import os, tempfile
os.environ["STYLEWIDGETS_CACHE"] = tempfile.mkdtemp()
from stylewidgets import jobs
from stylewidgets.editing import Parts
from stylewidgets.widgets.latent_explorer.tools.parts import faces
faces.GALLERY = 6
jobs.run(Parts.fit(session, clusters=4, pictures=3))
explorer.open("parts")
tool = explorer.tools["parts"]
tool.work.finish()
tool.method.value = "editing"  # channels of all pictures: the faces of the strip differ from run to run
"""


def updates(page: Any, request: str, comm: str) -> dict[str, Any]:
    """What a request made a widget tell the page, all in one, before the request's own idle."""
    state: dict[str, Any] = {}
    for message in page.kernel.caused_by(request):
        content = message["content"]
        if message["msg_type"] == "status" and content["execution_state"] == "idle":
            break
        if message["msg_type"] == "comm_msg" and content["comm_id"] == comm and content["data"]["method"] == "update":
            paths = content["data"]["buffer_paths"]
            state |= content["data"]["state"]
            state |= {path[0]: bytes(buffer) for path, buffer in zip(paths, message["buffers"], strict=True)}
    return state


def test_a_click_a_face_and_a_drag_are_answered_in_their_own_message(page):
    kernel = page.kernel
    kernel.run(PARTS)
    sheet, choice, random, rows = (
        kernel.ask(f"tool.{name}.model_id") for name in ("map", "choice", "faces.random", "rows.view")
    )
    assert kernel.ask("len(tool.map.labels) == tool.map.size[0] * tool.map.size[1]")

    pick = kernel.comm(sheet, {"method": "custom", "content": {"type": "pick", "region": 2}})
    page.finish(pick)
    assert kernel.ask("tool.part") == "part 3"
    assert updates(page, pick, sheet)["chosen"] == [2] and updates(page, pick, choice)["chosen"] == 2

    before = len(page.frames)
    take = kernel.comm(random, {"method": "update", "state": {"chosen": 1}, "buffer_paths": []})
    page.finish(take)
    assert kernel.ask("[edit.name for edit in explorer.value.edits]")[-1] == "part 3", kernel.ask("tool.place.error")
    assert len(page.frames) > before

    for number, value in enumerate((0.8, 0.6, 0.4), start=1):
        before = len(page.frames)
        content = {"type": "set", "page": "page", "number": number, "key": "part 3", "value": value, "acks": {}}
        move = kernel.comm(rows, {"method": "custom", "content": content})
        page.finish(move)
        causes = [kernel.log[frame["place"]]["parent_header"]["msg_id"] for frame in page.frames[before:]]
        assert move in causes, "the frame belongs to the message that moved the row"
        assert not updates(page, move, sheet), "and the map is not sent again for it"
    assert kernel.ask("explorer.value.edits[-1].strength") == 0.4

    page.settle()
    assert page.shown() == kernel.ask("digest()")
    assert kernel.ask("bytes(tool.map.labels) == tool.machine.labels(explorer.value).astype('uint8').tobytes()"), (
        "the map is that of the picture at rest"
    )
    assert kernel.ask("tool.place.error + explorer.view.error") == ""
