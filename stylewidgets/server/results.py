"""Results of jobs as files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..remote.messages import RemoteError

if TYPE_CHECKING:
    from ..inversion.result import Result

SUFFIX = {"Shape": ".ply"}
"""Of the files that `save` of a class writes; of all others it is .safetensors."""


def packed(result: object) -> tuple[bytes, str]:
    """The bytes of a result's file, and its ending. `RemoteError` 422 for what no file holds.

    A file is written to a folder of its own, in memory where the system has such a place, and gone at once.
    """
    if isinstance(result, Path):
        data = result.read_bytes()
        result.unlink()
        return data, result.suffix
    save = getattr(result, "save", None)
    if save is None:
        raise RemoteError(f"{type(result).__name__} has no file to send", 422)
    suffix = SUFFIX.get(type(result).__name__, ".safetensors")
    with tempfile.TemporaryDirectory(prefix="stylewidgets-", dir=_memory()) as folder:
        path = Path(folder) / f"result{suffix}"
        save(path)
        return path.read_bytes(), suffix


def fitted(result: object) -> Result | None:
    """The result, where a session of its own draws it."""
    has = getattr(result, "delta", None) is not None or getattr(result, "noise", None) is not None
    return result if has and hasattr(result, "session") else None  # type: ignore[return-value]  # only a `Result` has both


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
