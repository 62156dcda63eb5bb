"""Scripts and styles of the views, put together from parts without a build step."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent


def script(*names: str) -> str:
    """One module of these files; the last one exports, and uses what the others and ``dom.js`` define.

    Text and not a path: of a path anywidget watches the file for as long as the process lives.
    """
    return _joined("dom.js", *names)


def style(*names: str) -> str:
    """The tokens, what all views share, and these files."""
    return _joined("theme.css", "view.css", *names)


def sheet(*names: str) -> str:
    """The same with icons and the looks of everything in parts.py: for the one or two views that each widget has."""
    return style("icons.css", "parts.css", *names)


def _joined(*names: str) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)
