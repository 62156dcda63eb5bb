"""A widget that is closed holds nothing: its model goes as soon as nobody else has it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import stylewidgets


def no_use(_: Any) -> None:
    """Opened and closed."""


def explored(explorer: stylewidgets.LatentExplorer) -> None:
    explorer.value = explorer.value.replace(seed=5)
    explorer.add_direction("smile", 1.0)
    explorer.snapshot()
    explorer.view.on_settle()  # the factors are read
    explorer.open("walk")  # a canvas, which ipycanvas remembers
    explorer.undo()


def mixed(grid: stylewidgets.StyleMixGrid) -> None:
    grid.select(0, 0)
    grid.finish()


def probed(probe: stylewidgets.StyleSpaceProbe) -> None:
    probe.select("3_1")
    probe.set_strength("3_1", 2.0)


def inverted(viewer: stylewidgets.InversionViewer) -> None:
    viewer.start("projector", steps=1)
    viewer.finish()
    viewer.fork(steps=2)
    viewer.finish()


USES: list[tuple[str, Callable[[Any], None]]] = [
    ("LatentExplorer", explored),
    ("StyleMixGrid", mixed),
    ("StyleSpaceProbe", probed),
    ("InversionViewer", inverted),
]


@pytest.mark.parametrize(("name", "use"), [*((name, no_use) for name, _ in USES), *USES])
def test_a_closed_widget_frees_its_model(name: str, use: Callable[[Any], None]) -> None:
    def model() -> weakref.ref[Any]:
        session = stylewidgets.load("avatar-64", device="cpu")
        widget = getattr(stylewidgets, name)(session)
        use(widget)
        widget.close()
        return weakref.ref(session.generator)

    kept = model()
    gc.collect()
    assert kept() is None
