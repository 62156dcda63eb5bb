"""Synthesis that starts where something changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .._devices import block_dtype
from .._synthesis import block_resolution, last_block, versions
from ..generators import State

Noise = str | Sequence[Tensor | None]


class SynthesisCache:
    """Keeps what passes between the blocks, and runs again only from the first block whose styles or noise changed.

    Gives the bits of a full run: the same steps on the same inputs. Changes of parameters are noticed unless they are
    made through ``parameter.data``. Not locked: hold the session's lock.
    """

    def __init__(self, generator: Any) -> None:
        self._generator = generator
        self._states: list[State] = []
        self._styles: list[Tensor] = []  # of each kept block, flat and on the CPU: one transfer to compare them all
        self._noise: list[Any] = []
        self._setting: Any = None

    def run(
        self,
        styles: Sequence[Tensor],
        noise: Noise = "const",
        max_resolution: int | None = None,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        """The picture [N, C, h, w] for these styles, outside of autograd.

        Args:
            styles: one [N, C_l] per layer.
            noise: "const", "none", "random" (fresh at each call, so nothing is kept), or a tensor per convolution.
            max_resolution: stop after the last block of at most so many pixels, where blocks have pictures.
            dtype: half precision for the features of larger blocks, None for float32.
        """
        generator = self._generator
        with torch.inference_mode():
            setting = (dtype, versions(generator.synthesis), getattr(generator, "transform", None))
            if setting != self._setting or noise == "random":
                self.clear()
                self._setting = setting
            each = generator.block_noise(noise)
            last = last_block(generator, max_resolution)
            slices = [generator.block_layers(i) for i in range(generator.num_blocks)]
            new = self._flat(styles, slices)
            self._forget(self._first_change(new, each))
            for i in range(len(self._states), last + 1):
                state = self._states[-1] if self._states else None
                kind = block_dtype(block_resolution(generator, i), dtype)
                made = generator.step(i, state, styles[slices[i]], each[i], kind)
                if i == generator.num_blocks - 1:  # nothing follows that needs the features, the largest of all
                    made = State(made.x[:0, :0].clone(), generator.image(made))
                self._states.append(made)
                self._styles.append(new[i])
                self._noise.append(_kept(each[i]))
            picture: Tensor = generator.image(self._states[last])
            return picture

    @property
    def bytes(self) -> int:
        """Memory of the kept activations."""
        tensors = [t for state in self._states for t in state if t is not None]
        return sum(t.numel() * t.element_size() for t in tensors)

    @property
    def blocks(self) -> int:
        """Blocks whose result is kept."""
        return len(self._states)

    def clear(self) -> None:
        """Forget everything; the next run is a full one."""
        self._forget(0)

    def _forget(self, first: int) -> None:
        del self._states[first:], self._styles[first:], self._noise[first:]

    def _first_change(self, styles: list[Tensor], noise: Sequence[Any]) -> int:
        """Index of the first kept block that has other inputs now."""
        for i in range(len(self._states)):
            if not torch.equal(self._styles[i], styles[i]) or not _same(self._noise[i], noise[i]):
                return i
        return len(self._states)

    @staticmethod
    def _flat(styles: Sequence[Tensor], slices: Sequence[slice]) -> list[Tensor]:
        blocks = [torch.cat(list(styles[part]), dim=1) for part in slices]
        together = torch.cat(blocks, dim=1).cpu()
        return list(torch.split(together, [block.shape[1] for block in blocks], dim=1))


def _kept(noise: Any) -> Any:
    """What to compare the next noise with: tensors with their version, so that a change in place is noticed."""
    return noise if isinstance(noise, str) else [(t, None if t is None else _version(t)) for t in noise]


def _version(tensor: Tensor) -> int:
    return -1 if tensor.is_inference() else tensor._version


def _same(kept: Any, noise: Any) -> bool:
    if isinstance(kept, str) or isinstance(noise, str):
        return isinstance(noise, str) and kept == noise
    return len(kept) == len(noise) and all(
        (x is y and (y is None or version == _version(y) >= 0))
        or (x is not None and y is not None and x is not y and version == _version(x) and torch.equal(x, y))
        for (x, version), y in zip(kept, noise, strict=True)
    )
