"""What edits with wanted values have in common: they are told by name and merge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..core.checks import check_finite, unknown_name
from .edits import Edit

Values = tuple[tuple[str, float], ...]
"""Numbers by name, as a frozen value keeps them."""

W = TypeVar("W", bound="Wishing")


class Wishing(Edit):
    """Base of frozen edits with the fields `wanted`, absolute values by name, which are their `controls`, and `weights`, the
    hash of the machine that carries them out."""

    if TYPE_CHECKING:

        @property
        def wanted(self) -> Values: ...
        @property
        def weights(self) -> str: ...

    @property
    def label(self) -> str:
        """What is wanted."""
        return f"{self.name}: {', '.join(f'{name} {value:g}' for name, value in self.wanted) or 'nothing yet'}"

    @property
    def controls(self) -> dict[str, float]:
        """The wanted values."""
        return dict(self.wanted)

    def with_control(self: W, name: str, value: float) -> W:
        """Return this edit with another wanted value. ValueError where there is none of that name."""
        if name not in self.controls:
            raise unknown_name(f"control of {self.name!r}", name, self.controls)
        return self.wanting({name: value})

    def wanting(self: W, values: Mapping[str, float]) -> W:
        """Return this edit with more wanted values, or others."""
        return self._with(tuple({**self.controls, **values}.items()))

    def without(self: W, name: str) -> W:
        """Return this edit without a wish."""
        return self._with(tuple(pair for pair in self.wanted if pair[0] != name))

    def _with(self: W, wanted: Values) -> W:
        return cast("W", replace(cast("Any", self), wanted=wanted))


def values_of(given: Mapping[str, object] | Iterable[tuple[str, object]]) -> Values:
    """Wanted values, checked. ValueError where one is no finite number or has no name."""
    pairs = dict(given).items()
    if not all(isinstance(name, str) for name, _ in pairs):
        raise ValueError("values are given by name, such as {'smile': 1.0}")
    return tuple((name, check_finite(name, value)) for name, value in pairs)
