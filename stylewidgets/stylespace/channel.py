"""One coordinate of StyleSpace by its two numbers, and what the modules of this package share about layers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.checks import unknown_name

if TYPE_CHECKING:
    from ..generators.protocol import Layer


class Channel(NamedTuple):
    """One style channel (Wu et al., "StyleSpace Analysis", CVPR 2021).

    Attributes:
        layer: index in `session.layers`, ToRGB layers counted, as in the paper's tables.
        channel: index in that layer's style vector.
    """

    layer: int
    channel: int

    @property
    def paper(self) -> str:
        """The name in the paper's tables, such as "6_501"."""
        return f"{self.layer}_{self.channel}"

    def name(self, layers: Sequence[Layer]) -> str:
        """The name with the layer in words, such as "b16.conv1:37"."""
        return f"{layers[self.layer].name}:{self.channel}"

    def words(self, layers: Sequence[Layer]) -> str:
        """The name for people: "16×16 shape, 37"."""
        return f"{layer_words(layers[self.layer])}, {self.channel}"

    def flat(self, layers: Sequence[Layer]) -> int:
        """Index in the flat s, all layers joined.

        Raises:
            ValueError: there is no such layer or channel.
        """
        if not 0 <= self.layer < len(layers):
            raise ValueError(f"layer {self.layer} was given; this generator has style layers 0 to {len(layers) - 1}")
        if not 0 <= self.channel < layers[self.layer].channels:
            raise ValueError(
                f"channel {self.channel} was given; {layers[self.layer].name} (layer {self.layer}) has "
                f"channels 0 to {layers[self.layer].channels - 1}"
            )
        return sum(layer.channels for layer in layers[: self.layer]) + self.channel

    @classmethod
    def of(cls, flat: int, layers: Sequence[Layer]) -> Channel:
        """The channel at an index of the flat s. ValueError beyond its end."""
        left = flat = int(flat)
        for index, layer in enumerate(layers):
            if 0 <= left < layer.channels:
                return cls(index, left)
            left -= layer.channels
        raise ValueError(
            f"index {flat} was given; s of this generator has {num_channels(layers)} channels, counted from 0"
        )

    @classmethod
    def parse(cls, text: str, layers: Sequence[Layer]) -> Channel:
        """The channel of a text such as "6_501", "6, 501" or "b16.conv1:37". ValueError with what is accepted."""
        text = text.strip().strip("()[]")
        numbers = re.fullmatch(r"(\d+)\s*[_,: ]\s*(\d+)", text)
        if numbers:
            found = cls(int(numbers[1]), int(numbers[2]))
        else:
            named = re.fullmatch(r"(.+):\s*(\d+)", text)
            if not named:
                raise ValueError(f"a channel is written as '6_501' or as '{layers[0].name}:37'; {text!r} was given")
            names = [layer.name for layer in layers]
            if named[1] not in names:
                raise unknown_name("style layer", named[1], names)
            found = cls(names.index(named[1]), int(named[2]))
        found.flat(layers)
        return found


def num_channels(layers: Sequence[Layer]) -> int:
    """Length of the flat s."""
    return sum(layer.channels for layer in layers)


def offsets(layers: Sequence[Layer]) -> NDArray[np.int64]:
    """Where each layer starts in the flat s, and its length at the end: [layers + 1]."""
    return np.concatenate([[0], np.cumsum([layer.channels for layer in layers])])


def is_torgb(layers: Sequence[Layer]) -> NDArray[np.bool_]:
    """Which channels [S] belong to ToRGB layers: they move colour only, and the paper leaves them out of its searches."""
    return np.repeat([layer.kind == "torgb" for layer in layers], [layer.channels for layer in layers])


def layer_of(layers: Sequence[Layer]) -> NDArray[np.int64]:
    """Layer index of each channel, [S]."""
    return np.repeat(np.arange(len(layers)), [layer.channels for layer in layers])


def layer_words(layer: Layer) -> str:
    """What a layer does, by its size and kind: "16×16 shape", and "16×16 colour" for ToRGB."""
    return f"{layer.resolution}×{layer.resolution} {'colour' if layer.kind == 'torgb' else 'shape'}"
