"""Values as files: what work on a server returns crosses as safetensors, arrays beside JSON. Nothing in one is executed.

Only classes that stand in `KINDS` are made of what comes in, each by its constructor from its fields.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, numpy

from ..core.lazy import resolve
from ..core.values import as_numpy
from ..latent.latent import Latent
from .messages import ABOUT, RemoteError

Array = NDArray[Any]

KINDS = {
    "layer": "generators.protocol:Layer",
    "channel": "stylespace.channel:Channel",
    "effect": "stylespace.directions:Effect",
    "statistics": "stylespace.samples:Statistics",
    "ranking": "stylespace.search.ranking:Ranking",
    "local-ranking": "stylespace.search.by_place:LocalRanking",
    "result": "inversion.result:Result",
    "frame": "inversion.result:Frame",
    "way": "editing.dragging.way:Way",
}
"""Kinds of values by name, and where each is."""

LEFT_OUT = {"local-ranking": ("overlaps",)}
"""Fields that stay where the work was done."""

MOST_NESTED = 24


def packed(value: object) -> bytes:
    """A value as the bytes of a safetensors file: plain values, arrays, latents, those of `KINDS`, and lists, tuples and
    dictionaries of all these. TypeError for anything else."""
    arrays: dict[str, Array] = {}
    about = json.dumps(_described(value, arrays), ensure_ascii=False, allow_nan=False)
    return numpy.save(arrays, {ABOUT: about})


def unpacked(data: bytes) -> Any:
    """The inverse of `packed`. `RemoteError` 422 where it is damaged or holds what is not known."""
    try:
        arrays, about = read(data)
        return _made(about, arrays, 0)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise RemoteError(f"a value from the other side cannot be read: {error}", 422) from error


def read(data: bytes) -> tuple[dict[str, Array], Any]:
    """Arrays of a safetensors body, and what is said of them. ValueError where it is none."""
    try:
        arrays = numpy.load(data)
        length = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + length]).get("__metadata__") or {}
        return arrays, json.loads(metadata.get(ABOUT, "null"))
    except (SafetensorError, RecursionError) as error:
        raise ValueError(f"it is no safetensors body ({error})") from None


def _described(value: object, arrays: dict[str, Array]) -> Any:
    kind = _kind_of(value)
    if kind:
        return {"is": kind, "of": {name: _described(each, arrays) for name, each in _fields(kind, value)}}
    match value:
        case np.generic():
            return _described(value.item(), arrays)
        case np.ndarray():
            name = f"a{len(arrays)}"
            arrays[name] = np.ascontiguousarray(value)
            return {"is": "array", "of": name}
        case Latent():
            return {"is": "latent", "of": value.to_dict()}
        case float() if not math.isfinite(value):
            return {"is": "float", "of": repr(value)}
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {"is": "dict", "of": [[str(name), _described(each, arrays)] for name, each in value.items()]}
        case tuple():
            return {"is": "tuple", "of": [_described(each, arrays) for each in value]}
        case list():
            return [_described(each, arrays) for each in value]
    if hasattr(value, "detach"):  # a tensor
        return _described(np.asarray(as_numpy(value)), arrays)
    raise TypeError(f"{type(value).__name__} cannot cross to another machine")


def _kind_of(value: object) -> str:
    home = f"{type(value).__module__.removeprefix('stylewidgets.')}:{type(value).__qualname__}"
    return next((kind for kind, place in KINDS.items() if place == home), "")


def _fields(kind: str, value: Any) -> list[tuple[str, object]]:
    names = [each.name for each in fields(value)] if is_dataclass(value) else list(value._fields)
    return [(name, getattr(value, name)) for name in names if name not in LEFT_OUT.get(kind, ())]


def _made(data: Any, arrays: Mapping[str, Array], depth: int) -> Any:
    if depth > MOST_NESTED:
        raise ValueError("it is nested too deep")
    if isinstance(data, list):
        return [_made(each, arrays, depth + 1) for each in data]
    if not isinstance(data, dict):
        return data
    kind, of = data["is"], data["of"]
    match kind:
        case "array":
            return arrays[of]
        case "latent":
            return Latent.from_dict(of)
        case "float":
            return float(of)
        case "dict":
            return {name: _made(each, arrays, depth + 1) for name, each in of}
        case "tuple":
            return tuple(_made(each, arrays, depth + 1) for each in of)
    known = resolve(f"stylewidgets.{KINDS[kind]}")
    return known(**{name: _made(each, arrays, depth + 1) for name, each in of.items()})
