"""Files of `torch.save`, new (zip) and old, as nested dictionaries of tensors and plain values.

`torch.load` is not used: with weights_only it could be made to run code before torch 2.6 (CVE-2025-32434), and it refuses
the options and modules that many published files have beside their weights. Our unpickler makes neither.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import CheckpointError, reading
from ..pickle import legacy as _legacy
from ..pickle.module_tree import flatten
from ..pickle.records import ITEM_SIZES, Global, Storage, Stub, TensorRecord, storage_dtype, whole
from ..pickle.tensors import to_tensor
from ..pickle.unpickler import AGAIN, as_view, unpickle

MAX_PICKLE = 64 << 20  # of the description; the tensors are beside it
MAX_ENTRIES = 200_000
MAX_DEPTH = 64


def read(path: str | Path) -> object:
    """The content of a file that `torch.save` wrote.

    Returns:
        Nested dicts and lists of plain values and of tensors on the CPU, which are views of the mapped file: never write
        to them. An `argparse.Namespace` and other attribute bags are dicts, a module without source is the dict of its
        parameters; a module of ``torch_utils.persistence`` stays a `Persistent`, others stay a `Stub`.
    Raises:
        CheckpointError: damaged, cut short, larger inside than outside, or not a file of torch.save.
    """
    with reading(path), Path(path).open("rb") as file:
        view = as_view(file)
        content = _read_zip(view) if bytes(view[:2]) == b"PK" else _legacy.read(view)
        return plain(content, len(view))


def plain(content: object, size: int) -> object:
    """What the unpickler made of a file of `size` bytes, as `read` gives it.

    Raises:
        CheckpointError: nested too deeply, or holding itself.
    """
    return _Plain(size).value(content)


# -- zip -------------------------------------------------------------------------------------------------------------
def _read_zip(view: memoryview) -> object:
    archive = _archive(view)
    described = [entry for entry in archive.infolist() if entry.filename.rpartition("/")[2] == "data.pkl"]
    if len(described) != 1:
        raise CheckpointError(f"a zip archive with {len(described)} descriptions (data.pkl); torch.save writes one")
    if described[0].file_size > MAX_PICKLE:
        raise CheckpointError(f"its description has {described[0].file_size:,} bytes; {MAX_PICKLE:,} are allowed")
    folder = described[0].filename.removesuffix("data.pkl")
    entries = {entry.filename: entry for entry in archive.infolist()}
    if folder + "byteorder" in entries and bytes(_bytes_of(view, entries[folder + "byteorder"])) == b"big":
        raise CheckpointError("it was written on a big-endian machine, which is not supported")
    return unpickle(_bytes_of(view, described[0]), persistent_load=_Storages(view, entries, folder))


def _archive(view: memoryview) -> zipfile.ZipFile:
    """The table of contents; refuses archives that are cut short or that grow when they are read."""
    try:
        archive = zipfile.ZipFile(_Stream(view))
        entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        raise CheckpointError(f"the table of contents at its end cannot be read ({error}). {AGAIN}") from error
    if len(entries) > MAX_ENTRIES:
        raise CheckpointError(f"it has {len(entries):,} entries; a checkpoint has less than {MAX_ENTRIES:,}")
    # Archives of TorchScript have programs beside their numbers, packed. Nobody reads them.
    entries = [entry for entry in entries if "/code/" not in entry.filename]
    inside = sum(entry.file_size for entry in entries)
    if inside > len(view) or any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise CheckpointError(
            f"a zip archive of {len(view):,} bytes that would grow to {inside:,}; torch.save never compresses. "
            "Unpack it if it is an archive of checkpoints"
        )
    return archive


def _bytes_of(view: memoryview, entry: zipfile.ZipInfo) -> memoryview:
    """The content of a stored entry, without copying: behind its own header, whose name and extra part may differ."""
    start = entry.header_offset
    head = view[start : start + 30]
    if len(head) < 30 or bytes(head[:4]) != b"PK\x03\x04" or start < 0:
        raise CheckpointError(f"entry {entry.filename[:80]!r} is not where the table of contents says. {AGAIN}")
    start += 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    if start + entry.file_size > len(view):
        raise CheckpointError(f"entry {entry.filename[:80]!r} is not whole. {AGAIN}")
    return view[start : start + entry.file_size]


class _Storages:
    """What a persistent id of the description stands for: the bytes of the entry of that name."""

    def __init__(self, view: memoryview, entries: Mapping[str, zipfile.ZipInfo], folder: str) -> None:
        self._view, self._entries, self._folder = view, entries, folder
        self._made: dict[str, Storage] = {}

    def __call__(self, key: object) -> Storage:
        if not isinstance(key, tuple) or len(key) != 5 or key[0] != "storage" or not isinstance(key[2], str):
            raise CheckpointError("a tensor's data is not described as torch does. The file is damaged")
        name = f"{self._folder}data/{key[2]}"
        if name not in self._entries:
            raise CheckpointError(f"the data of a tensor, {name[:80]!r}, is not in it. {AGAIN}")
        if name not in self._made:
            self._made[name] = Storage(storage_dtype(key[1]), _bytes_of(self._view, self._entries[name]))
        storage = self._made[name]
        if whole(key[4], "the length of a storage") * ITEM_SIZES[storage.dtype] > len(storage.data):
            raise CheckpointError(f"the data of a tensor, {name[:80]!r}, is shorter than described. {AGAIN}")
        return storage


class _Stream(io.RawIOBase):
    """A view as a file for `zipfile`, so that the file is not read into memory a second time."""

    def __init__(self, view: memoryview) -> None:
        super().__init__()
        self._view, self._at = view, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, len(self._view))[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        part = self._view[self._at : self._at + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


# -- records to plain values -----------------------------------------------------------------------------------------
class _Plain:
    """Turns records into plain containers and tensors."""

    def __init__(self, size: int) -> None:
        self._left = 1_000_000 + size // 8  # objects: a value may hold the same list many times, nested
        self._inside: set[int] = set()

    def value(self, given: object, depth: int = 0) -> object:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise CheckpointError(
                "its values are nested deeper or more often than in any checkpoint. It is damaged or hostile"
            )
        if isinstance(given, TensorRecord):
            return to_tensor(given)
        if isinstance(given, Stub):
            given = _attributes(given)
        if isinstance(given, Global):
            return given.name
        if not isinstance(given, Mapping | list | tuple):
            return given
        if id(given) in self._inside:
            raise CheckpointError("a container holds itself. The file is damaged or hostile")
        self._inside.add(id(given))
        made = (
            {key: self.value(item, depth + 1) for key, item in given.items()}
            if isinstance(given, Mapping)
            else [self.value(item, depth + 1) for item in given]
        )
        self._inside.discard(id(given))
        return made


def _attributes(stub: Stub) -> object:
    """A module as its parameters, a bag of attributes as a dict; any other object stays what it is."""
    if not isinstance(stub.state, dict):
        return stub
    if "_modules" in stub.state and "_parameters" in stub.state:
        return flatten(stub).tensors
    return {key: value for key, value in stub.state.items() if isinstance(key, str)}
