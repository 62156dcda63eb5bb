"""A row of tabs on the page; `kit.tabs.Tabs` puts panels under it."""

from __future__ import annotations

from typing import Any

import traitlets

from .esm import script, sheet
from .page import View


class TabBar(View):
    """Tabs of which one is chosen, by a click or with arrow keys, Home and End; the bar is one stop of the tab key."""

    _esm = script("names.js", "tab_bar.js")
    _css = sheet("tab_bar.css")

    names: Any = traitlets.List().tag(sync=True)
    """What the tabs say."""
    rare: Any = traitlets.List().tag(sync=True)
    """Those that stand behind "more" until they are asked for."""
    selected = traitlets.Unicode("").tag(sync=True)
    label = traitlets.Unicode("Tools").tag(sync=True)
    """What the tabs are, for screen readers."""
