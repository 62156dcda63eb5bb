"""What a flow does with codes: reads them, moves their attributes, draws new ones. Tensors only; knows no session."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from ...core.checks import unknown_name
from .attributes import Attributes
from .network import ConditionalFlow
from .reader import CodeReader
from .rows import acting, mixture

Key = tuple[bytes, str]
V = TypeVar("V")

COARSER = 4
"""What is only read, to correct an edit, is decoded in so many times fewer steps; what comes out is decoded in all."""

KEPT = 8
"""Starts, and results, that are remembered."""


class FlowCore(nn.Module):
    """A conditional flow with the attributes it knows, the reader of codes and the rows that attributes act on.

    Args:
        network: the flow, w and attributes ↔ z.
        attributes: what its context means.
        reader: w → attributes; None where there is none, as beside published files: starts must be given then.
        shares: how much of each attribute each row of w+ accounts for, [R, A]; None: all rows alike.
        moments: mean [A] and covariance [A, A] of the attributes as the network sees them, as [1 + A, A].
    """

    def __init__(
        self,
        network: ConditionalFlow,
        attributes: Attributes,
        reader: CodeReader | None = None,
        shares: Tensor | None = None,
        moments: Tensor | None = None,
    ) -> None:
        super().__init__()
        count = len(attributes)
        if network.context != count:
            raise ValueError(f"the flow takes {network.context} attributes; {count} are described")
        self.network, self.attributes, self.reader = network, attributes, reader
        plain = torch.cat(
            [
                torch.zeros((1, count), dtype=torch.float32, device="cpu"),
                torch.eye(count, dtype=torch.float32, device="cpu"),
            ]
        )
        self.register_buffer("moments", plain if moments is None else moments)
        self.register_buffer("shares", shares)
        self.moments: Tensor
        self.shares: Tensor | None
        self._acting = None if shares is None else acting(shares)
        self._mixture = None if shares is None else mixture(shares)
        self._starts: OrderedDict[Key, tuple[Tensor, Tensor]] = OrderedDict()
        self._edits: OrderedDict[Key, Tensor] = OrderedDict()
        self.requires_grad_(False)
        self.eval()

    # -- reading -------------------------------------------------------------------------------------------------------
    def read(self, ws: Tensor) -> Tensor:
        """Attributes [..., A] of w+ [..., R, D], as the network sees them. ValueError where there is no reader."""
        if self.reader is None:
            raise ValueError(
                "this flow has no reader of codes, as published files have none: give the attributes of the start, "
                "flow.edit(latent, start={...}, ...)"
            )
        return self.reader.of_rows(ws, self._of(self._mixture, ws))

    def start(self, ws: Tensor, given: Mapping[str, float] | None = None) -> Tensor:
        """The attributes [A] that an edit starts from: those given, the others read."""
        names = self.attributes.names
        given = given or {}
        for name in given:
            if name not in names:
                raise unknown_name("attribute", name, names)
        if all(name in given for name in names):
            values = torch.tensor([given[name] for name in names], dtype=torch.float32, device=ws.device)
            return self.attributes.seen(values)
        found = self.read(ws)
        known = torch.tensor([given.get(name, 0.0) for name in names], dtype=torch.float32, device=ws.device)
        there = torch.tensor([name in given for name in names], dtype=torch.bool, device=ws.device)
        return torch.where(there, self.attributes.seen(known), found)

    # -- editing -------------------------------------------------------------------------------------------------------
    def edited(
        self,
        ws: Tensor,
        wanted: Mapping[str, float],
        strength: float = 1.0,
        start: Mapping[str, float] | None = None,
        corrections: int = 0,
    ) -> Tensor:
        """w+ [R, D] with attributes at their wanted values, all others as they are.

        Joint reverse encoding: z of each row under the attributes of the start. Conditional forward editing: each row comes
        back from its z under the start's attributes with the changes of those attributes that act on the row. As a row is
        decided by its own changes alone, edits after each other and at once are the same. A correction reads the wanted
        attributes off what came out, and asks for what is missing.

        Args:
            ws: the code, or w [1, D] for all rows.
            wanted: natural values, within the attributes' ranges.
            strength: share of the way from what there is.
            start: attributes of the code, by name; what is not there is read.
            corrections: how often to correct.
        """
        aim = self.attributes.check(wanted)
        # Whoever reads or draws the same picture next asks for the same code.
        key = (_bytes(ws), repr((sorted(aim.items()), strength, sorted((start or {}).items()), corrections)))
        return _kept(self._edits, key, lambda: self._make(ws, aim, strength, start, corrections)).clone()

    def _make(
        self, ws: Tensor, aim: Mapping[str, float], strength: float, start: Mapping[str, float] | None, corrections: int
    ) -> Tensor:
        before, z = self._encoded(ws, start)
        return self._moved(z, before, self._seen(before, aim), strength, corrections)

    def edited_together(self, ws: Tensor, wanted: Sequence[Mapping[str, float]], corrections: int = 0) -> Tensor:
        """`edited` of many codes [N, R, D] at once, each with its own wanted values: the same but for the last digits."""
        before = self.read(ws)
        z = self.network.encode(ws, before[:, None].expand(-1, ws.shape[1], -1))
        aims = [self.attributes.check(aim) for aim in wanted]
        values = torch.stack([self._seen(row, aim) for row, aim in zip(before, aims, strict=True)])
        return self._moved(z, before, values, 1.0, corrections)

    def _moved(self, z: Tensor, before: Tensor, values: Tensor, strength: float, corrections: int) -> Tensor:
        """w+ [..., R, D] of z from attributes [..., A] towards values [..., A], NaN where nothing is wanted."""
        asked = ~values.isnan()
        change = torch.where(asked, (values - before) * strength, 0.0)
        target = before + change
        rows = self._of(self._acting, z)
        for _ in range(corrections if self.reader is not None else 0):
            tried = self._decoded(z, before, change, rows, max(4, self.network.steps // COARSER))
            change = change + torch.where(asked, target - self.read(tried), 0.0)
        return self._decoded(z, before, change, rows, self.network.steps)

    def _decoded(self, z: Tensor, before: Tensor, change: Tensor, rows: Tensor | None, steps: int) -> Tensor:
        moved = change[..., None, :] if rows is None else change[..., None, :] * rows
        return self.network.decode(z, (before[..., None, :] + moved).expand(*z.shape[:-1], -1), steps)

    def _encoded(self, ws: Tensor, start: Mapping[str, float] | None) -> tuple[Tensor, Tensor]:
        """Attributes and z of a code, kept while an edit of it is dragged."""

        def encode() -> tuple[Tensor, Tensor]:
            before = self.start(ws, start)
            return before, self.network.encode(ws, before.expand(len(ws), -1))

        return _kept(self._starts, (_bytes(ws), repr(sorted((start or {}).items()))), encode)

    def _seen(self, before: Tensor, aim: Mapping[str, float]) -> Tensor:
        """Wanted values as the network sees them [A]; NaN for what is not asked for."""
        asked = torch.tensor([name in aim for name in self.attributes.names], dtype=torch.bool, device=before.device)
        return torch.where(asked, self.attributes.seen(self._natural(before, aim)), torch.nan)

    def _natural(self, before: Tensor, aim: Mapping[str, float]) -> Tensor:
        values = self.attributes.natural(before)
        for name, value in aim.items():
            values[self.attributes.names.index(name)] = value
        return values

    @staticmethod
    def _of(table: Tensor | None, ws: Tensor) -> Tensor | None:
        """A table of rows where it is one of this code's rows; machines of w fit generators with other numbers of rows."""
        return table.to(ws.device) if table is not None and len(table) == ws.shape[-2] else None

    # -- drawing new ones ----------------------------------------------------------------------------------------------
    def sample(self, n: int, wanted: Mapping[str, float], random: torch.Generator) -> Tensor:
        """w [n, D] of new pictures with wanted attributes: z ~ N(0, 1), the other attributes as they go with these.

        Those are drawn from the normal distribution of the attributes, given what is wanted.
        """
        aim = self.attributes.check(wanted)
        mean, covariance = self.moments[0].double(), self.moments[1:].double()
        values = self.attributes.seen(self._natural(self.moments[0], aim)).double()
        at = torch.tensor([name in aim for name in self.attributes.names], dtype=torch.bool, device=mean.device)
        drawn = values.expand(n, -1).clone()
        rest = ~at
        if bool(rest.any()):
            slope = torch.linalg.solve(covariance[at][:, at], covariance[at][:, rest])
            middle = mean[rest] + (values[at] - mean[at]) @ slope
            spread = covariance[rest][:, rest] - covariance[rest][:, at] @ slope
            powers, axes = torch.linalg.eigh(spread)
            white = torch.randn((n, len(powers)), generator=random, device="cpu", dtype=torch.float64).to(mean.device)
            drawn[:, rest] = middle + (white * powers.clamp_min(0).sqrt()) @ axes.T
        z = torch.randn((n, self.network.width), generator=random, device="cpu", dtype=torch.float32).to(mean.device)
        return self.network.decode(z, drawn.float())


def _bytes(ws: Tensor) -> bytes:
    return ws.detach().cpu().numpy().tobytes()


def _kept(memory: OrderedDict[Key, V], key: Key, make: Callable[[], V]) -> V:
    if key not in memory:
        memory[key] = make()
        if len(memory) > KEPT:
            memory.popitem(last=False)
    memory.move_to_end(key)
    return memory[key]
