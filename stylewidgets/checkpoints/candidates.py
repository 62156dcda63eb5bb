"""Which file of a folder is meant: the only one that can be a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

SUFFIXES = (".safetensors", ".pkl", ".pt", ".pth", ".ckpt", ".model", ".npz", ".pickle")
NEVER = ("optimizer", "optim", "training_args", "scheduler", "discriminator", "rng_state", ".directions", ".stylespace")


def only(names: Iterable[str], where: str, written: Callable[[str], str] = str) -> str:
    """The one name that can be a checkpoint.

    Args:
        names: of files, with their folders.
        where: what was given, for the message.
        written: how a name would have to be given instead.

    Raises:
        ValueError: none, or several; the text names them.
    """
    found = sorted(name for name in names if PurePosixPath(name).suffix.lower() in SUFFIXES and not _other(name))
    if len(found) == 1:
        return found[0]
    if not found:
        raise ValueError(f"{where} has no file that ends in {', '.join(SUFFIXES)}. Give the checkpoint file itself")
    shown = ", ".join(written(name) for name in found[:6]) + (f" and {len(found) - 6} more" if len(found) > 6 else "")
    raise ValueError(f"{where} has {len(found)} files that may be checkpoints; give one of them: {shown}")


def in_folder(folder: Path) -> Path:
    """The only checkpoint right inside a folder. Raises as `only`."""
    names = [path.name for path in folder.iterdir() if path.is_file()]
    return folder / only(names, f"the folder {folder}", lambda name: str(folder / name))


def _other(name: str) -> bool:
    last = PurePosixPath(name).name.lower()
    return last.startswith(".") or any(word in last for word in NEVER)
