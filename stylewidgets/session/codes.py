"""How a latent becomes w+ and styles: z, its edits, the mapping network, blend, truncation, edits in w, styles, edits in s."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import ref

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.checks import check_finite
from ..latent.latent import Code, Latent
from ..latent.view import between
from .checks import check_latent
from .synthesis import versions

if TYPE_CHECKING:
    from ..generators.protocol import Generator, Layer
    from ..latent.checks import Extra
    from ..latent.edits import Edit
    from .session import GeneratorSession

_KEPT_SEEDS = 256


class Codes:
    """Maps latents with a session's generator. It also is the door through which edits reach what they need of the session.

    Args:
        session: that has this object. It may get another generator, or another lock when the process forks.
    """

    def __init__(self, session: GeneratorSession) -> None:
        self._owner = ref(session)  # together they would wait for the garbage collector
        self._seeds: OrderedDict[tuple[int, object], Tensor] = OrderedDict()
        self._seeds_of: object = None

    @property
    def session(self) -> GeneratorSession:
        """The session, which lives as long as anybody asks it for something."""
        session = self._owner()
        assert session is not None
        return session

    @property
    def generator(self) -> Generator:
        """The session's."""
        generator: Generator = self.session.generator
        return generator

    # -- what a session offers -----------------------------------------------------------------------------------------
    def map(self, latent: Latent) -> Tensor:
        """See `GeneratorSession.map`."""
        check_latent(self.generator, latent)
        if latent.code is not None and latent.code.space == "s":
            raise ValueError("a code in s has no w; use session.code_styles(latent)")
        with self._quiet():
            ws = self.generator.truncate(self._source(latent), latent.psi, latent.cutoff, self._label(latent))
            return self._edited("w", ws, latent)

    def code_styles(self, latent: Latent) -> list[Tensor]:
        """See `GeneratorSession.code_styles`."""
        check_latent(self.generator, latent)
        with self._quiet():
            if latent.code is not None and latent.code.space == "s":
                styles = self._styles_of_code(latent, latent.code)
            else:
                styles = list(self.generator.styles(self.map(latent)))
            if not _acting("s", latent):
                return styles
            return self._split(self._edited("s", torch.cat(styles, dim=1), latent))

    def interpolate(self, a: Latent, b: Latent, t: float) -> Latent:
        """See `GeneratorSession.interpolate`."""
        t = check_finite("t", t)
        if t in (0.0, 1.0):
            return check_latent(self.generator, a if t == 0.0 else b)
        near = a if t < 0.5 else b
        if a.in_s or b.in_s:
            left, right = (self.flat_styles(latent)[0] for latent in (a, b))
        else:
            left, right = self.map(a)[0], self.map(b)[0]
        code = Code("s" if left.ndim == 1 else "w+", torch.lerp(left, right, t).cpu().numpy())
        return near.replace(
            code=code,
            psi=1.0,
            cutoff=None,
            edits=(),
            view=between(a.view, b.view, t),
            extra=_between(a.extra, b.extra, t),
            history=(),
        )

    # -- what an edit is lent: `latent.edits.Door` ---------------------------------------------------------------------
    @property
    def z_dim(self) -> int:
        """Length of z."""
        return self.generator.z_dim

    @property
    def w_dim(self) -> int:
        """Length of w."""
        return self.generator.w_dim

    @property
    def num_ws(self) -> int:
        """Rows of w+."""
        return self.generator.num_ws

    @property
    def layers(self) -> Sequence[Layer]:
        """The style layers in StyleSpace order."""
        return self.generator.layers

    def tensor(self, array: NDArray[np.generic]) -> Tensor:
        """An array as float32 on the device."""
        return torch.tensor(array, dtype=torch.float32, device=self.session.device)

    def flat_styles(self, latent: Latent) -> Tensor:
        """All styles of a latent, [1, sum of channels]."""
        return torch.cat(self.code_styles(latent), dim=1)

    def editor(self, kind: str, weights: str) -> object:
        """See `Editors.get`."""
        return self.session.editors.get(kind, weights)

    # -- z and w -------------------------------------------------------------------------------------------------------
    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Locked, without gradients, yet giving tensors that gradients may pass through later."""
        with self.session.lock, torch.inference_mode(False), torch.no_grad():
            yield

    def _source(self, latent: Latent) -> Tensor:
        """w+ before truncation, [1, num_ws, w_dim]."""
        if latent.code is not None:
            rows = self.tensor(latent.code.array)
            if latent.code.space == "z":
                return self._mapped(self._edited("z", rows[None], latent), latent)
            return rows.expand(1, self.num_ws, -1).clone()
        if latent.blend:
            return torch.stack([self._seed(seed, latent) * weight for seed, weight in latent.blend]).sum(dim=0)
        assert latent.seed is not None
        return self._seed(latent.seed, latent)

    def _seed(self, seed: int, latent: Latent) -> Tensor:
        """w+ of one seed, kept for the next time: dragging an edit in w or s does not run the mapping network."""
        if _acting("z", latent):
            return self._mapped(self._edited("z", self._drawn(seed), latent), latent)
        mapping: torch.nn.Module = getattr(self.generator, "mapping")  # noqa: B009  every family's, if not the protocol's
        current = versions(mapping)
        if current != self._seeds_of:
            self._seeds.clear()
            self._seeds_of = current
        key = (seed, latent.label)
        if key not in self._seeds:
            self._seeds[key] = self._mapped(self._drawn(seed), latent)
            if len(self._seeds) > _KEPT_SEEDS:
                self._seeds.popitem(last=False)
        self._seeds.move_to_end(key)
        return self._seeds[key].clone()

    def _drawn(self, seed: int) -> Tensor:
        """z of a seed."""
        return self.tensor(np.random.RandomState(seed).randn(1, self.z_dim))

    def _mapped(self, z: Tensor, latent: Latent) -> Tensor:
        return self.generator.map(z, self._label(latent))

    def _label(self, latent: Latent) -> Tensor | None:
        """c [1, c_dim]: the vector, or 1 at the class."""
        if latent.label is None:
            return None
        if isinstance(latent.label, tuple):
            return self.tensor(np.array([latent.label]))
        c = torch.zeros(1, self.generator.c_dim, dtype=torch.float32, device=self.session.device)
        c[0, latent.label] = 1
        return c

    # -- edits ---------------------------------------------------------------------------------------------------------
    def _edited(self, stage: str, value: Tensor, latent: Latent) -> Tensor:
        """A code after the edits of one stage."""
        for edit in _acting(stage, latent):
            made = edit.apply(self, value, latent)
            if not isinstance(made, Tensor) or made.shape != value.shape:
                came = list(made.shape) if isinstance(made, Tensor) else type(made).__name__
                raise ValueError(
                    f"apply of the edit {edit.name!r} must return a tensor {list(value.shape)}; {came} came"
                )
            value = made if edit.layers is None else torch.where(self._within(edit.layers, stage), made, value)
        return value

    def _within(self, layers: tuple[int, int], stage: str) -> Tensor:
        """Whether an edit on these rows acts there, [num_ws, 1] for w+ or [sum of channels] for styles."""
        first, last = layers
        if stage == "w":
            return torch.tensor(
                [[first <= i < last] for i in range(self.num_ws)], dtype=torch.bool, device=self.session.device
            )
        inside = np.repeat([first <= layer.ws_index < last for layer in self.layers], self._channels())
        return torch.tensor(inside, dtype=torch.bool, device=self.session.device)

    def _styles_of_code(self, latent: Latent, code: Code) -> list[Tensor]:
        styles = self._split(self.tensor(code.array)[None])
        moved = _acting("w", latent)
        if latent.psi == 1 and not moved:
            return styles
        centre = self.generator.centre(self._label(latent)).expand(1, self.num_ws, -1)
        mean = self.generator.styles(centre)
        if latent.psi != 1:
            cut = self.num_ws if latent.cutoff is None else latent.cutoff
            styles = [
                m + (s - m) * latent.psi if layer.ws_index < cut else s
                for s, m, layer in zip(styles, mean, self.layers, strict=True)
            ]
        if moved:
            shifted = self.generator.styles(centre + self._edited("w", torch.zeros_like(centre), latent))
            styles = [s + (a - m) for s, a, m in zip(styles, shifted, mean, strict=True)]
        return styles

    def _split(self, flat: Tensor) -> list[Tensor]:
        return list(torch.split(flat, self._channels(), dim=1))

    def _channels(self) -> list[int]:
        return [layer.channels for layer in self.layers]


def _acting(stage: str, latent: Latent) -> list[Edit]:
    return [edit for edit in latent.edits if edit.stage == stage and edit.strength]


def _between(a: Extra, b: Extra, t: float) -> Extra:
    """Vectors that both have in a straight line, all else as in the nearer one."""
    first, second = dict(a), dict(b)
    made = dict(first if t < 0.5 else second)
    for name in first.keys() & second.keys():
        x, y = first[name], second[name]
        if isinstance(x, tuple) and isinstance(y, tuple):
            made[name] = tuple((1 - t) * p + t * q for p, q in zip(x, y, strict=True))
    return tuple(sorted(made.items()))
