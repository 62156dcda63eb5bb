"""Where the list of merges is: in an installed package, beside the weights, or where the user says."""

from __future__ import annotations

import gzip
import os
from importlib.util import find_spec
from pathlib import Path

from ...core import files
from .tokens import Tokenizer

FILE = "bpe_simple_vocab_16e6.txt.gz"
PACKAGES = {"open_clip": "open_clip_torch", "clip": "clip-anytorch"}
"""Packages that have the file, by the name they are imported and installed by."""

MERGES = 49_152 - 256 - 2  # what the published networks use of it
_LARGEST = 16 << 20
MISSING = (
    "the words of CLIP are not here: its tokenizer needs the published list of merges, which is inside the packages "
    f"open_clip_torch and clip-anytorch. Install one of them with `pip install --no-deps {PACKAGES['clip']}` (nothing of it is "
    f"imported), or give the path of {FILE} or merges.txt: text.load(..., vocabulary='~/{FILE}')"
)


def find(given: str | os.PathLike[str] | None = None, beside: Path | None = None) -> Path | None:
    """The file with the merges, None where there is none.

    Args:
        given: the user's own path.
        beside: file of the weights; Hugging Face's folders have merges.txt with it.

    Raises:
        FileNotFoundError: the given one is not there.
    """
    if given is not None:
        return files.find(given, "list of merges", f"Accepted are {FILE} and merges.txt")
    if beside is not None and (beside.parent / "merges.txt").is_file():
        return beside.parent / "merges.txt"
    for name in PACKAGES:
        spec = find_spec(name)  # finds the folder, and imports nothing
        for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
            if (Path(folder) / FILE).is_file():
                return Path(folder) / FILE
    return None


def read(path: Path) -> Tokenizer:
    """The tokenizer of a list of merges, plain or packed by gzip. ValueError for anything else."""
    with files.reading(path, "list of merges", f"Accepted are {FILE} and merges.txt"):
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ValueError(f"it holds more than {_LARGEST:,} bytes")
        lines = content.decode("utf-8").splitlines()
        start = 1 if lines and lines[0].startswith(("#version", '"')) else 0
        pairs = [tuple(line.split(" ")) for line in lines[start : start + MERGES] if line]
        wrong = next((pair for pair in pairs if len(pair) != 2 or not all(pair)), None)
        if wrong is not None or not pairs:
            raise ValueError(f"a line should hold two parts; {' '.join(wrong or ('nothing',))[:40]!r} does not")
        return Tokenizer([(pair[0], pair[1]) for pair in pairs])
