"""Results on disk, so that a second search on the same weights need not compute again.

They are in the folder "stylespace" of the package's cache (``$STYLEWIDGETS_CACHE``, else the platform's folder for caches),
npz files without pickle. The name of each is a hash of the weights and of all arguments, so nothing there can be out of
date; all of it may be deleted at any time. A damaged file counts as absent.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core import files

if TYPE_CHECKING:
    from ..session.session import GeneratorSession

Array = NDArray[np.generic]

FORMAT = 1
_LARGEST = 1 << 34  # bytes of a result; these files are our own
_log = logging.getLogger("stylewidgets")


def folder() -> Path:
    """Where the files are."""
    return files.cache_folder() / "stylespace"


def key(session: GeneratorSession, kind: str, keep: bool = True, **arguments: object) -> str:
    """The name of a result: `kind` and a hash of the weights, the precision and the arguments (plain JSON values).

    "" unless it is to be kept: under this name nothing is written, and nothing found.
    """
    if not keep:
        return ""
    # The fingerprint of a file with half the digits is that of the file, so the precision of the features is named too.
    said = {"format": FORMAT, "weights": session.fingerprint(), "half": str(session.half), **arguments}
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    return f"{kind}-{digest[:32]}"


def read(name: str) -> dict[str, Array] | None:
    """The arrays of a result, or None when it is not there or cannot be read."""
    if not name:
        return None
    path = folder() / f"{name}.npz"
    try:
        return files.read_npz(path, _LARGEST)
    except FileNotFoundError:
        return None
    except files.DAMAGED as error:
        _log.info("%s cannot be read and is computed again (%s)", path, error)
        return None


def write(name: str, **arrays: Array) -> None:
    """Keep a result. Where that is not possible, one line goes to the log and nothing else happens."""
    if not name:
        return
    path = folder() / f"{name}.npz"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.writing(path) as part, open(part, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
    except OSError as error:
        _log.warning("%s cannot be written, so this result is not kept (%s)", path, error)


def clear() -> int:
    """Delete all results; returns how many there were."""
    found = [*folder().glob("*.npz"), *folder().glob("*.part")]
    for file in found:
        file.unlink(missing_ok=True)
    return len(found)
