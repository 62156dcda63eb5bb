"""Descriptions with arrays in them as .json and .npz files, read with nothing executed and every key checked."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..core import files
from ..core.checks import unknown_name

SUFFIXES = (".json", ".npz")
_MEMBER = "stylewidgets"
Array = NDArray[np.float32]
Put = Callable[[Array], object]
"""Gives what stands for an array in a description: its base64 text, or its name in an archive."""
Get = Callable[[object], Array]
"""The inverse of a `Put`."""
Data = dict[str, Any]
"""A description: plain JSON values, but for what a `Put` gave."""
T = TypeVar("T")


def write(path: str | os.PathLike[str], describe: Callable[[Put], Data]) -> Path:
    """Write what `describe(put)` returns; `put(array)` gives what stands for an array in it."""
    files.check_suffix(path, SUFFIXES, "latent's file")
    if files.as_path(path).suffix.lower() == ".json":
        return files.write(path, line(describe(encode)) + "\n")
    arrays: dict[str, Array] = {}

    def keep(array: Array) -> str:
        name = f"array{len(arrays)}"
        arrays[name] = array
        return name

    about = describe(keep)
    return files.write_arrays(path, arrays, about, _MEMBER)


def read(path: str | os.PathLike[str], build: Callable[[object, Get], T], what: str, accepted: str) -> T:
    """Return `build(data, get)` of a file that `write` made. ValueError says that it is no `what`, and what is accepted."""
    try:
        files.check_suffix(path, SUFFIXES, "latent's file")
    except ValueError as error:
        raise ValueError(f"{error}. {accepted}") from None
    with files.reading(path, what, accepted) as found:
        if found.suffix.lower() == ".json":
            if found.stat().st_size > files.LARGEST:
                raise ValueError(f"it is larger than any {what}")
            return build(files.parsed(found.read_text(encoding="utf-8")), decode)
        about, arrays = files.read_arrays(found, _MEMBER)

        def get(name: object) -> Array:
            if not isinstance(name, str) or name not in arrays:
                raise ValueError(f"its array {name!r} is missing")
            return np.asarray(arrays[name])

        return build(about, get)


def line(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def sequence(name: str, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"its {name} must be a list; {type(value).__name__} was found")  # noqa: TRY004
    return value


def keys(kind: str, data: object, accepted: Iterable[str], required: Iterable[str] = ()) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ValueError(f"its {kind} must be a dictionary; {type(data).__name__} was found")  # noqa: TRY004
    for key in data:
        if key not in accepted:
            raise unknown_name(f"key of a {kind}", key, accepted)
    for key in required:
        if key not in data:
            raise ValueError(f"its {kind} lacks {key!r}")
    return data


def encode(array: Array) -> dict[str, Any]:
    return {"shape": list(array.shape), "float32": base64.b64encode(array.astype("<f4").tobytes()).decode()}


def decode(data: object) -> Array:
    given = keys("array", data, ("shape", "float32"), required=("shape", "float32"))
    try:
        raw = base64.b64decode(given["float32"], validate=True)
        return np.frombuffer(raw, "<f4").reshape([int(n) for n in given["shape"]])
    except (binascii.Error, ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"one of its arrays is damaged ({error})") from error
