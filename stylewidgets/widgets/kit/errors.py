"""What happens to a failure inside a callback: Jupyter drops it silently, we show it where the user looks.

The text goes to the view's ``error`` trait (a strip with role="alert" over the picture), the full traceback to the
logger ``stylewidgets``. The last good frame, and whatever state the callback had not yet replaced, stay.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

_log = logging.getLogger("stylewidgets")

_LONGEST = 600
"""Characters of an error message that are shown; the log has the rest."""


class ShowsErrors(Protocol):
    """Anything with a writable text ``error``."""

    error: str


def describe(error: BaseException) -> str:
    """Return the text shown for ``error``: its message, led by the type's name unless the message is for people.

    Our own errors are ValueError, TypeError and the like and say what to do, so their type adds nothing.
    """
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if isinstance(error, ModuleNotFoundError) and error.name == "torch":
        return "this works with torch, which stylewidgets-client does without: pip install stylewidgets"
    text = text.strip()
    if not text or not isinstance(error, (ValueError, TypeError)):
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def report(view: ShowsErrors, error: BaseException, doing: str = "") -> None:
    """Show ``error`` in ``view`` and log it, with the traceback unless it is a ValueError: those answer what was typed.

    ``doing`` says in a few words what was being done ("rendering seed 7"); it leads the text. Fits
    ``Pump(on_error=lambda error, value: report(view, error))``.
    """
    if isinstance(error, ValueError):
        _log.warning("%s: %s", doing or "refused", describe(error))
    else:
        _log.error("%s failed", doing or "a callback", exc_info=error)
    text = describe(error)
    view.error = f"{doing}: {text}" if doing else text


@contextmanager
def reporting(view: ShowsErrors, doing: str = "", keep: bool = False) -> Iterator[None]:
    """Run a block of a callback; an exception is shown in ``view`` instead of being raised.

    An older message is taken away when the block starts, not when it ends, so that a failure which somebody deeper
    down reports during the block is still there afterwards; with ``keep`` it stays until another one comes.
    KeyboardInterrupt and SystemExit pass through.
    """
    if view.error and not keep:
        view.error = ""
    try:
        yield
    except Exception as error:  # the edge: nothing above us would show it
        report(view, error, doing)
