"""Descriptions with arrays in them as .json and .npz files, read with nothing executed and every key checked."""

from __future__ import annotations

import base64
import binascii
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..core.checks import unknown_name

SUFFIXES = (".json", ".npz")
MAX_BYTES = 1 << 28  # no latent comes near; a crafted archive may claim any size
_MEMBER = "stylewidgets"
Array = NDArray[np.float32]
Put = Callable[[Array], Any]
"""Gives what stands for an array in a description: its base64 text, or its name in an archive."""
Get = Callable[[Any], Array]
"""The inverse of a `Put`."""
Data = dict[str, Any]
"""A description: plain JSON values, but for what a `Put` gave."""
T = TypeVar("T")


def write(path: str | os.PathLike[str], describe: Callable[[Callable[[Array], Any]], dict[str, Any]]) -> Path:
    """Write what `describe(put)` returns; `put(array)` gives what stands for an array in it.

    Written beside the target and moved, so that an interrupted save leaves the old file whole.
    """
    path = _with_suffix(path)
    part = path.with_name(path.name + ".part")
    try:
        if path.suffix.lower() == ".json":
            part.write_text(line(describe(encode)) + "\n", encoding="utf-8")
        else:
            arrays: dict[str, Any] = {}

            def keep(array: Array) -> str:
                name = f"array{len(arrays)}"
                arrays[name] = array
                return name

            arrays[_MEMBER] = np.frombuffer(line(describe(keep)).encode(), np.uint8)
            with open(part, "wb") as file:
                np.savez_compressed(file, **arrays)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def read(
    path: str | os.PathLike[str], build: Callable[[Any, Callable[[Any], Array]], T], what: str, accepted: str
) -> T:
    """Return `build(data, get)` of a file that `write` made. ValueError says that it is no `what`, and what is accepted."""
    path = _with_suffix(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}. {accepted}")
    try:
        if path.suffix.lower() == ".json":
            if path.stat().st_size > MAX_BYTES:
                raise ValueError(f"it is larger than any {what}")
            return build(parsed(path.read_text(encoding="utf-8")), decode)
        return _read_npz(path, build, what)
    except (
        ValueError,
        TypeError,
        KeyError,
        OSError,
        EOFError,
        MemoryError,
        zipfile.BadZipFile,
        NotImplementedError,
    ) as error:
        raise ValueError(f"{path} cannot be read as a {what}: {error}. {accepted}") from error
    except zlib.error as error:
        raise ValueError(f"{path} cannot be read as a {what}: {error}. {accepted}") from error


def _read_npz(path: Path, build: Callable[[Any, Callable[[Any], Array]], T], what: str) -> T:
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
            raise ValueError(f"it claims to be larger than any {what}")
    with np.load(path, allow_pickle=False) as file:
        if _MEMBER not in file.files:
            raise ValueError(f"the archive has no entry {_MEMBER!r}; it holds {', '.join(file.files[:5]) or 'nothing'}")
        text = file[_MEMBER].tobytes().decode()
        arrays = {name: file[name] for name in file.files if name != _MEMBER}

    def find(name: Any) -> Array:
        if not isinstance(name, str) or name not in arrays:
            raise ValueError(f"its array {name!r} is missing")
        return np.asarray(arrays[name])

    return build(json.loads(text), find)


def line(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error


def sequence(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"its {name} must be a list; {type(value).__name__} was found")  # noqa: TRY004
    return value


def keys(kind: str, data: Any, accepted: Iterable[str], required: Iterable[str] = ()) -> dict[str, Any]:
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


def decode(data: Any) -> Array:
    data = keys("array", data, ("shape", "float32"), required=("shape", "float32"))
    try:
        raw = base64.b64decode(data["float32"], validate=True)
        return np.frombuffer(raw, "<f4").reshape([int(n) for n in data["shape"]])
    except (binascii.Error, ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"one of its arrays is damaged ({error})") from error


def _with_suffix(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"a latent's file ends in .json or .npz; {path.name!r} was given")
    return path
