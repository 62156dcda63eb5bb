"""The notebook extension: makes live pictures arrive without the network's collecting pause. One file, one effect.

What it does: when a page opens its websocket to a kernel, it sets ``TCP_NODELAY`` on that connection. Without it the
operating system holds small messages back until the browser has confirmed the previous one (Nagle's algorithm), about
40 ms for each step of a slider that is being dragged. Nothing else about the server changes.

Installing the package enables it (``jupyter server extension list`` shows it). To switch it off, put into
``jupyter_server_config.py``::

    c.StyleWidgetsExtension.nodelay = False

or start the server with ``--StyleWidgetsExtension.nodelay=False``, or set the environment variable
``STYLEWIDGETS_NODELAY=0``. It works in the server's environment, which need not be the kernel's.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from traitlets import Bool
from traitlets.config import Configurable

from .core.environ import switch

_MARK = "_stylewidgets_nodelay"


class StyleWidgetsExtension(Configurable):  # type: ignore[misc,unused-ignore]
    """Settings of the extension."""

    nodelay = Bool(True, help="Set TCP_NODELAY on the websockets between pages and kernels.").tag(config=True)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "stylewidgets.server_extension"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Called by Jupyter Server when it starts. Never raises: a notebook without the speed-up beats no notebook."""
    try:
        wanted = StyleWidgetsExtension(parent=server).nodelay
        if not wanted or not switch("STYLEWIDGETS_NODELAY"):
            server.log.info("stylewidgets: TCP_NODELAY is left alone, as configured")
            return
        from jupyter_server.services.kernels.websocket import KernelWebsocketHandler

        enable(KernelWebsocketHandler, server.log)
        server.log.info("stylewidgets: TCP_NODELAY is set on kernel websockets")
    except Exception as error:  # noqa: BLE001  whatever a future server has changed, it must start
        server.log.warning("stylewidgets: TCP_NODELAY could not be set up, live pictures will be slower: %r", error)


def enable(handler: type, log: logging.Logger) -> None:
    """Wrap ``handler.open``, plain or async, so that each opened connection gets TCP_NODELAY. Once per class."""
    original: Callable[..., Any] = handler.open  # type: ignore[attr-defined]
    if getattr(original, _MARK, False):
        return

    @functools.wraps(original)
    def open_without_delay(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            self.set_nodelay(True)
        except Exception as error:  # noqa: BLE001  the connection matters more than its speed
            log.warning("stylewidgets: TCP_NODELAY was not set on a kernel websocket: %r", error)
        else:
            log.debug("stylewidgets: TCP_NODELAY set on a kernel websocket")
        return original(self, *args, **kwargs)

    setattr(open_without_delay, _MARK, True)
    handler.open = open_without_delay  # type: ignore[attr-defined]
