"""Files: where they are, written whole or not at all, and arrays in them. Nothing in a file is ever executed."""

from __future__ import annotations

import json
import os
import secrets
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path, PurePath
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_dir
from safetensors import SafetensorError, safe_open

Given = str | os.PathLike[str]
"""What people name a file by: ``~/photo.jpg``, a `Path`, ``file:///data/photo.jpg``; where it is read also ``https://…``."""

Arrays = dict[str, NDArray[Any]]
LARGEST = 1 << 28
"""Bytes that an archive may hold when it is unpacked: a crafted one may claim any size."""
DAMAGED = (
    SafetensorError, zipfile.BadZipFile, zlib.error, ValueError, TypeError, LookupError, AttributeError, OSError, EOFError,
    MemoryError, RuntimeError, SyntaxError, TokenError,
)  # fmt: skip
"""What reading a damaged or hostile file can raise."""


# -- where they are ------------------------------------------------------------------------------------------------------
def as_path(given: Given) -> Path:
    """The path that was meant, whether there is something or not.

    Raises:
        TypeError: not the name of a file.
        ValueError: an http(s) address, which can only be read.
    """
    text = os.fspath(given)
    if not isinstance(text, str):
        raise TypeError(f"a file is named by text or a pathlib.Path; {type(given).__name__} was given")
    if is_address(text):
        raise ValueError(f"{text} is an address on the network; the path of a file is needed here")
    if text.startswith("file://"):
        from urllib.parse import urlsplit
        from urllib.request import url2pathname

        text = url2pathname(urlsplit(text).path)
    return Path(os.path.expanduser(text))


def is_address(given: object) -> bool:
    """Whether it is text that begins with http:// or https://."""
    return isinstance(given, str) and given.startswith(("http://", "https://"))


def find(given: Given, what: str = "file", accepted: str = "") -> Path:
    """A file that is there; one behind an http(s) address is downloaded at the first time, with a progress bar.

    Args:
        what, accepted: for the message: what it should be, and which files are.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is a folder.
        OSError: (DownloadError) it cannot be downloaded.
    """
    if is_address(given):
        # By name: downloads are jobs, and stand above this room.
        zoo = import_module("stylewidgets.checkpoints.zoo.download")
        path: Path = zoo.fetch(os.fspath(given), cache_folder() / "web")
        return path
    path = as_path(given)
    if path.is_dir():
        raise ValueError(f"{str(given)!r} is a folder; the {what} itself is needed. {accepted}".rstrip())
    if not path.is_file():
        here = "" if path.is_absolute() else f" (in {Path.cwd()})"
        raise FileNotFoundError(f"there is no file {str(given)!r}{here}. {accepted}".rstrip(". "))
    return path


def check_suffix(given: Given, suffixes: tuple[str, ...], what: str) -> None:
    """ValueError unless the path or address ends in one of these."""
    name = PurePath(os.fspath(given)).name
    if is_address(given):
        name = name.partition("?")[0]
    if PurePath(name).suffix.lower() not in suffixes:
        raise ValueError(f"a {what} ends in {' or '.join(suffixes)}; {name!r} was given")


def cache_folder() -> Path:
    """Where downloads, compiled code and results are kept: $STYLEWIDGETS_CACHE, else the platform's folder for caches."""
    given = os.environ.get("STYLEWIDGETS_CACHE")
    return as_path(given) if given else Path(user_cache_dir("stylewidgets", appauthor=False))


# -- writing and reading -------------------------------------------------------------------------------------------------
@contextmanager
def writing(given: Given) -> Iterator[Path]:
    """A path to write to, moved to the given one at the end: a reader sees all of it or nothing, and an interrupted save
    leaves the old file whole. Two processes may write the same file at once."""
    target = as_path(given)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(target.parent)!r} to write {target.name!r} into")
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        yield part
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def write(given: Given, content: bytes | str) -> Path:
    """Write a whole file, text as UTF-8, and return its path."""
    with writing(given) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
    return as_path(given)


@contextmanager
def reading(given: Given, what: str, accepted: str) -> Iterator[Path]:
    """The path of a file that is there (`find`); whatever a damaged one raises inside becomes a ValueError that names it."""
    path = find(given, what, accepted)
    try:
        yield path
    except DAMAGED as error:
        told = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) and error.args else str(error)
        raise ValueError(f"{str(given)!r} is no {what}, or it is damaged: {told}. {accepted}") from error


# -- arrays with a description -------------------------------------------------------------------------------------------
def write_arrays(
    given: Given, arrays: Mapping[str, Any], about: object, key: str, more: Mapping[str, object] | None = None
) -> Path:
    """Write arrays with what they are to an .npz file, or else to a safetensors file.

    Args:
        arrays: of numpy, or all of torch.
        about: plain JSON values.
        key: the name under which a file has ``about``; tells kinds of files apart.
        more: key → plain JSON, for a safetensors file that is of several kinds at once.
    """
    text = json.dumps(about, ensure_ascii=False)
    with writing(given) as part:
        if as_path(given).suffix.lower() == ".npz":
            with open(part, "wb") as file:
                np.savez_compressed(file, **{key: np.frombuffer(text.encode(), np.uint8), **arrays})
        else:
            # Not save_file: that makes files which only their owner can read.
            part.write_bytes(
                _serialized(
                    arrays, {key: text} | {k: json.dumps(v, ensure_ascii=False) for k, v in (more or {}).items()}
                )
            )
    return as_path(given)


def read_arrays(path: Path, key: str, framework: str = "numpy", largest: int = LARGEST) -> tuple[Any, dict[str, Any]]:
    """What `write_arrays` wrote: (about, arrays). Raises one of `DAMAGED` for anything else; see `reading`.

    Args:
        framework: "numpy", or "pt" for tensors of torch, which only a safetensors file has.
        largest: bytes that an .npz file may hold.
    """
    if path.suffix.lower() == ".npz":
        found = read_npz(path, largest)
        if key not in found:
            raise ValueError(f"the archive has no entry {key!r}; it holds {', '.join(list(found)[:5]) or 'nothing'}")
        return parsed(found.pop(key).tobytes().decode()), found
    with safe_open(str(path), framework=framework) as file:
        text = (file.metadata() or {}).get(key)
        if text is None:
            raise ValueError(f"it has no {key!r} in its metadata")
        return parsed(text), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no mapping


def read_npz(path: Path, largest: int = LARGEST) -> Arrays:
    """All arrays of an .npz file. Raises one of `DAMAGED` for anything else."""
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > largest:
            raise ValueError(f"it claims to hold more than {largest:,} bytes")
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def names_in(path: Path) -> list[str]:
    """Names of the arrays of an .npz file, or of the descriptions of a safetensors file. Raises one of `DAMAGED`."""
    if path.suffix.lower() == ".npz":
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    with safe_open(str(path), framework="numpy") as file:
        return list(file.metadata() or {})


def parsed(text: str) -> Any:
    """The values of JSON text; ValueError when it is something else."""
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error


def _serialized(arrays: Mapping[str, Any], metadata: dict[str, str]) -> bytes:
    if any(hasattr(value, "detach") for value in arrays.values()):
        from safetensors.torch import save as of_tensors

        return of_tensors({k: v.detach().cpu().contiguous() for k, v in arrays.items()}, metadata)
    from safetensors.numpy import save

    return save({name: np.array(value, order="C") for name, value in arrays.items()}, metadata)
