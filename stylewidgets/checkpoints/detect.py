"""What kind of file is this? Told by its bytes, never by its name, and without executing or building anything."""

from __future__ import annotations

import io
import mmap
import os
import pickletools
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..core import files
from .errors import CheckpointError
from .pickle import legacy as _legacy

_HEAD = 4096
_MAX_OPS = 200_000
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")
_ARCHIVES = (b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")


@dataclass(frozen=True)
class Kind:
    """What a file is.

    Attributes:
        format: a key of `FORMATS`.
        reason: why it cannot be opened; "" for formats that can.
    """

    format: str
    reason: str = ""

    @property
    def title(self) -> str:
        """The format in words."""
        return FORMATS[self.format]

    @property
    def readable(self) -> bool:
        """Whether a generator may be in it."""
        return not self.reason


FORMATS = {
    "safetensors": "safetensors",
    "torch zip": "torch.save file",
    "torch legacy": "torch.save file of before PyTorch 1.6",
    "tensorflow pickle": "pickle of the TensorFlow StyleGAN releases",
    "persistence pickle": "pickle of the official PyTorch StyleGAN releases",
    "pickle": "Python pickle",
    "torchscript": "TorchScript archive",
    "npz": "NumPy archive",
    "npy": "NumPy array",
    "zip": "zip archive",
    "hdf5": "HDF5 file",
    "protobuf": "protobuf model (ONNX or Core ML)",
    "folder": "folder",
    "web page": "web page",
    "quota page": "web page that tells of a quota",
    "answer": "message of a server",
    "git lfs": "Git LFS pointer",
    "picture": "picture",
    "archive": "compressed archive",
    "empty": "empty file",
    "unknown": "unknown",
}

_REASONS = {
    "torchscript": "it holds compiled code; save the module's state_dict with torch.save instead",
    "npy": "one array is a code or a direction and no generator: stylewidgets.read_latent(path, session) and "
    "read_directions(path, session) take those",
    "zip": "it is not a checkpoint; unpack it and load the file inside",
    "hdf5": "HDF5 weights, such as those of flaxmodels, are not converted; load the official .pkl that they were made from",
    "protobuf": "an exported graph (ONNX, Core ML) has no weights by name any more; load the checkpoint that it was made from",
    "folder": "give the checkpoint file itself",
    "web page": "the download gave a page in place of the file: a login, or a quota of the host. Download it again in a browser",
    "quota page": "the host gave a page in place of the file, because too many people fetched it. Wait a day, make a copy "
    "in your own drive and download that, or take another mirror",
    "answer": "a server wrote why it did not send the file; the text is in it. Ask for the file again, or at another address",
    "git lfs": "only the pointer was downloaded; run `git lfs pull`, or download the file from the repository's web page",
    "picture": "stylewidgets.load takes a generator",
    "archive": "unpack it and load the file inside",
    "empty": "download it again",
    "unknown": "known are safetensors of stylewidgets, .pkl of the StyleGAN releases, and .pt / .pth that torch.save wrote",
}


def detect(path: str | os.PathLike[str]) -> Kind:
    """What kind of file `path` is; reads its first bytes, of pickles up to the first class that tells.

    Raises:
        FileNotFoundError: no such file.
    """
    file = files.as_path(path)
    if not file.exists():
        raise FileNotFoundError(f"there is no file {path}")
    name = "folder" if file.is_dir() else _of_bytes(file)
    return Kind(name, _REASONS.get(name, ""))


def check(path: str | os.PathLike[str]) -> Kind:
    """`detect`, but CheckpointError for what cannot be opened."""
    kind = detect(path)
    if not kind.readable:
        title = "cannot be recognised" if kind.format == "unknown" else f"is {_article(kind.title)} {kind.title}"
        raise CheckpointError(f"{path} {title}: {kind.reason}")
    return kind


def _of_bytes(file: Path) -> str:
    with file.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head:
        return "empty"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _of_zip(file)
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= file.stat().st_size:
        return "safetensors"
    if head.startswith(b"\x89HDF"):
        return "hdf5"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<!--")):
        return "quota page" if b"quota" in text or b"too many users" in text else "web page"
    if text.startswith((b"<?xml", b"<error")) or (text.startswith(b"{") and b'"error"' in text[:200]):
        return "answer"
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head.startswith(b"version https://git-lfs"):
        return "git lfs"
    if head.startswith(_PICTURES):
        return "picture"
    if head.startswith(_ARCHIVES) or head[257:262] == b"ustar":
        return "archive"
    if head[:1] == b"\x08" and b"\x12" in head[2:12]:  # version, then a text: how both models begin
        return "protobuf"
    return _of_pickle(file) if head[:1] in b"\x80(]}c" else "unknown"


def _of_zip(file: Path) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        return "torch zip"  # cut short, as a rule: its reader says so
    if any(name.endswith("constants.pkl") or "/code/" in name for name in names):
        return "torchscript"
    if any(name.endswith("/data.pkl") or name == "data.pkl" for name in names):
        return "torch zip"
    return "npz" if names and all(name.endswith(".npy") for name in names) else "zip"


def _of_pickle(file: Path) -> str:
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            for module, name in _globals(data):
                if name == "<legacy>":
                    return "torch legacy"
                if name == "Network" and module.split(".")[-1] in ("network", "tfutil"):
                    return "tensorflow pickle"
                if name == "_reconstruct_persistent_obj":
                    return "persistence pickle"
        except _BROKEN:
            return "pickle"
    return "pickle"


_BROKEN = (ValueError, KeyError, IndexError, EOFError, OverflowError, MemoryError, UnicodeError, TypeError)


def _globals(data: bytes | mmap.mmap) -> Iterator[tuple[str, str]]:
    """(module, name) of the classes and functions that a pickle names, in order, from its opcodes alone."""
    strings: list[str] = []
    for count, (opcode, value, _) in enumerate(pickletools.genops(cast("Any", _Cut(data)))):
        if count > _MAX_OPS:
            return
        if value == _legacy.MAGIC and count < 4:
            yield "torch", "<legacy>"
        elif opcode.name in ("GLOBAL", "INST"):
            module, _, name = str(value).partition(" ")
            yield module, name
        elif opcode.name == "STACK_GLOBAL" and len(strings) > 1:
            yield strings[-2], strings[-1]
        elif isinstance(value, str):
            strings = [*strings[-1:], value]


class _Cut(io.RawIOBase):
    """A mapped file as a stream that skips over long reads: tensors are not copied only to find a class name."""

    def __init__(self, data: bytes | mmap.mmap) -> None:
        super().__init__()
        self._data, self._at = data, 0

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        start = self._at
        end = len(self._data) if size < 0 else min(start + size, len(self._data))
        self._at = end
        if size > 1 << 20 and end - start == size:
            return _Long(size)
        return bytes(self._data[start:end])

    def readline(self, size: int | None = -1) -> bytes:
        end = self._data.find(b"\n", self._at, self._at + 65536)
        end = len(self._data) if end < 0 else end + 1
        return self.read(min(end - self._at, 65536))


class _Long(bytes):
    """Stands for a long run of bytes: has its length, not its content."""

    def __new__(cls, size: int) -> _Long:
        made = super().__new__(cls)
        made.size = size
        return made

    size: int

    def __len__(self) -> int:
        return self.size


def _article(words: str) -> str:
    return "an" if words[:1].lower() in "aeiou" or words.startswith(("HDF", "npz")) else "a"
