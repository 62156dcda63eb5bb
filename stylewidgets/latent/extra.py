"""Extra: small named arrays and seeds that a family of generators declares, as one value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ..core.checks import check_int
from ..core.values import Value, frozen, what
from .files import Array, Data, Get, Put

MAX_SEED = 2**32 - 1


class Extra(Value, Mapping[str, int | Array]):
    """What a generator draws from besides z, by name: seeds, or vectors such as the background latent of a scene.

    Args:
        given: names, and for each a seed from 0 to 2**32 − 1 or a vector of finite numbers, kept as float32.

    Raises:
        ValueError: a name that is none, or a value that is neither.
    """

    def __init__(self, given: Mapping[str, int | Array]) -> None:
        if not isinstance(given, Mapping):
            raise TypeError(f"extra is a dictionary of seeds and vectors by name; {what(given)} was given")
        self._items = {name: _checked(name, given[name]) for name in sorted(given, key=str)}

    def __getitem__(self, name: str) -> int | Array:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr({k: v if isinstance(v, int) else f"array of {list(v.shape)}" for k, v in self.items()})

    def __hash__(self) -> int:
        return hash(self._key())

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Extra) else NotImplemented

    def __reduce__(self) -> tuple[type[Extra], tuple[dict[str, int | Array]]]:
        return Extra, (self._items,)

    def _key(self) -> tuple[tuple[str, int | bytes], ...]:
        return tuple((name, v if isinstance(v, int) else v.tobytes()) for name, v in self._items.items())

    def between(self, other: Extra, t: float) -> Extra:
        """The one at t between this (0) and another (1): vectors of both in a straight line, all else as in the nearer one."""
        near = self if t < 0.5 else other
        made = dict(near._items)
        for name, a in self._items.items():
            b = other.get(name)
            if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.shape == b.shape:
                made[name] = a + np.float32(t) * (b - a)
        return Extra(made)

    def describe(self, put: Put) -> Data:
        """What a file says of it."""
        return {name: value if isinstance(value, int) else {"array": put(value)} for name, value in self.items()}

    @classmethod
    def build(cls, data: object, get: Get) -> Extra:
        """The inverse of `describe`."""
        if not isinstance(data, dict):
            raise ValueError(f"its extra must be a dictionary; {type(data).__name__} was found")  # noqa: TRY004
        return cls({k: get(v["array"]) if isinstance(v, dict) and "array" in v else v for k, v in data.items()})


def _checked(name: object, value: int | Array) -> int | Array:
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"a name in extra is that of a variable; {what(name)} was given")
    if np.ndim(value) == 0 and not hasattr(value, "detach"):
        return check_int(f"the seed {name!r} of extra", value, 0, MAX_SEED)
    vector = frozen(f"{name!r} of extra", value).reshape(-1)
    vector.flags.writeable = False
    return vector


NOTHING = Extra({})
