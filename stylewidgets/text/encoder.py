"""Sentences and pictures in one space: what the bundled encoder and public CLIP networks are to everybody else."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy, deepcopy
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..ops.devices import choose_device


class Pair(Protocol):
    """A network for sentences and one for pictures, which end in the same space.

    Attributes:
        dim: of the space.
        side: pixels of the pictures that it takes; others are resized by it.
    """

    dim: int
    side: int

    def sentences(self, given: Sequence[str]) -> Tensor:
        """[N, dim], of any length."""

    def pictures(self, x: Tensor, prepared: bool = False) -> Tensor:
        """[N, 3, H, W] in [-1, 1] → [N, dim], of any length; differentiable. See `TextEncoder.pictures`."""

    def known(self, sentence: str) -> tuple[str, ...]:
        """The words of a sentence that it knows."""


class TextEncoder:
    """Turns sentences and pictures into vectors, near each other where they fit. `load` makes one.

    Attributes:
        name: as it was loaded by.
        fingerprint: 16 hexadecimal digits of all weights, for tables that were made with them.
        licence: of the weights, in words.
        dim: length of the vectors.
        side: pixels of the pictures that the network takes; any other size is resized.
    """

    def __init__(self, pair: Pair, name: str, fingerprint: str, licence: str) -> None:
        self.pair, self.name, self.fingerprint, self.licence = pair, name, fingerprint, licence
        self.dim, self.side = pair.dim, pair.side
        self._device = torch.device("cpu")

    def __repr__(self) -> str:
        return f"<TextEncoder {self.name!r}: {self.dim} numbers, pictures of {self.side} px, {self.device}>"

    @property
    def device(self) -> torch.device:
        """Where it computes and where its vectors are."""
        return self._device

    def to(self, device: str | torch.device | None) -> TextEncoder:
        """It on a device: itself where it is there, else a copy, for others may use this one. None is CUDA where there is a GPU.

        Raises:
            ValueError: no such device.
        """
        chosen = choose_device(device)
        if chosen == self._device:
            return self
        moved = copy(self)
        moved._device = chosen
        if isinstance(self.pair, nn.Module):
            moved.pair = deepcopy(self.pair).to(chosen)
        return moved

    @torch.no_grad()  # not inference mode: losses are made of these vectors
    def texts(self, sentences: Sequence[str] | str) -> Tensor:
        """Sentences as unit vectors, float32 [N, dim].

        Raises:
            TypeError: something else than sentences.
            ValueError: an empty one, or one that is longer than the network reads.
        """
        given = [sentences] if isinstance(sentences, str) else list(sentences)
        for text in given:
            if not isinstance(text, str):
                raise TypeError(f"sentences are text; {type(text).__name__} was given")
            if not text.strip():
                raise ValueError("an empty sentence was given; say what the picture shows, such as 'a smiling face'")
        if not given:
            return torch.zeros(0, self.dim, dtype=torch.float32, device=self.device)
        return F.normalize(self.pair.sentences(given).float(), dim=1)

    def pictures(self, x: Tensor, prepared: bool = False) -> Tensor:
        """Pictures [N, 3, H, W] in [-1, 1], of any size, as unit vectors, float32 [N, dim]; differentiable.

        Args:
            prepared: they have `side` pixels and go into a CLIP network as they are, neither resized nor normalised: what the
                losses of StyleCLIP do behind `pooled`. It changes nothing for the bundled encoder.

        Raises:
            TypeError, ValueError: no tensor, or one of another shape.
        """
        if not isinstance(x, Tensor):
            raise TypeError(f"pictures are a tensor [N, 3, H, W] in [-1, 1]; {type(x).__name__} was given")
        if x.ndim != 4 or x.shape[1] not in (1, 3):
            raise ValueError(f"pictures are [N, 3, H, W] in [-1, 1]; {list(x.shape)} was given")
        x = x.to(self.device, torch.float32).expand(-1, 3, -1, -1)
        return F.normalize(self.pair.pictures(x, prepared).float(), dim=1)

    def understood(self, sentence: str) -> tuple[str, ...]:
        """The words of a sentence that the encoder knows; () when it holds nothing that it knows."""
        return self.pair.known(sentence)

    def check(self, *sentences: str) -> None:
        """ValueError for a sentence that is empty or holds nothing that the encoder knows."""
        for text in sentences:
            if not isinstance(text, str) or not text.strip():
                raise ValueError("an empty sentence was given; say what the picture shows, such as 'a smiling face'")
            if not self.understood(text):
                raise ValueError(
                    f"{text!r} holds no word that the text encoder {self.name!r} knows. Say what can be seen of a face in "
                    "plain English, such as 'a smiling face with glasses', or load a larger encoder: text.load('ViT-B/32')"
                )


def similarity(a: Tensor, b: Tensor) -> Tensor:
    """Cosines [N, M] of unit vectors [N, dim] and [M, dim]. ValueError for vectors of two encoders."""
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(
            f"vectors of one encoder are needed, [N, dim] and [M, dim]; {list(a.shape)} and {list(b.shape)} were given"
        )
    return a @ b.T


def change(encoder: TextEncoder, neutral: str, target: str, templates: Sequence[str] = ("{}",)) -> Tensor:
    """The way from one sentence to another: a unit vector [dim] (StyleCLIP, section 6: Δt).

    Each sentence is the normalised mean of its unit vectors in all templates.

    Args:
        templates: sentences with a place {} for what is said, such as "a photo of {}.".

    Raises:
        ValueError: an empty sentence, one that holds nothing known, or two that mean the same to the encoder.
    """
    encoder.check(neutral, target)
    ends = [
        F.normalize(encoder.texts([template.replace("{}", text) for template in templates]).mean(0), dim=0)
        for text in (target, neutral)
    ]
    way = ends[0] - ends[1]
    length = float(way.norm())
    if neutral.strip() == target.strip() or length < 1e-4:
        raise ValueError(
            f"{neutral!r} and {target!r} mean the same to the text encoder {encoder.name!r}, so there is no way from one to "
            f"the other. It knows of the second: {', '.join(encoder.understood(target))}"
        )
    return way / length
