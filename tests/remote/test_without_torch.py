"""The client where there is no torch, no Ray and no lpips: it connects, renders and shows all four widgets."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from stylewidgets import GeneratorSession
from stylewidgets.server.serving import Serving

PROGRAM = """
import sys
import numpy as np
for absent in ("torch", "torchvision", "ray", "lpips", "starlette"):
    sys.modules[absent] = None
import stylewidgets as sw

def right(widget, place="view"):
    assert not widget.view.error, widget.view.error
    return widget

s = sw.connect("URL")
assert s.render(s.latent(seed=7)).size == (64, 64)
explorer = right(sw.LatentExplorer(s))
explorer.value = explorer.value.replace(seed=3)
assert np.array_equal(np.asarray(explorer.picture.render(explorer.value)), s.image(explorer.value))
for name in explorer.tools:
    explorer.open(name)
right(explorer)
grid = right(sw.StyleMixGrid(s, rows=[1, 2], columns=[3, 4]))
assert len(grid.pictures()) == 8 and grid.selected == sw.mixing.mix_cell(s, grid.value, (0, 0))
viewer = right(sw.InversionViewer(s, method="projector", steps=2, net="factors"))
viewer.start()
result = viewer.finish()
assert result.steps == 2 and viewer.current.figures["psnr"] > 0 and viewer.current.figures["realism"] > 0
right(viewer.explorer())
probe = right(sw.StyleSpaceProbe(s, samples=64))
probe.search.need_statistics()
probe.selected = sw.stylespace.Channel(3, 1)
probe.search._work.finish()
assert probe.search.find_examples([1, 2, 3]).channels
assert probe.search.regions.names and probe.search.attributes
right(probe)
near = (sw, "load"), (sw, "GeneratorSession"), (sw.inversion, "invert"), (sw.directions, "pca"), (sw.editing, "drag")
for room, name in near:
    try:
        getattr(room, name)
    except ModuleNotFoundError as error:
        assert "session.start(spec)" in str(error), error
    else:
        raise AssertionError("it cannot be here")
assert sys.modules["torch"] is None and "matplotlib" not in sys.modules
for widget in (explorer, grid, viewer, probe):
    widget.close()
"""


@pytest.mark.slow
def test_all_widgets_work_where_there_is_no_torch(serve: Callable[[Serving], str], there: GeneratorSession) -> None:
    url = serve(Serving({"avatar-64": there}, batches=False))
    program = [sys.executable, "-c", PROGRAM.replace("URL", url)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
