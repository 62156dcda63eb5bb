"""What all views of ours have in common: Colab, messages from the page, and where failures show."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Protocol
from weakref import WeakValueDictionary

import anywidget
import traitlets

from ..errors import report

_log = logging.getLogger("stylewidgets")

Message = Mapping[str, Any]
"""What a page sends: JSON with a "type"."""
Messages = Mapping[str, Callable[[Message], tuple[object, ...]]]
"""By type: a message → the arguments of its callback. KeyError, TypeError or ValueError for nonsense."""


PAGES = 8
"""Pages whose numbers are remembered: open tabs, and those that were reloaded."""


class Shown(Protocol):
    """A picture whose page answers, by itself or through any other of our views."""

    def acknowledge(self, number: int) -> None:
        """The page has this frame and all before it."""

    def settle(self) -> None:
        """The page wants the best picture of the present state."""


SHOWN: WeakValueDictionary[str, Shown] = WeakValueDictionary()
"""Pictures by the key that they have in the page."""


@lru_cache(maxsize=1)
def enable_colab_widgets() -> bool:
    """Turn on Colab's manager for third-party widgets, once. True when this is Colab.

    Looks in ``sys.modules`` and imports nothing: outside Colab the module does not exist.
    """
    output = sys.modules.get("google.colab.output")
    if output is None:
        return False
    output.enable_custom_widget_manager()
    return True


class View(anywidget.AnyWidget):
    """A view with a script of ours; Colab is told of it. Unknown keyword arguments raise TypeError."""

    def __init__(self, **traits: object) -> None:
        unknown = sorted(traits.keys() - set(self.class_trait_names()))
        if unknown:
            own = sorted(set(self.class_trait_names()) - set(anywidget.AnyWidget.class_trait_names()))
            raise TypeError(f"{type(self).__name__} has no {', '.join(unknown)}; it takes {', '.join(own)}")
        super().__init__(**traits)
        enable_colab_widgets()


class PageView(View):
    """A view whose page sends messages: one of type "pick" calls ``on_pick``, with what `MESSAGES` makes of it.

    A message of any view may carry what pictures wait for: ``acks``, the newest frame that came, by the picture's key, and
    ``settle``, the keys of pictures that are to be drawn in full. So a drag costs one message up for each frame.

    Each callback may be None. An exception in one, or in reading a message, is shown in the view.

    A kernel may answer messages in another order than they were sent (see `order.py`). Those of a type in `IN_ORDER` carry the
    name of their "page" and count up in "number": one that was overtaken is dropped, but what it carries counts.
    """

    MESSAGES: ClassVar[Messages] = {}
    IN_ORDER: ClassVar[tuple[str, ...]] = ()

    status = traitlets.Unicode("").tag(sync=True)
    """Small line below, such as "31 fps · 12 ms · 64 px · cpu"."""
    error = traitlets.Unicode("").tag(sync=True)
    """Message over the picture, with a button to take it away; "" for none."""

    def __init__(self, **traits: object) -> None:
        self._numbers: dict[tuple[str, str], int] = {}  # by page and type, the highest that came
        super().__init__(**traits)
        self.on_msg(self._receive)

    def forget(self) -> None:
        """Call nobody any more."""
        for kind in self.MESSAGES:
            setattr(self, f"on_{kind}", None)

    def _receive(self, _: object, message: Message, buffers: object) -> None:
        kind = str(message.get("type"))
        if kind not in self.MESSAGES:
            _log.debug("message of an unknown type from the page: %r", message)
            return
        try:
            try:
                arguments = self.MESSAGES[kind](message)
                if not self._overtaken(kind, message):
                    self._call(kind, *arguments)
            finally:  # after the newest value is known, so that nothing older is drawn
                _pass_on(message)
        except Exception as error:  # noqa: BLE001  the edge: ipywidgets would only log it
            report(self, error)

    def _overtaken(self, kind: str, message: Message) -> bool:
        """Whether a newer message of the same type and page was here before; one without a number is taken as it comes."""
        if kind not in self.IN_ORDER or "number" not in message:
            return False
        page, number = (str(message.get("page")), kind), int(message["number"])
        if number <= self._numbers.get(page, -1):
            return True
        self._numbers[page] = number
        while len(self._numbers) > PAGES:
            del self._numbers[next(iter(self._numbers))]
        return False

    def _call(self, kind: str, *arguments: object) -> None:
        """Call the callback for messages of a type, where there is one."""
        callback = getattr(self, f"on_{kind}")
        if callback is not None:
            callback(*arguments)


def _pass_on(message: Message) -> None:
    for key, number in message.get("acks", {}).items():
        if (picture := SHOWN.get(key)) is not None:
            picture.acknowledge(int(number))
    for key in message.get("settle", ()):
        if (picture := SHOWN.get(key)) is not None:
            picture.settle()
