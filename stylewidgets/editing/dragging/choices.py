"""What settings of a drag that are left open become for one generator, but for what has to be measured; without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ...core.checks import unknown_name

if TYPE_CHECKING:
    from ...generators.protocol import Layer

LR, PUBLISHED_LR = 0.01, 0.002
"""Steps in spreads of w, and in plain numbers of w."""


class Sized(Protocol):
    """What is read of a session, be it here or on another machine."""

    @property
    def num_ws(self) -> int:
        """Rows of w+."""

    @property
    def layers(self) -> Sequence[Layer]:
        """From the input to the picture."""


class Choices(NamedTuple):
    """What a drag goes by.

    Attributes:
        layer: whose features are followed.
        rows: of w+ that move, from the first.
        motion_radius, track_radius: r₁ and r₂, pixels of the picture.
        lr: step size, in spreads of w along its axes, or in plain numbers of w.
        plain: whether in plain numbers.
    """

    layer: str
    rows: int
    motion_radius: int
    track_radius: int
    lr: float
    plain: bool


def choices(session: Sized, settings: Mapping[str, Any], side: int) -> Choices:
    """What a drag on a picture of this longer side goes by.

    Args:
        settings: all of `settings.SETTINGS`, checked.

    Raises:
        ValueError: there is no such layer.
    """
    layer, rows = _layer(session, settings["layer"], side)
    plain = bool(settings["published"] or settings["unit"] == "w")
    return Choices(
        layer,
        min(settings["rows"] or rows, session.num_ws),
        settings["motion_radius"] or max(3, round(side * 3 / 32)),
        settings["track_radius"] or max(6, round(side * 12 / 512)),
        settings["lr"] or (PUBLISHED_LR if plain else LR),
        plain,
    )


def _layer(session: Sized, name: str, side: int) -> tuple[str, int]:
    """The layer whose features are followed, and how many rows of w+ they depend on.

    Raises:
        ValueError: there is no such layer, or nothing to be seen after it.
    """
    layers = session.layers
    if not name:
        # The rim of StyleGAN3 counts among the pixels of a layer.
        largest = max(min(side // 4, 128), layers[0].resolution)
        name = [layer.name for layer in layers if layer.kind != "torgb" and layer.resolution <= largest][-1]
    names = [layer.name for layer in layers]
    if name not in names:
        raise unknown_name("layer", name, names)
    k = names.index(name)
    # Colours are no part of the features, but for a layer that is one itself.
    return name, 1 + max(layer.ws_index for layer in (*(x for x in layers[:k] if x.kind != "torgb"), layers[k]))
