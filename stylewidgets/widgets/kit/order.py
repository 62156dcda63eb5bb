"""Which of a page's messages is the newest, where a kernel does not answer them in the order in which they were sent.

ipykernel 7.4 answers the messages of one control now in the main shell and now in the subshell of the page, by who last
said something to that control (`ipykernel.comm.Comm._reply_subshell_for`). At the first drag it changes over, and what
still waits in the main shell is answered after newer messages: the slider would jump back, and stay there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar

import ipywidgets as widgets
from IPython import get_ipython

T = TypeVar("T")

PATIENCE = timedelta(seconds=60)
"""A message that is older than the newest by more than this was not overtaken: somebody has set the page's clock."""


def page_message() -> Mapping[str, object]:
    """Return the header of the page's message that is being answered, empty while a cell runs or there is no kernel."""
    parent = getattr(getattr(get_ipython(), "kernel", None), "get_parent", None)
    header = (parent() or {}).get("header", {}) if parent is not None else {}
    return header if header.get("msg_type") == "comm_msg" else {}


def newest(widget: widgets.Widget, trait: str, value: T) -> T:
    """Return the newest value that this page has sent for a trait: `value`, which has just arrived, or one that overtook it.

    Pages are told apart, since their clocks may differ. What no page has sent is always the newest.
    """
    header = page_message()
    sent, page = header.get("date"), header.get("session")
    if not isinstance(sent, datetime):
        return value
    heard: dict[object, tuple[datetime, T]] = widget.__dict__.setdefault("_heard", {})
    when, there = heard.get((page, trait), (sent, value))
    if timedelta() < when - sent < PATIENCE:
        return there
    heard[page, trait] = sent, value
    return value
