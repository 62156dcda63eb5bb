"""A folder of photographs inverted, one file each. A photograph that cannot be read is a line in the table of failures."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..checkpoints.zoo.download import sha256_of
from ..core import pictures
from ..core.checks import unknown_name
from ..core.files import as_path
from ..jobs.plans.shards import NAME, WHERE, Made, Shard, sharded
from ..session.shards import machine, opened, stamp
from .catalogue import BUNDLED, METHODS
from .encoders.runs import bundled
from .losses.lpips_nets import backbone_path
from .result import KEY
from .starting import start

INVERTED = "stylewidgets.inversion.sharded:inverted"
_GUESSES = ("auto", "psp", "e4e", "restyle")


def plan(
    photos: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    method: str = "projector",
    source: str | os.PathLike[str] | None = None,
    *,
    device: str | None = "cpu",
    **settings: Any,
) -> list[Shard]:
    """A shard for each photograph, with its name.

    Args:
        photos: a folder, or paths of files. Cropped around the middle where they are not square, as `Target.of` does it.
        method: of `inversion.METHODS`.
        source: of the generator, as `load` takes it.
        device: of torch.
        settings: of the method.

    Raises:
        FileNotFoundError: no such photograph.
        ValueError: an unknown method or setting, or a folder without pictures.
    """
    if method not in METHODS:
        raise unknown_name("inversion method", method, METHODS)
    if isinstance(photos, str | os.PathLike):
        folder = as_path(photos)
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no folder {str(folder)!r} with photographs")
        found = pictures.in_folder(folder)
    else:
        found = [as_path(photo) for photo in photos]
    about, values = stamp(source, device), METHODS[method].checked(settings)
    if values.get("net") == "auto":  # chosen once for all: what is in the cache of one machine may not be in another's
        values["net"] = "vgg" if backbone_path("vgg").is_file() else "factors"
    where, encoders = about.pop(WHERE), _encoders(method, values)
    common = {**about, "encoders": encoders, "method": method, "settings": values}
    names: set[str] = set()
    made: list[Shard] = []
    for path in found:
        name = re.sub(r"[^A-Za-z0-9._-]", "_", path.stem).lstrip(".-") or "photo"
        if name in names or name.endswith((".failed", ".part")):
            name = f"{name}-{hashlib.sha256(path.name.encode()).hexdigest()[:8]}"
        names.add(name)
        place = {**where, "picture": str(path.resolve())}
        made.append({NAME: name, "picture": sha256_of(path), **common, WHERE: place})
    return made


@sharded
def inverted(shard: Shard, folder: Path) -> Made:
    """The result of one photograph; the file is what `Result.load` reads, too."""
    session = opened(shard)
    if _encoders(shard["method"], shard["settings"]) != shard["encoders"]:
        raise ValueError("the encoders are others here than where the plan was made: install the same files everywhere")
    path = as_path(shard[WHERE]["picture"])
    if sha256_of(path) != shard["picture"]:
        raise ValueError(f"{path} has changed since the plan was made")
    arrays, about = start(shard["method"], session, path, **shard["settings"]).finish().packed()
    return Made(arrays, {KEY: about}, machine(shard["device"]))


def _encoders(method: str, values: Mapping[str, Any]) -> str:
    """A digest of the encoders that a method may ask; "" where it asks none."""
    given = values.get("encoder", BUNDLED)
    guessed = METHODS[method].kind == "encoder" or method == "fast"
    if not guessed and values.get("start", values.get("pivot")) not in _GUESSES:
        return ""
    paths = [bundled(kind) for kind in ("psp", "e4e", "restyle")] if given == BUNDLED else [as_path(given)]
    return hashlib.sha256("".join(sha256_of(path) for path in paths if path.is_file()).encode()).hexdigest()
