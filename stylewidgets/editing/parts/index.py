"""A gallery on disk: it grows by jobs, keeps what was done when one is interrupted, and is searched where it lies."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...core import files
from ...jobs import Job, Progress
from ...latent.latent import Latent
from ...latent.saved import check_version
from .gallery import Closeness, check_generator, first

if TYPE_CHECKING:
    from ...session.session import GeneratorSession

KEY = "stylewidgets-gallery-index"
VERSION = 1
SHARD = 512
"""Latents of one pair of files; an interrupted job loses one shard at most."""


class GalleryIndex:
    """A folder of latents and their styles, half a float each, mapped into memory: of a search only the channels of the part are
    read, so that it also serves galleries that are larger than the memory.

    Each shard is a table ``0000.npy``, float16 [sum of channels, latents], and ``0000.json``, which is written last: a shard
    without it was interrupted and is made again. Nothing in the files is executed.

    Args:
        folder: made where it is not there.
        session: the generator.

    Raises:
        ValueError: the folder holds something else, or is of another generator.
    """

    def __init__(self, folder: str | os.PathLike[str], session: GeneratorSession) -> None:
        self.folder = Path(folder)
        self.generator = session.fingerprint()
        self.channels = sum(layer.channels for layer in session.layers)
        self._shards: list[tuple[NDArray[np.float16], list[object]]] = []
        self._known: set[str] = set()
        about = self.folder / "index.json"
        if about.is_file():
            with files.reading(about, "index of a gallery", "Accepted are folders made by GalleryIndex") as found:
                plain = files.parsed(found.read_text(encoding="utf-8"))
                check_version(plain[KEY], VERSION)
                check_generator(str(plain["generator"]), session)
            self._read()
        elif self.folder.is_dir() and any(self.folder.iterdir()):
            raise ValueError(
                f"{str(folder)!r} has other things in it and no index.json: give an empty folder or a new one"
            )
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            files.write(about, json.dumps({KEY: VERSION, "generator": self.generator, "channels": self.channels}))

    def __len__(self) -> int:
        """Latents in it."""
        return sum(len(latents) for _, latents in self._shards)

    def grown(self, session: GeneratorSession, latents: Iterable[Latent]) -> Job[GalleryIndex]:
        """Add latents: seeds, codes or inverted photographs. Those that are there are passed over, so that an interrupted job is
        resumed by starting it again."""
        check_generator(self.generator, session)
        more = [latent for latent in dict.fromkeys(latents) if _key(latent.to_dict()) not in self._known]
        for start in range(0, len(more), SHARD):
            part = more[start : start + SHARD]
            styles = np.empty((self.channels, len(part)), np.float16)
            for n, latent in enumerate(part):
                styles[:, n] = session.flat_styles(session.check(latent))[0].cpu().numpy()
                yield Progress(start + n + 1, len(more), "styles")
            self._write(styles, [latent.to_dict() for latent in part])
        return self

    def put(self, styles: NDArray[np.float16], latents: Sequence[Latent]) -> None:
        """Add latents whose styles [sum of channels, n] are known, as a shard. Those that are there are passed over."""
        plain: list[object] = [latent.to_dict() for latent in latents]
        new = [i for i, latent in enumerate(plain) if _key(latent) not in self._known]
        if new:
            self._write(np.ascontiguousarray(styles[:, new]), [plain[i] for i in new])

    def check(self, session: GeneratorSession) -> None:
        """ValueError where it is of another generator."""
        check_generator(self.generator, session)

    def latent(self, place: int) -> Latent:
        """One of its latents."""
        for _, latents in self._shards:
            if place < len(latents):
                return Latent.from_dict(latents[place])
            place -= len(latents)
        raise IndexError(f"the gallery has {len(self)} latents")

    def nearest(self, style: NDArray[np.float32], weights: NDArray[np.float32], n: int = 10) -> list[Closeness]:
        """See `Gallery.nearest`."""
        chosen = np.flatnonzero(weights)
        tables = [table[chosen].astype(np.float32) for table, _ in self._shards]
        return first(tables, style[chosen], weights[chosen], n)

    # -- inside ----------------------------------------------------------------------------------------------------------
    def _read(self) -> None:
        for path in sorted(self.folder.glob("[0-9]*.json")):
            with files.reading(path, "shard of a gallery", "Accepted are shards of GalleryIndex") as found:
                self._add(path.with_suffix(".npy"), files.parsed(found.read_text(encoding="utf-8")))

    def _write(self, styles: NDArray[np.float16], latents: list[object]) -> None:
        path = self.folder / f"{len(self._shards):04d}.npy"
        with files.writing(path) as part, part.open("wb") as file:
            np.save(file, styles, allow_pickle=False)
        files.write(path.with_suffix(".json"), json.dumps(latents, separators=(",", ":")))
        self._add(path, latents)

    def _add(self, path: Path, latents: Sequence[object]) -> None:
        table: NDArray[np.float16] = np.load(path, mmap_mode="r", allow_pickle=False)
        if table.dtype != np.float16 or table.shape != (self.channels, len(latents)):
            raise ValueError(f"{path.name} has {table.dtype} {list(table.shape)} for {len(latents)} latents")
        self._shards.append((table, list(latents)))
        self._known.update(_key(latent) for latent in latents)


def _key(latent: object) -> str:
    return json.dumps(latent, sort_keys=True)
