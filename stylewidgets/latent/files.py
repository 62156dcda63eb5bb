"""Latents as JSON and as .json and .npz files, read with nothing executed and every key checked."""

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
from .latent import IDENTITY, Code, Direction, Edit, Latent, Transform

VERSION = 1
SUFFIXES = (".json", ".npz")
ACCEPTED = "Accepted are .json and .npz files written by Latent.save or explorer.save"
_MEMBER = "stylewidgets"
_PLAIN = ("seed", "psi", "cutoff", "label", "noise_mode", "noise_seed")
_DIRECTION = ("name", "sigma", "space", "unit", "source", "layers", "explained")
Array = NDArray[np.float32]
T = TypeVar("T")


def to_dict(latent: Latent) -> dict[str, Any]:
    """Plain JSON values, arrays as base64 of little-endian float32."""
    return _describe(latent, _encode)


def from_dict(data: Any) -> Latent:
    """The inverse of `to_dict`."""
    return _build(data, _decode)


def to_json(latent: Latent) -> str:
    """One line; floats are written with all digits, so they come back exactly."""
    return _line(to_dict(latent))


def from_json(text: str) -> Latent:
    """The inverse of `to_json`."""
    return from_dict(files.parsed(text))


def save(latent: Latent, path: str | os.PathLike[str]) -> Path:
    """Write either kind of file."""
    return write(path, lambda put: _describe(latent, put))


def load(path: str | os.PathLike[str]) -> Latent:
    """Read either kind of file."""
    return read(path, _build, "latent", ACCEPTED)


def write(path: str | os.PathLike[str], describe: Callable[[Callable[[Array], Any]], dict[str, Any]]) -> Path:
    """Write what `describe(put)` returns; `put(array)` gives what stands for an array in it."""
    files.check_suffix(path, SUFFIXES, "latent's file")
    if files.as_path(path).suffix.lower() == ".json":
        return files.write(path, _line(describe(_encode)) + "\n")
    arrays: dict[str, Array] = {}

    def keep(array: Array) -> str:
        name = f"array{len(arrays)}"
        arrays[name] = array
        return name

    about = describe(keep)
    return files.write_arrays(path, arrays, about, _MEMBER)


def read(
    path: str | os.PathLike[str], build: Callable[[Any, Callable[[Any], Array]], T], what: str, accepted: str
) -> T:
    """Return `build(data, get)` of a file that `write` made. ValueError says that it is no `what`, and what is accepted."""
    files.check_suffix(path, SUFFIXES, "latent's file")
    with files.reading(path, what, accepted) as found:
        if found.suffix.lower() == ".json":
            if found.stat().st_size > files.LARGEST:
                raise ValueError(f"it is larger than any {what}")
            return build(files.parsed(found.read_text(encoding="utf-8")), _decode)
        about, arrays = files.read_arrays(found, _MEMBER)

        def get(name: Any) -> Array:
            if not isinstance(name, str) or name not in arrays:
                raise ValueError(f"its array {name!r} is missing")
            return np.asarray(arrays[name])

        return build(about, get)


def _line(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def _describe(latent: Latent, put: Callable[[Array], Any]) -> dict[str, Any]:
    data: dict[str, Any] = {"kind": "latent", "version": VERSION}
    data |= {name: getattr(latent, name) for name in _PLAIN}
    data["blend"] = [list(pair) for pair in latent.blend]
    data["code"] = None if latent.code is None else {"space": latent.code.space, "array": put(latent.code.array)}
    data["edits"] = [
        {"direction": _direction(edit.direction, put), "strength": edit.strength, "layers": _list(edit.layers)}
        for edit in latent.edits
    ]
    if latent.transform != IDENTITY:  # left out, older versions read the file, too
        data["transform"] = latent.transform.to_dict()
    return data


def _direction(direction: Direction, put: Callable[[Array], Any]) -> dict[str, Any]:
    data = {name: getattr(direction, name) for name in _DIRECTION}
    return {**data, "layers": _list(direction.layers), "vector": put(direction.vector)}


def _list(layers: tuple[int, int] | None) -> list[int] | None:
    return None if layers is None else list(layers)


def _build(data: Any, get: Callable[[Any], Array]) -> Latent:
    if not isinstance(data, dict) or data.get("kind") != "latent":
        raise ValueError("its description does not say that it is a latent (kind: 'latent')")
    version = data.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ValueError(f"its version must be a whole number from 1 to {VERSION}; {version!r} was found")
    if version > VERSION:
        raise ValueError(
            f"it has version {version}; this stylewidgets reads up to {VERSION}. Update stylewidgets to read it"
        )
    _keys("latent", data, ("kind", "version", *_PLAIN, "blend", "code", "edits", "transform"))
    values = {name: data[name] for name in _PLAIN if name in data}
    if data.get("code") is not None:
        code = _keys("code", data["code"], ("space", "array"), required=("space", "array"))
        values["code"] = Code(code["space"], get(code["array"]))
    values["blend"] = tuple(_sequence("blend", data.get("blend", [])))
    values["edits"] = tuple(_edit(item, get) for item in _sequence("edits", data.get("edits", [])))
    if "transform" in data:
        values["transform"] = Transform.from_dict(data["transform"])
    return Latent(**values)


def _edit(item: Any, get: Callable[[Any], Array]) -> Edit:
    _keys("edit", item, ("direction", "strength", "layers"), required=("direction", "strength"))
    given = _keys("direction", item["direction"], (*_DIRECTION, "vector"), required=("name", "vector"))
    return Edit(Direction(**{**given, "vector": get(given["vector"])}), item["strength"], item.get("layers"))


def _sequence(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"its {name} must be a list; {type(value).__name__} was found")  # noqa: TRY004
    return value


def _keys(kind: str, data: Any, accepted: Iterable[str], required: Iterable[str] = ()) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ValueError(f"its {kind} must be a dictionary; {type(data).__name__} was found")  # noqa: TRY004
    for key in data:
        if key not in accepted:
            raise unknown_name(f"key of a {kind}", key, accepted)
    for key in required:
        if key not in data:
            raise ValueError(f"its {kind} lacks {key!r}")
    return data


def _encode(array: Array) -> dict[str, Any]:
    return {"shape": list(array.shape), "float32": base64.b64encode(array.astype("<f4").tobytes()).decode()}


def _decode(data: Any) -> Array:
    data = _keys("array", data, ("shape", "float32"), required=("shape", "float32"))
    try:
        raw = base64.b64decode(data["float32"], validate=True)
        return np.frombuffer(raw, "<f4").reshape([int(n) for n in data["shape"]])
    except (binascii.Error, ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"one of its arrays is damaged ({error})") from error
