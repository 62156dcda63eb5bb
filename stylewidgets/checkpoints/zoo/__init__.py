"""The published checkpoints by name: where they are, what they are, under which licence, and the files on this machine."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.checks import unknown_name
from ...core.files import cache_folder, write
from .download import DownloadError, Tell, read_json, sha256_of, with_bar

if TYPE_CHECKING:
    from ...generators.protocol import Generator

FAMILIES = ("stylegan1", "stylegan2", "stylegan3", "stylenerf", "triplane")
"""Those of `generators.families` that published checkpoints are of; here by name, because a list needs no torch."""

_said: set[str] = set()
_log = logging.getLogger("stylewidgets")


@dataclass(frozen=True)
class Entry:
    """One published checkpoint. None where a value is not known.

    Attributes:
        name, alias: `stylewidgets.load` takes either.
        group: the publication that it belongs to.
        family: "stylegan1", "stylegan2", "stylegan3", "stylenerf" or "triplane".
        format: "tensorflow pickle" or "pytorch pickle".
        resolution: longer side in pixels.
        url: address of the file, None when it can only be fetched by hand.
        by_hand: page to fetch it from by hand.
        file: name of the file in the cache folder.
        page: of the project; has the terms of use.
        licence: of the weights, as published.
        citation: what to cite.
        sha256, bytes: of the file.
        crop: left, top, right, bottom of the picture inside its black borders; None for no borders.
        classes: of a conditional generator, 0 for none.
    """

    name: str
    group: str
    family: str
    format: str
    resolution: int
    url: str | None
    by_hand: str | None
    file: str
    page: str
    licence: str | None
    citation: str
    alias: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    crop: tuple[int, int, int, int] | None = None
    classes: int = 0

    @property
    def terms(self) -> str:
        """The licence in words."""
        return self.licence or f"no licence is recorded here; its terms are at {self.page}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def check(self, generator: Generator, path: Path) -> None:
        """Raise ValueError when a file opened under this name holds another generator."""
        told = {"family": self.family, "resolution": self.resolution, "classes": self.classes}
        found = {"family": generator.family, "resolution": generator.resolution, "classes": generator.c_dim}
        for name, value in told.items():
            if found[name] != value:
                raise ValueError(
                    f"{path} is not {self.name}: its {name} is {found[name]}, and should be {value}. Delete it and load "
                    "again, or load it by its path"
                )


@lru_cache(maxsize=1)
def entries() -> tuple[Entry, ...]:
    """Every checkpoint of the catalogue that can be opened, in its order."""
    return tuple(one for one in catalogue() if one.family in FAMILIES)


@lru_cache(maxsize=1)
def catalogue() -> tuple[Entry, ...]:
    """Every published checkpoint that is known, also of families that are not built."""
    text = Path(__file__).with_name("zoo.json").read_text(encoding="utf-8")
    return tuple(_entry(group, values) for group in json.loads(text)["groups"] for values in group["files"])


def _entry(group: dict[str, Any], values: dict[str, Any]) -> Entry:
    both = {**group, **values}
    crop = both.get("crop")
    return Entry(
        name=both["name"],
        group=both["title"],
        family=both["family"],
        format=both["format"],
        resolution=both["resolution"],
        url=both["base"] + both["file"] if both["base"] else None,
        by_hand=both.get("by_hand"),
        file=both["name"] + Path(both["file"]).suffix,
        page=both["page"],
        licence=both["licence"],
        citation=both["citation"],
        alias=both.get("alias"),
        sha256=both.get("sha256"),
        bytes=both.get("bytes"),
        crop=None if crop is None else tuple(crop),
        classes=both.get("classes", 0),
    )


def names() -> list[str]:
    """Everything that `entry` takes: the aliases first, because they are short."""
    return [e.alias for e in entries() if e.alias] + [e.name for e in entries()]


def entry(name: str) -> Entry:
    """The checkpoint of that name or alias. ValueError with the nearest name when there is none."""
    for one in entries():
        if name in (one.name, one.alias):
            return one
    raise unknown_name("checkpoint in the zoo", name, names())


def path(one: Entry) -> Path:
    """Where the file of a checkpoint is, or would be."""
    return cache_folder() / one.file


def get(name: str, *, progress: Tell | bool = True) -> Path:
    """The file of a checkpoint, downloaded at the first time. Its licence is logged once per process.

    ``$STYLEWIDGETS_ZOO`` replaces the publishers' servers by the address of a folder with the same files under the
    names of the cache folder, such as one that a teacher serves with ``python -m http.server``.

    Args:
        progress: True shows a bar, False nothing; or a function that is called with (bytes so far, bytes in all or None).
    Raises:
        ValueError: no such name; the nearest one is given.
        DownloadError: it cannot be fetched; the text says where to put the file by hand.
    """
    one = entry(name)
    target = path(one)
    _say_licence(one)
    if target.is_file():
        _check_kept(one, target)
        return target
    mirror = os.environ.get("STYLEWIDGETS_ZOO")
    url = f"{mirror.rstrip('/')}/{one.file}" if mirror else one.url
    if url is None:
        raise DownloadError(
            f"{one.name} can only be fetched by hand: open {one.by_hand or one.page}, save the file, and put "
            f"it to {target}"
        )
    fetched = with_bar(url, target, progress, sha256=one.sha256, size=one.bytes)
    if one.sha256 is None:
        _log.warning(
            "%s: no published sha256 is known, so this first download is trusted; its sha256 is in %s.json",
            one.name,
            fetched,
        )
    return fetched


def _check_kept(one: Entry, target: Path) -> None:
    """A file in the cache may have been put there by hand: refuse one that is known to be another."""
    record = read_json(Path(f"{target}.json"))
    size = target.stat().st_size
    wanted = one.bytes or record.get("bytes")
    if wanted is not None and size != wanted:
        raise DownloadError(f"{target} has {size:,} bytes; {one.name} has {wanted:,}. Delete it and load again")
    if one.sha256 is not None and record.get("sha256") != one.sha256:
        found = sha256_of(target)
        if found != one.sha256:
            raise DownloadError(
                f"{target} is another file: sha256 {found}, known is {one.sha256}. Delete it and load again"
            )
        about = {"url": one.url, "bytes": size, "sha256": found, "trust": "published sha256"}
        write(f"{target}.json", json.dumps(about))


def _say_licence(one: Entry) -> None:
    if one.name not in _said:
        _said.add(one.name)
        _log.warning("%s: %s. Cite: %s", one.name, one.terms, one.citation)
