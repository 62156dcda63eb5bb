"""Flow: the machine of `FlowEdit`, one for each generator's w."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ...jobs import Job
from ...latent.flow import CORRECTIONS, FlowEdit
from ...latent.latent import Code, Latent
from ...session.session import GeneratorSession
from ..of_w import MachineOfW
from ..protocol import register
from . import file, fitting
from .core import FlowCore


@register
class Flow(MachineOfW[FlowCore, FlowEdit]):
    """Edits attributes by a conditional normalising flow (StyleFlow, Abdal et al., ACM TOG 2021).

    Values are absolute, in each attribute's unit: ``flow.edit(latent, smile=1.0, yaw=20)``. Args: see `MachineOfW`. `load`
    reads published files, too.
    """

    kind, panel, edits = "flow", "Attributes", FlowEdit
    _rounded, _read = staticmethod(file.rounded), staticmethod(file.read)
    _write, _header = staticmethod(file.write), staticmethod(file.header)

    @staticmethod
    def _fitted(session: GeneratorSession, **settings: Any) -> Job[tuple[FlowCore, dict[str, Any]]]:
        return fitting.fit(session, **settings)

    def __repr__(self) -> str:
        return f"Flow({self.about.get('name', '')!r}, {len(self.core.attributes.shown)} attributes, {self.weights})"

    def fits(self, session: GeneratorSession) -> str | None:
        """Why it cannot work with a generator, or None."""
        width = self.core.network.width
        if session.w_dim != width:
            return f"this flow is of w with {width} numbers; this generator's has {session.w_dim}"
        return super().fits(session)

    def attributes(self, latent: Latent) -> dict[str, float]:
        """What a latent has now; see `read`. A flow of a published file has no reader."""
        return self.read(latent)

    def edit(
        self,
        latent: Latent,
        *,
        strength: float | None = None,
        start: Mapping[str, float] | None = None,
        corrections: int | None = None,
        **wanted: Any,
    ) -> Latent:
        """The latent with attributes at wanted values; a flow's second edit merges into its first.

        Args:
            strength: of the whole edit; None leaves it, 1 at first.
            start: attributes of the code before the edit, by name; None: they are read off it.
            corrections: how often to read what came out and ask for the rest; None leaves it, 2 at first.
            wanted: values in the attribute's unit. A group takes a value for each of its members, ``light=(40, 20)``; None takes
                a wish back.

        Raises:
            ValueError: an unknown attribute, a value out of range, or a code in s.
        """
        latent = self.wish(latent, wanted)
        edit = self.edit_of(latent)
        assert edit is not None
        changed: dict[str, Any] = {"start": start, "corrections": corrections, "strength": strength}
        return latent.with_edit(replace(edit, **{name: v for name, v in changed.items() if v is not None}))

    def wish(self, latent: Latent, wanted: Mapping[str, Any]) -> Latent:
        """`edit`, with the wanted values as a mapping."""
        corrections = CORRECTIONS if self.core.reader is not None else 0
        edit = self.edit_of(latent) or FlowEdit((), self.weights, corrections=corrections)
        return self._wished(latent, edit, self._members(wanted))

    def towards(self, latent: Latent, other: Latent, *names: str, amount: float = 1.0) -> Latent:
        """The latent with attributes taken from another picture, such as its light: L + amount·(L_other − L).

        Args:
            names: attributes or groups; none for all.
            amount: 1 arrives at the other's values.
        """
        here, there = self.attributes(latent), self.attributes(other)
        wanted = {}
        for name in names or self.names:
            for member in self.groups.get(name, (name,)):
                wanted[member] = self.within(member, here[member] + amount * (there[member] - here[member]))
        return self.wish(latent, wanted)

    def sample(self, n: int, seed: int = 0, **wanted: float) -> list[Latent]:
        """New pictures with wanted attributes, as latents with a code in w; what is not asked for is left to chance."""
        random = torch.Generator().manual_seed(seed)
        w = self.core.sample(n, dict(self._members(wanted)), random)
        return [Latent(code=Code("w", row)) for row in w.cpu().numpy()]

    def edited(
        self,
        ws: Tensor,
        wanted: Mapping[str, float],
        strength: float = 1.0,
        start: Mapping[str, float] | None = None,
        corrections: int = CORRECTIONS,
    ) -> Tensor:
        """w+ [R, D] after an edit; see `FlowCore.edited`. It is what a `FlowEdit` asks for."""
        return self.core.edited(ws, wanted, strength, start, corrections)

    # -- inside --------------------------------------------------------------------------------------------------------
    def _members(self, wanted: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Wishes for attributes; those for a group are taken apart."""
        for name, value in wanted.items():
            members = self.groups.get(name)
            if members is None or name in self.names:
                yield name, value
                continue
            values: Sequence[Any] = [None] * len(members) if value is None else value
            if not isinstance(values, (tuple, list)) or len(values) != len(members):
                raise ValueError(f"{name} takes {len(members)} values, for {', '.join(members)}; {value!r} was given")
            yield from zip(members, values, strict=True)
