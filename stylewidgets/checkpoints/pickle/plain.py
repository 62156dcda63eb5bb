"""Values of a checkpoint as JSON values: small, without cycles, without records."""

from __future__ import annotations

import math
from typing import TypeGuard

import numpy as np

MAX_DEPTH, MAX_ITEMS, MAX_TEXT, MAX_ARRAY = 6, 2000, 500, 16


def plain(value: object) -> object:
    """`value` as far as it is plain: other entries of dictionaries and lists are left out; None for nothing plain."""
    left = [MAX_ITEMS]
    found = _plain(value, 0, left)
    return None if found is _SKIP else found


def positive(value: object) -> TypeGuard[float]:
    """Whether it is a finite number above zero."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(0 < value < math.inf)


_SKIP = object()


def _plain(value: object, depth: int, left: list[int]) -> object:
    left[0] -= 1
    if left[0] < 0 or depth > MAX_DEPTH:
        return _SKIP
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1 << 63 else _SKIP
    if isinstance(value, float):
        return value if math.isfinite(value) else _SKIP
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()[:MAX_TEXT]
    return _of_many(value, depth, left)


def _of_many(value: object, depth: int, left: list[int]) -> object:
    if isinstance(value, np.ndarray) and value.size <= MAX_ARRAY and value.dtype.kind in "biuf":
        return _plain(value.tolist(), depth, left)
    if isinstance(value, dict):
        return {
            key[:MAX_TEXT]: found
            for key, item in list(value.items())[:MAX_ITEMS]
            if isinstance(key, str) and (found := _plain(item, depth + 1, left)) is not _SKIP
        }
    if isinstance(value, (list, tuple)):
        return [found for item in value[:MAX_ITEMS] if (found := _plain(item, depth + 1, left)) is not _SKIP]
    return _SKIP
