"""The page's half of `Rows`.

Messages (JSON)::

    browser -> kernel   {"type": "set", "page", "number", "key", "value", "rest", "acks"}   the newest value of a row
                        {"type": "layers", "key", "layers"}   {"type": "rename", "key", "name"}   {"type": "remove", "key"}
    kernel -> browser   trait rows    what the rows look like, without their values
                        trait state   {"values": by key, "seen": by page and key, the highest number handled}

`state` is always true, so a page that is reloaded in the middle of a drag starts from the present values. It is sent when
something other than a hand moves a row, and when a hand lets go (`rest`): with each frame of a drag it would be one more
message to no use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple

import traitlets

from .esm import script, style
from .page import PAGES, Message, Messages, PageView

Range = tuple[int, int]
"""[first, last) rows of w+, as in Python's slices."""


class Set(NamedTuple):
    """A row was moved: by which page, as its how-manieth request, where to, and whether the hand has let go."""

    page: str
    number: int
    key: str
    value: float
    rest: bool


def _set(message: Message) -> tuple[Set]:
    value = float(message["value"])
    if value != value or abs(value) == float("inf"):
        raise ValueError(f"a slider stands at a finite number; {value} came")
    page, number, rest = str(message["page"]), int(message["number"]), bool(message.get("rest"))
    return (Set(page, number, str(message["key"]), value, rest),)


def _layers(message: Message) -> tuple[str, Range | None]:
    layers = message["layers"]
    return str(message["key"]), None if layers is None else (int(layers[0]), int(layers[1]))


class RowsView(PageView):
    """Rows of sliders. Callbacks: `on_set`, `on_layers`, `on_rename`, `on_remove`; see `Rows`."""

    _esm = script("live.js", "requests.js", "row.js", "rows.js")
    _css = style("rows.css")
    MESSAGES: ClassVar[Messages] = {
        "set": _set,
        "layers": _layers,
        "rename": lambda message: (str(message["key"]), str(message["name"])),
        "remove": lambda message: (str(message["key"]),),
    }
    on_set: Callable[[Set], None] | None = None
    on_layers: Callable[[str, Range | None], None] | None = None
    on_rename: Callable[[str, str], None] | None = None
    on_remove: Callable[[str], None] | None = None

    rows: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    """What the rows look like, in order: the fields of `Row` but its value."""
    state: traitlets.Dict[str, Any] = traitlets.Dict({"values": {}, "seen": {}}).tag(sync=True)
    """Where they stand."""
    label = traitlets.Unicode("").tag(sync=True)
    """What the rows are, for screen readers."""
    empty = traitlets.Unicode("").tag(sync=True)
    """What is said while there is no row."""

    mark = traitlets.Unicode("").tag(sync=True)
    """A class of each row in the page, for scripts and style sheets."""

    def __init__(self, **traits: object) -> None:
        self._held = False
        self._seen: dict[str, dict[str, int]] = {}  # by page and key, the highest number that was handled
        super().__init__(**traits)

    def show(self, rows: list[dict[str, Any]], values: Mapping[str, float]) -> None:
        """Bring the page to these rows and values."""
        if rows != self.rows:
            self.rows = rows
        if values != self.state["values"]:
            self.state = {**self.state, "values": dict(values)}

    def note(self, key: str, value: float) -> None:
        """Keep the value of one row."""
        self.state = {**self.state, "values": {**self.state["values"], key: value}}

    def is_newest(self, wish: Set) -> bool:
        """Whether no later request of the same page for the same row was handled; it is, from now on."""
        numbers = self._seen.setdefault(wish.page, {})
        if wish.number <= numbers.get(wish.key, -1):
            return False
        numbers[wish.key] = wish.number
        while len(self._seen) > PAGES:
            del self._seen[next(iter(self._seen))]
        self.state = {**self.state, "seen": {page: dict(seen) for page, seen in self._seen.items()}}
        return True

    @contextmanager
    def holding(self, wish: Set) -> Iterator[None]:
        """Within this block nothing is sent to the page that holds the row; when it lets go, all pages get the state."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if wish.rest:
            self.send_state("state")

    def _should_send_property(self, key: str, value: object) -> bool:
        if key == "state" and self._held:
            return False
        return bool(super()._should_send_property(key, value))
