"""Values that never change and compare by what they hold."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Value:
    """Base of frozen dataclasses (made with eq=False, repr=False): compared and hashed by value; arrays count by shape and
    content."""

    def _key(self) -> tuple[object, ...]:
        values = (getattr(self, field.name) for field in fields(self) if field.compare)  # type: ignore[arg-type]
        return tuple((v.shape, v.tobytes()) if isinstance(v, np.ndarray) else v for v in values)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return self._key() == other._key() if type(other) is type(self) and isinstance(other, Value) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._key()))

    def __copy__(self) -> Value:
        return self

    def __deepcopy__(self, memo: object) -> Value:
        return self

    def __reduce__(self) -> tuple[object, ...]:  # through the constructor, so that arrays are read-only again
        return type(self), tuple(getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]


def as_numpy(value: object) -> Any:
    """A torch tensor as an array, without importing torch; anything else as it is."""
    return value.detach().cpu().float().numpy() if hasattr(value, "detach") else value


def dense(value: object) -> Any:
    """An array without gaps or negative strides (as ``np.flip`` makes), which torch takes; anything else as it is."""
    return np.ascontiguousarray(value) if isinstance(value, np.ndarray) and value.ndim else value


def frozen(name: str, value: object) -> NDArray[np.float32]:
    """A read-only float32 copy. ValueError names what is not numbers, or not finite."""
    try:
        with np.errstate(over="ignore"):
            array = np.array(as_numpy(value), dtype=np.float32, order="C")
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be an array of numbers; {what(value)} was given") from None
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds values that are not finite in float32; every value must be")
    array += 0.0  # -0 becomes 0, so that equal values have equal bytes
    array.flags.writeable = False
    return array


def size(value: object) -> int:
    """About how many bytes a value takes: its arrays and texts, those of the values inside it too."""
    if isinstance(value, Value):
        names = (field.name for field in fields(value))  # type: ignore[arg-type]
        return 64 + sum(map(size, (getattr(value, name) for name in names)))
    if isinstance(value, (tuple, list)):
        return 8 + sum(map(size, value))
    return value.nbytes if isinstance(value, np.ndarray) else len(value) if isinstance(value, str) else 8


def what(value: object) -> str:
    """A value, or the type of one that is too long, for messages."""
    return f"{value!r:.60}" if isinstance(value, (str, int, float)) else type(value).__name__


def rounded(value: object, digits: int = 5) -> Any:
    """Plain values with all numbers to so many digits, and None for those that are not finite: JSON has no NaN."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if np.isfinite(value) else None
    if isinstance(value, dict):
        return {key: rounded(each, digits) for key, each in value.items()}
    return [rounded(each, digits) for each in value] if isinstance(value, (list, tuple)) else value
