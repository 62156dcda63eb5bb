"""What this room needs of a text encoder: `text.load` gives one, and anybody's object of this form will do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class Encoder(Protocol):
    """Texts and pictures in one space.

    Attributes:
        name: for display.
        fingerprint: of the weights.
        dim: length of an embedding.
    """

    name: str
    fingerprint: str
    dim: int

    def texts(self, sentences: list[str]) -> Tensor:
        """Sentences → [n, dim], float32, of length 1."""

    def pictures(self, x: Tensor) -> Tensor:
        """Pictures [n, 3, h, w] from −1 to 1, of any size → [n, dim], float32, of length 1; differentiable."""

    def understood(self, sentence: str) -> tuple[str, ...]:
        """What it knows of a sentence; empty for nothing."""
