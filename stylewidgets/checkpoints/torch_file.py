"""Files of `torch.save`, new (zip) and old, as nested dictionaries of tensors and plain values."""

from __future__ import annotations

import argparse
import collections
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .errors import CheckpointError

MAX_PICKLE = 64 << 20  # of the description; the tensors are beside it
MAX_ENTRIES = 200_000
MAX_DEPTH = 64
SAFE_LOADER = (2, 6)  # torch.load(weights_only=True) could be made to run code before (CVE-2025-32434)


def read(path: str | Path) -> Any:
    """The content of a file that `torch.save` wrote. Tensors are on the CPU and, in zip files, mapped from the disk.

    Objects of foreign classes become inert records; an `argparse.Namespace` becomes a dict. Nothing is executed.

    Raises:
        CheckpointError: damaged, cut short, larger inside than outside, or not a file of torch.save.
    """
    path = Path(path)
    with path.open("rb") as file:
        zipped = file.read(2) == b"PK"
    if zipped:
        _check_zip(path)
    try:
        content = _by_torch(path, zipped)
    except pickle.UnpicklingError:  # classes beyond tensors and containers
        from ._torch_records import read_legacy, read_zip

        content = read_zip(path) if zipped else read_legacy(path)
    return _Plain(path).value(content)


def _by_torch(path: Path, zipped: bool) -> Any:
    version = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    if version < SAFE_LOADER:
        raise pickle.UnpicklingError
    try:
        with torch.serialization.safe_globals([argparse.Namespace, collections.defaultdict, collections.Counter]):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except pickle.UnpicklingError:
        raise
    except (RuntimeError, EOFError, KeyError, ValueError, TypeError, IndexError, AttributeError, AssertionError,
            OverflowError, MemoryError, RecursionError, NotImplementedError, UnicodeError, OSError) as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise CheckpointError(f"{path} is damaged or cut short: {reason}") from error


def _check_zip(path: Path) -> None:
    """Refuse archives that are cut short, that torch.save did not write, or that grow when they are read."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise CheckpointError(f"{path} is damaged or cut short: its table of contents at the end cannot be read ({error})") from error
    size = path.stat().st_size
    if len(entries) > MAX_ENTRIES:
        raise CheckpointError(f"{path} has {len(entries):,} entries; a checkpoint has less than {MAX_ENTRIES:,}")
    inside = sum(entry.file_size for entry in entries)
    if inside > size or any(entry.compress_type != zipfile.ZIP_STORED and entry.file_size > 1 << 20 for entry in entries):
        raise CheckpointError(f"{path} has {size:,} bytes and would grow to {inside:,}: torch.save never compresses, so this "
                              "is not a checkpoint that it wrote")
    described = [entry for entry in entries if entry.filename.endswith("/data.pkl") or entry.filename == "data.pkl"]
    if len(described) != 1:
        raise CheckpointError(f"{path} is a zip archive with {len(described)} descriptions (data.pkl); torch.save writes one")
    if described[0].file_size > MAX_PICKLE:
        raise CheckpointError(f"{path}: its description has {described[0].file_size:,} bytes; {MAX_PICKLE:,} are allowed")


class _Plain:
    """Turns what was read into plain containers, and checks that every tensor is backed by bytes of the file."""

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, path.stat().st_size
        self.seen: dict[int, Any] = {}
        self.storages: dict[int, int] = {}

    def value(self, given: Any, depth: int = 0) -> Any:
        if depth > MAX_DEPTH:
            raise CheckpointError(f"{self.path} is nested deeper than {MAX_DEPTH} levels")
        if isinstance(given, Tensor):
            return self.tensor(given)
        if isinstance(given, argparse.Namespace):
            given = vars(given)
        if not isinstance(given, Mapping | list | tuple):
            return given
        if id(given) in self.seen:
            return self.seen[id(given)][1]
        made: Any = {} if isinstance(given, Mapping) else []
        self.seen[id(given)] = (given, made)  # kept alive, so that no other object gets its id
        if isinstance(given, Mapping):
            made.update((key, self.value(item, depth + 1)) for key, item in given.items())
        else:
            made.extend(self.value(item, depth + 1) for item in given)
        return made

    def tensor(self, tensor: Tensor) -> Tensor:
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
            raise CheckpointError(f"{self.path} holds a {tensor.layout} tensor on {tensor.device}; plain ones are read")
        storage = tensor.untyped_storage()
        self.storages[storage.data_ptr()] = storage.nbytes()
        if tensor.numel() * tensor.element_size() > storage.nbytes() or sum(self.storages.values()) > self.size:
            raise CheckpointError(f"{self.path} is damaged: its tensors claim more bytes than the file has")
        return tensor.detach()
