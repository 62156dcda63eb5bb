"""What goes wrong with a checkpoint file, as one kind of error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CheckpointError(ValueError):
    """A checkpoint cannot be read: one line that names the file, says what is wrong with it and what to do."""


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Put the file's name in front of every `CheckpointError` raised inside."""
    try:
        yield
    except CheckpointError as error:
        text = str(error)
        raise (error if text.startswith(str(path)) else CheckpointError(f"{path}: {text}")) from error.__cause__
