"""Saved: a value that goes to text and files and comes back equal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar, TypeVar

from ..core.files import parsed
from ..core.values import Value
from . import files
from .files import Data, Get, Put

Self = TypeVar("Self", bound="Saved")


class Saved(Value):
    """Base of values with files. A subclass says what it is by `describe` and `build`; all else follows.

    Attributes:
        title: what it is, for messages.
        accepted: which files are read, for messages.
    """

    title: ClassVar[str]
    accepted: ClassVar[str]

    def describe(self, put: Put) -> Data:
        """What a file says of it; `put` stands in for its arrays."""
        raise NotImplementedError

    @classmethod
    def build(cls: type[Self], data: object, get: Get) -> Self:
        """The inverse of `describe`. ValueError (TypeError) for anything else."""
        raise NotImplementedError

    def to_dict(self) -> Data:
        """Return plain JSON values; arrays become base64 text of little-endian float32. `from_dict` gives an equal value."""
        return self.describe(files.encode)

    @classmethod
    def from_dict(cls: type[Self], data: object) -> Self:
        """Return the value of a dict that `to_dict` made. ValueError with the reason when it cannot be read."""
        return cls._built(data, files.decode)

    def to_json(self) -> str:
        """Return one line of JSON; floats are written with all digits, so they come back exactly."""
        return files.line(self.to_dict())

    @classmethod
    def from_json(cls: type[Self], text: str) -> Self:
        """Return the value of a text that `to_json` made. ValueError with the reason when it cannot be read."""
        return cls.from_dict(parsed(text))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a .json or .npz file, by the path's ending, and return its path."""
        return files.write(path, self.describe)

    @classmethod
    def load(cls: type[Self], path: str | os.PathLike[str]) -> Self:
        """Read a file that `save` wrote. Nothing in it is executed.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is damaged, holds something else or was written by a newer version.
        """
        return files.read(path, cls._built, cls.title, cls.accepted)

    @classmethod
    def _built(cls: type[Self], data: object, get: Get) -> Self:
        try:
            return cls.build(data, get)
        except RecursionError:
            raise ValueError(f"no {cls.title} is nested so deep") from None


def check_version(version: object, newest: int) -> None:
    """Raise ValueError unless this stylewidgets reads descriptions of that version."""
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ValueError(f"its version must be a whole number from 1 to {newest}; {version!r} was found")
    if version > newest:
        raise ValueError(
            f"it has version {version}; this stylewidgets reads up to {newest}. Update stylewidgets to read it"
        )
