"""What a tool of the explorer is, and which there are."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from ....core.checks import unknown_name
from ...kit.errors import describe

if TYPE_CHECKING:
    import ipywidgets as widgets

    from ....latent.latent import Latent
    from ....session.session import GeneratorSession
    from ...kit.controls.rows import Handle
    from ...kit.host import PictureHost


class Tool:
    """One panel beside the picture. Subclass it, give it a `name` and a `panel`, and `register` it.

    Each explorer makes one object of each class. The hooks below are called with its host, which has session, value,
    `change` and picture; see `stylewidgets.widgets.kit.host.PictureHost`.

    Attributes:
        name: what `LatentExplorer(tools=...)` and `explorer.open` call it.
        title: what its button says; the name unless given.
        rare: whether it stands behind "more", as what is needed now and then does.
        near: whether it works with the generator itself, its features, or with machines of edits: then it is not offered where
            the session is on another machine.
        seeds: whether it is about pictures that grow from seeds and codes. Generators that draw a source do not have it.
        shown: whether its panel is in sight.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    rare: ClassVar[bool] = False
    near: ClassVar[bool] = False
    seeds: ClassVar[bool] = False
    shown = False

    def fits(self, session: GeneratorSession) -> str | None:
        """Why the tool is of no use with this generator, in words; None when it is."""
        return None

    def panel(self, host: PictureHost) -> widgets.Widget:
        """Make the panel: called once, when the tool is opened for the first time."""
        raise NotImplementedError(f"the tool {self.name!r} has no panel")

    def overlay(self, host: PictureHost) -> widgets.Widget | None:
        """A widget that lies on the picture while the tool is open; called once, after `panel`. None for none."""
        return None

    @property
    def handles(self) -> Mapping[str, Handle]:
        """Its sliders by key, for `explorer.controls`; read once the panel is made. Those of `Rows` are `rows.handles`."""
        return MappingProxyType({})

    def update(self, host: PictureHost) -> None:
        """`host.value` is another one. Called once the panel is made, and during drags: be quick."""

    def opened(self, host: PictureHost) -> None:
        """The panel came into sight."""

    def left(self, host: PictureHost) -> None:
        """Another tool was opened."""

    def rested(self, host: PictureHost, latent: Latent) -> None:
        """The picture of a latent has come to rest, while the panel is in sight: time for slow work."""

    def stepped(self, host: PictureHost, old: Latent) -> None:
        """A new step of the history left `old`. Called also before the panel is made."""


_TOOLS: dict[str, type[Tool]] = {}


def register(tool: type[Tool]) -> type[Tool]:
    """Offer a tool in every explorer that is made from now on and that it fits; also as a decorator.

    One of the same name takes the place of the other, so that a cell which defines a tool can run again.

    Raises:
        TypeError: it is not a subclass of `Tool`.
        ValueError: it has no name.
    """
    if not (isinstance(tool, type) and issubclass(tool, Tool)):
        raise TypeError(f"a tool is a subclass of stylewidgets.tools.Tool; {tool!r} was given")
    if not tool.name:
        raise ValueError(f"{tool.__name__} needs a name, such as name = {tool.__name__.lower()!r}")
    _TOOLS[tool.name] = tool
    return tool


def available() -> tuple[str, ...]:
    """The names of all tools."""
    return tuple(_TOOLS)


def _why_not(tool: Tool, session: GeneratorSession) -> str | None:
    """Why a tool does not fit, or None."""
    if tool.near and session.device.type == "remote":
        return f"it works with the generator itself, which is on another machine ({session.device}): use it there"
    if tool.seeds and session.needs_source:
        return "a source decides what is drawn here, and no code that it could change"
    return tool.fits(session)


def _fitting(kind: type[Tool], session: GeneratorSession) -> list[Tool]:
    """One, or none: a tool that fails may be anybody's, and takes no explorer with it."""
    try:
        tool = kind()
        return [tool] if _why_not(tool, session) is None else []
    except Exception as error:  # noqa: BLE001  it is said, and the others go on
        warnings.warn(f"the tool {kind.name!r} is left out: {describe(error)}", RuntimeWarning, stacklevel=4)
        return []


def chosen(session: GeneratorSession, wanted: Iterable[str | type[Tool]] | None) -> list[Tool]:
    """Return tools by name or class, in this order; for None all that fit.

    Raises:
        ValueError: there is no tool of that name, or it does not fit; with the reason.
    """
    if wanted is None:
        return [tool for kind in _TOOLS.values() for tool in _fitting(kind, session)]
    made = []
    for each in [wanted] if isinstance(wanted, str) else wanted:
        if isinstance(each, str) and each not in _TOOLS:
            raise unknown_name("tool of the explorer", each, available())
        tool = _TOOLS[each]() if isinstance(each, str) else each()
        if reason := _why_not(tool, session):
            raise ValueError(f"the tool {tool.name!r} does not fit this generator: {reason}")
        made.append(tool)
    if not made:
        raise ValueError(f"an explorer needs at least one tool; there are {', '.join(available())}")
    return made
