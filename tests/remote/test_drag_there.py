"""The tool "Drag" on a session of a server: the same steps, the same picture."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import stylewidgets as sw
from stylewidgets import GeneratorSession, editing, jobs
from stylewidgets.server.serving import Serving

HANDLES, TARGETS = [(30.0, 28.0), (40.0, 40.0)], [(30.0, 32.0), (36.0, 40.0)]
SETTINGS = {"steps": 3, "near": 0.0}


@pytest.fixture
def remote(serve: Callable[[Serving], str], there: GeneratorSession) -> Any:
    session = sw.connect(serve(Serving({"avatar-64": there}, batches=False)), deadline=120)
    yield session
    session.close()


def local(session: GeneratorSession, mask: Any = None) -> editing.Way:
    return jobs.run(editing.drag(session, session.latent(seed=3), HANDLES, TARGETS, mask, **SETTINGS))


@pytest.mark.slow
def test_the_tool_drags_there_to_the_picture_that_a_script_here_gets(
    remote: sw.RemoteSession, session: GeneratorSession
) -> None:
    explorer = sw.LatentExplorer(remote, remote.latent(seed=3), tools=("drag",))
    tool = explorer.tools["drag"]
    tool.form.raw = SETTINGS
    tool.sheet.show(HANDLES, TARGETS)
    tool.go.click()
    tool.work.finish()
    way = local(session)
    assert explorer.value == way.latent() and len(tool.way.way) == 3 and not tool.place.error
    assert np.array_equal(tool.sheet.handles, way.points[-1]) and "All steps are done" in tool._said.value
    assert np.array_equal(np.asarray(explorer.image), session.image(way.latent()))
    explorer.close()


@pytest.mark.slow
def test_a_mask_is_sent_and_what_is_stopped_goes_on(remote: sw.RemoteSession, session: GeneratorSession) -> None:
    mask = np.zeros((64, 64), bool)
    mask[20:50, 20:50] = True
    explorer = sw.LatentExplorer(remote, remote.latent(seed=3), tools=("drag",))
    tool = explorer.tools["drag"]
    tool.form.raw = {**SETTINGS, "steps": 400, "patience": 0}
    tool.sheet.show(HANDLES, TARGETS)
    tool.brush.mask, tool.points.meaning.value = mask, True
    assert tool.points.mask is not None
    tool.play()
    end = time.monotonic() + 120
    while tool.run.step < 2 and time.monotonic() < end:
        tool.work.tick()
    tool.work.stop()
    stopped = tool.run.step
    assert 2 <= stopped < 400 and explorer.value == tool.run.latent() and tool.go.description == "go on"
    tool.play()
    while tool.run.step == stopped and time.monotonic() < end:
        tool.work.tick()
    assert tool.run.step > stopped and not tool.place.error
    explorer.close()


@pytest.mark.slow
def test_points_that_do_not_fit_are_told_in_the_tool(remote: sw.RemoteSession) -> None:
    explorer = sw.LatentExplorer(remote, remote.latent(seed=3), tools=("drag",))
    tool = explorer.tools["drag"]
    tool.sheet.show([(30.0, 28.0)], [(30.0, 28.0)])
    tool.go.click()
    tool.work.finish()
    assert "at their targets" in tool.place.error or "target" in tool.place.error
    explorer.close()
