"""Codes and directions for other tools."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import numpy as np
import torch

from ..core import files
from ..latent.latent import Direction, Latent
from ..session.session import GeneratorSession

CODES = (".npz", ".pt", ".npy")


def save_code(path: str | os.PathLike[str], session: GeneratorSession, latent: Latent) -> Path:
    """Write w+ of a latent, with its truncation and edits in w, as other tools read it: [1, num_ws, w_dim] float32.

    ``.npz`` has it under "w", like projected_w.npz of the projectors; ``.pt`` and ``.npy`` have the array alone, like e4e and
    StyleCLIP. `read_latent` reads all three.

    Raises:
        ValueError: another suffix, or a latent with edits in s, which no w+ can hold.
    """
    files.check_suffix(path, CODES, "code for other tools")
    return files.write(path, code_bytes(files.as_path(path).suffix.lower(), session, latent))


def code_bytes(suffix: str, session: GeneratorSession, latent: Latent) -> bytes:
    """The content of the file that `save_code` writes with this suffix. Errors as of `save_code`."""
    if latent.in_s:
        raise ValueError("this latent has edits in s, which w+ cannot hold; take them out, or save the latent itself")
    w = session.map(latent).float().cpu().numpy()
    buffer = io.BytesIO()
    if suffix == ".npz":
        np.savez(buffer, w=w)
    elif suffix == ".npy":
        np.save(buffer, w)
    else:
        torch.save(torch.from_numpy(w.copy()), buffer)
    return buffer.getvalue()


def save_direction(path: str | os.PathLike[str], direction: Direction) -> Path:
    """Write a direction as .npy, float32, one σ long: [1, w_dim], [num_ws, w_dim], or flat in s.

    Directions in z get a name that ends in ``_boundary.npy`` where `read_directions` shall know it again, as those of
    InterFaceGAN do.
    """
    files.check_suffix(path, (".npy",), "direction for other tools")
    return files.write(path, direction_bytes(direction))


def direction_name(direction: Direction) -> str:
    """The name of a file for a direction, such that `read_directions` knows its name, space and layers again."""
    stem = re.sub(r"[^\w.-]+", " ", direction.name).strip(" .") or "direction"
    if direction.space == "z":
        return f"{stem}_boundary.npy"
    if direction.space == "w" and re.search(r"_[zw]$", stem):  # a reader would take it for the space
        stem += "_w"
    if direction.layers is not None:
        first, last = direction.layers
        return f"{stem}_layers_{first}-{last - 1}.npy"
    return f"{stem}.npy"


def direction_bytes(direction: Direction) -> bytes:
    """The content of the file that `save_direction` writes."""
    vector = np.asarray(direction.vector * np.float32(direction.sigma), np.float32)
    buffer = io.BytesIO()
    np.save(buffer, vector[None] if vector.ndim == 1 else vector)
    return buffer.getvalue()
