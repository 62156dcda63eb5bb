"""A table on the page that is sorted by a click on a heading and chosen from by a click on a row."""

from __future__ import annotations

from typing import Any

import traitlets

from .esm import script, style
from .page import View


class RunTable(View):
    """Rows of text and numbers under headings."""

    _esm = script("run_table.js")
    _css = style("run_table.css")

    columns: Any = traitlets.List().tag(sync=True)
    """[heading, what it means] of each column."""
    rows: Any = traitlets.List().tag(sync=True)
    """Lists of text, numbers and None, in the order of the runs."""
    chosen = traitlets.Int(-1).tag(sync=True)
    """Number of the chosen row, however they are sorted."""
    label = traitlets.Unicode("Runs").tag(sync=True)
