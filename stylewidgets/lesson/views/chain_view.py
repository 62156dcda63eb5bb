"""z → w → styles → layers → picture on the page, each number as bright as it changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import traitlets

from ...widgets.kit.views.esm import script, style
from ...widgets.kit.views.page import View

_HERE = Path(__file__).parent


class ChainView(View):
    """Five stations side by side, below each other where there is little room. Shows; asks nothing."""

    _esm = script() + (_HERE / "chain_view.js").read_text(encoding="utf-8")
    _css = style() + (_HERE / "chain_view.css").read_text(encoding="utf-8")

    z: Any = traitlets.List().tag(sync=True, echo_update=False)
    """Brightness of each number, 0 to 1; so of w."""
    w: Any = traitlets.List().tag(sync=True, echo_update=False)
    styles: Any = traitlets.List().tag(sync=True, echo_update=False)
    """[name, brightness of each channel] of each style layer."""
    layers: Any = traitlets.List().tag(sync=True, echo_update=False)
    """[name, brightness] of each convolution, in the order of `maps`."""
    maps: Any = traitlets.List().tag(sync=True, echo_update=False)
    """Their features as small encoded pictures."""
    pictures: Any = traitlets.List().tag(sync=True, echo_update=False)
    """The encoded picture before, and now."""
    words: Any = traitlets.List().tag(sync=True, echo_update=False)
    """One line for each station, such as "dark" or "lit"."""
    picture_level = traitlets.Float(0.0).tag(sync=True, echo_update=False)
    """Brightness of the picture."""
