"""What the panels of the probe see of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ...latent.latent import Direction, Latent
from ...stylespace import Channel
from ..kit.host import Files, Host

if TYPE_CHECKING:
    import ipywidgets as widgets

    from ..kit.live_picture import LivePicture
    from ..kit.views.channel_map import ChannelMap
    from ..style_mix_grid.grid import StyleMixGrid
    from .search import ProbeSearch


class ProbeHost(Host[Latent], Files, Protocol):
    """A latent, a selected channel, and the search that knows numbers of all channels."""

    grid: StyleMixGrid | None

    @property
    def view(self) -> ChannelMap:
        """The map on the page: its `error` and `status`."""

    @property
    def selected(self) -> Channel | None: ...
    @property
    def picture(self) -> LivePicture: ...
    @property
    def search(self) -> ProbeSearch: ...
    def select(self, channel: Channel | str | None) -> None: ...
    def move_selected(self, sigmas: float) -> None: ...
    def refresh(self) -> None: ...
    def randomize(self) -> None: ...
    def save_direction(self, name: str, path: str | None = None) -> Direction: ...
    def send(self, target: widgets.Widget | None = None) -> object: ...
    def save_figure(self, path: str) -> object: ...
