"""Attributes that a flow works with: their units, ranges, and the numbers that networks see in their place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...core.checks import check_finite, unknown_name

SURE = 0.01
"""Chances are from here to 1 less this: the log-odds of a certainty are infinite."""
ODDS = float(np.log((1 - SURE) / SURE))
WIDER = 0.1
"""How far beyond the range of the pictures read, in its width, a number may be asked for where no range is known."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Attribute:
    """One attribute. Values are natural ones: numbers in the unit, or the chance of a category from 0 to 1.

    Attributes:
        name: identifier, such as "yaw".
        unit: in words; "" for a plain number, "chance" for a category.
        low, high: of what may be asked for.
        mean, deviation: over the generator's pictures, of the number or of the log-odds of the chance; what networks see is
            standardised with them.
        group: what several attributes together are, such as "light"; its own name where it is alone.
        held: it is only kept as it is while others change, and cannot be asked for.
    """

    name: str
    unit: str = ""
    low: float = 0.0
    high: float = 1.0
    mean: float = 0.0
    deviation: float = 1.0
    group: str = ""
    held: bool = False

    @property
    def chance(self) -> bool:
        """Whether it is the chance of a category."""
        return self.unit == "chance"

    def check(self, value: object) -> float:
        """A value that may be asked for, chances kept from certainty. ValueError with the range otherwise."""
        number = check_finite(self.name, value)
        if not self.low <= number <= self.high:
            unit = f" ({self.unit})" if self.unit else ""
            raise ValueError(f"{self.name} is from {self.low:g} to {self.high:g}{unit}; {number:g} was given")
        return min(max(number, SURE), 1 - SURE) if self.chance else number


class Attributes(Sequence[Attribute]):
    """The attributes of one flow in order, and their values [..., A] as networks see them.

    Args:
        entries: names differ.
    """

    def __init__(self, entries: Sequence[Attribute]) -> None:
        self._entries = tuple(entries)
        self.names = tuple(entry.name for entry in entries)
        if not entries or len(set(self.names)) != len(self.names):
            raise ValueError(
                f"attributes have names that differ, one at least; {', '.join(self.names) or 'none'} were given"
            )
        self._numbers = torch.tensor(
            [[e.mean, e.deviation, e.chance] for e in entries], dtype=torch.float32, device="cpu"
        ).T

    def __getitem__(self, index: Any) -> Any:
        return self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def shown(self) -> tuple[Attribute, ...]:
        """Those that can be asked for."""
        return tuple(entry for entry in self._entries if not entry.held)

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Names of the shown members of each group with several."""
        found: dict[str, list[str]] = {}
        for entry in self.shown:
            found.setdefault(entry.group or entry.name, []).append(entry.name)
        return {group: tuple(members) for group, members in found.items() if len(members) > 1}

    def find(self, name: str) -> Attribute:
        """A shown one by name. ValueError with the nearest name."""
        for entry in self.shown:
            if entry.name == name:
                return entry
        raise unknown_name("attribute", name, [entry.name for entry in self.shown])

    def check(self, wanted: Mapping[str, object]) -> dict[str, float]:
        """Wanted values, each a number within its range, in the order given."""
        return {name: self.find(name).check(value) for name, value in wanted.items()}

    def seen(self, values: Tensor) -> Tensor:
        """Natural values [..., A] → what networks see."""
        mean, deviation, chance = self._numbers.to(values.device)
        odds = torch.logit(values.clamp(1e-6, 1 - 1e-6))
        found: Tensor = (torch.where(chance > 0, odds, values) - mean) / deviation
        return found

    def natural(self, seen: Tensor) -> Tensor:
        """The inverse of `seen`."""
        mean, deviation, chance = self._numbers.to(seen.device)
        plain = seen * deviation + mean
        return torch.where(chance > 0, torch.sigmoid(plain), plain)

    def describe(self) -> list[dict[str, Any]]:
        """Plain JSON values."""
        return [asdict(entry) for entry in self._entries]

    @classmethod
    def build(cls, data: object) -> Attributes:
        """The inverse of `describe`. ValueError for anything else."""
        known = {field.name for field in fields(Attribute)}
        if not isinstance(data, list) or not all(isinstance(entry, dict) and set(entry) <= known for entry in data):
            raise ValueError("its attributes are damaged")
        return cls([Attribute(**entry) for entry in data])


def of_readings(
    names: Sequence[str],
    readings: Floats,
    *,
    units: Sequence[str] = (),
    chances: Collection[str] = (),
    shown: Sequence[str] | None = None,
    limits: Mapping[str, tuple[float, float]] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Attributes, Floats]:
    """Attributes from the readings [N, A] of a population, and what networks see of these [N, A].

    Args:
        names: one a column.
        units: of the columns; () where nothing is said.
        chances: names of columns that are the log-odds of a category.
        shown: names of those that can be asked for, which come first; None for all. The others are held.
        limits: lowest and highest value of numbers, by name; else those of the population, a little widened.
        groups: names of members by group.

    Raises:
        ValueError: a name in `shown` that there is not, or no column that varies.
    """
    group_of = {member: group for group, members in (groups or {}).items() for member in members}
    order = list(range(len(names)))
    if shown is not None:
        for name in shown:
            if name not in names:
                raise unknown_name("reading", name, names)
        order.sort(key=lambda i: shown.index(names[i]) if names[i] in shown else len(shown))
    entries, columns = [], []
    for i in order:
        name, column = str(names[i]), readings[:, i].astype(np.float64)
        chance = name in chances
        column = np.clip(column, -ODDS, ODDS) if chance else column
        mean, deviation = float(column.mean()), float(column.std())
        if deviation < 1e-6:
            continue  # it never changes: nothing to learn
        low, high = (0.0, 1.0) if chance else (limits or {}).get(name) or _range(column)
        unit = "chance" if chance else str(units[i]) if units else ""
        held = shown is not None and name not in shown
        entries.append(Attribute(name, unit, low, high, mean, deviation, group_of.get(name, ""), held))
        columns.append((column - mean) / deviation)
    if not entries:
        raise ValueError("none of these readings changes from picture to picture: there is nothing to learn")
    return Attributes(entries), np.stack(columns, axis=1).astype(np.float32)


def _range(column: NDArray[np.float64]) -> tuple[float, float]:
    """From the lowest to the highest value that is no exception, a little widened, to about three digits."""
    low, high = np.quantile(column, (0.005, 0.995))
    width = max(high - low, 1e-9)
    places = int(max(0, 2 - np.floor(np.log10(width))))
    return round(float(low - WIDER * width), places), round(float(high + WIDER * width), places)
