"""Results of jobs as files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..remote import results as values
from ..remote.messages import RemoteError

if TYPE_CHECKING:
    from ..inversion.result import Result

SUFFIX = {"Shape": ".ply"}
"""Of classes whose `save` writes a file that others read; all other values cross as `remote.results` packs them."""


def packed(result: object) -> tuple[bytes, str]:
    """The bytes of a result and the ending of its file. `RemoteError` 422 for what cannot cross."""
    if isinstance(result, Path):
        data = result.read_bytes()
        result.unlink()
        return data, result.suffix
    save = getattr(result, "save", None)
    if save is not None and type(result).__name__ in SUFFIX:
        with tempfile.TemporaryDirectory(prefix="stylewidgets-", dir=_memory()) as folder:
            path = Path(folder) / f"result{SUFFIX[type(result).__name__]}"
            save(path)
            return path.read_bytes(), path.suffix
    try:
        return values.packed(result), ".safetensors"
    except TypeError as error:
        raise RemoteError(str(error), 422) from None


def fitted(result: object) -> Result | None:
    """The result, where a session of its own draws it."""
    has = getattr(result, "delta", None) is not None or getattr(result, "noise", None) is not None
    return result if has and hasattr(result, "session") else None  # type: ignore[return-value]  # only a `Result` has both


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
