"""What a panel sees of the widget that it stands in: as little as it needs, and never its class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar

from ...latent.latent import Direction, Latent
from .errors import ShowsErrors

if TYPE_CHECKING:
    from ...session.session import GeneratorSession
    from .controls.snapshots import SnapshotStrip
    from .live_picture import LivePicture

V = TypeVar("V")


class Host(Protocol[V]):
    """A widget with one value; `StateWidget` is one."""

    @property
    def session(self) -> GeneratorSession:
        """What draws."""

    @property
    def value(self) -> V:
        """The present value, frozen. Change it by `change`."""

    @property
    def view(self) -> ShowsErrors:
        """Where messages appear: its `error`."""

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to go back to."""

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to go forward to."""

    def change(self, source: str, transform: Callable[[V], V]) -> None:
        """Make `transform(value)` the value; see `StateWidget.change`."""

    def undo(self) -> None:
        """Go one step back."""

    def redo(self) -> None:
        """Go one step forward again."""


class Files(Protocol):
    """What can be saved, loaded and written as Python."""

    @property
    def view(self) -> ShowsErrors: ...
    def save(self, path: str) -> object: ...
    def load(self, path: str) -> object: ...
    def code(self) -> str: ...


class PictureHost(Host[Latent], Files, Protocol):
    """A widget around one live picture: what the tools of the explorer see."""

    @property
    def picture(self) -> LivePicture:
        """The live picture: `latent` in sight, `render`, `thumbnail`."""

    @property
    def start(self) -> Latent:
        """What the picture is compared with."""

    @property
    def directions(self) -> Mapping[str, Direction]:
        """Directions that can be added, by name."""

    @property
    def snapshots(self) -> tuple[Latent, ...]:
        """The kept latents."""

    @property
    def strip(self) -> SnapshotStrip:
        """The kept latents as pictures."""

    def add_direction(self, direction: Direction) -> None:
        """Add an edit of strength 0, or raise ValueError when its name is taken."""

    def preview(self, latent: Latent) -> None:
        """Show another picture; the value stays."""

    def snapshot(self) -> None:
        """Keep the present latent."""
