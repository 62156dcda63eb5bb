"""Results of jobs as files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..remote import results
from ..remote.messages import RemoteError

if TYPE_CHECKING:
    from ..inversion.result import Result

VALUE = ".safetensors"
"""Ending of a value as `remote.results` packs it."""
FILES = {"Shape": ".ply"}
"""Endings of what the `save` of other classes writes."""


def packed(result: object) -> tuple[bytes, str]:
    """The bytes of a result's file, and its ending. `RemoteError` 422 for what no file holds.

    What is written by a `save` goes to a folder of its own, in memory where the system has such a place, and is gone at once.
    """
    if isinstance(result, Path):
        data = result.read_bytes()
        result.unlink()
        return data, result.suffix
    try:
        return results.packed(result), VALUE
    except TypeError as error:
        suffix = FILES.get(type(result).__name__)
        if suffix is None:
            raise RemoteError(str(error), 422) from None
    with tempfile.TemporaryDirectory(prefix="stylewidgets-", dir=_memory()) as folder:
        path = Path(folder) / f"result{suffix}"
        result.save(path)  # type: ignore[attr-defined]  # as those in `FILES` have
        return path.read_bytes(), suffix


def fitted(result: object) -> Result | None:
    """The result, where a session of its own draws it."""
    has = getattr(result, "delta", None) is not None or getattr(result, "noise", None) is not None
    return result if has and hasattr(result, "session") else None  # type: ignore[return-value]  # only a `Result` has both


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
