"""Partial work of a training, which is found again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from torch import Tensor

from ..core import files

_STATE = "stylewidgets"


class Trainer(Protocol):
    """What can be stopped after any step and goes on with the same bits."""

    def state(self) -> dict[str, Tensor]: ...

    def restore(self, state: Mapping[str, Tensor]) -> None: ...


def place(folder: Path | None, name: str) -> Path | None:
    """A file in a folder, which is made; None where nothing is to be kept."""
    if folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def keep(trainer: Trainer, kept: Path | None, signature: Mapping[str, object]) -> None:
    """Write where a training is, and by its signature which it is."""
    if kept is not None:
        files.write_arrays(kept, trainer.state(), signature, _STATE)


def resume(trainer: Trainer, kept: Path | None, signature: Mapping[str, object]) -> None:
    """Go on where the same training broke off."""
    if kept is None or not kept.is_file():
        return
    with files.reading(kept, "state of a training", "Delete it to begin anew"):
        was, state = files.read_arrays(kept, _STATE, "pt")
    if was == json.loads(json.dumps(signature)):
        trainer.restore(state)
