"""Pictures that clients sent for their jobs: read by our own reader, in memory only."""

from __future__ import annotations

import io
import threading
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..core import pictures
from ..inversion.target import Target
from ..remote.messages import MOST_LATENTS, TENSORS, Incoming, RemoteError
from ..session.session import GeneratorSession
from .bodies import Body

MOST_PIXELS = 40_000_000
"""Of a picture that is sent: more than any camera of a phone makes by default."""
ROOM = 256 << 20
"""Bytes of all pictures; those that were used longest ago go first."""
_SNIFFED = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


class Uploads:
    """Pictures by client and name in specs."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._kept: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """What all take."""
        return sum(map(_size, self._kept.values()))

    def keep(self, client: str, name: str, picture: object) -> None:
        """Keep a picture under the name that `session.put` gave it."""
        with self._lock:
            self._kept.pop((client, name), None)
            self._kept[client, name] = picture
            while self.nbytes > self._room and len(self._kept) > 1:
                self._kept.popitem(last=False)

    def known(self, client: str, session: GeneratorSession, spec: Mapping[str, object]) -> None:
        """Make the pictures that a spec names known to the session. `RemoteError` 424 where one is not here (any more)."""
        for field in ("target", "mask"):
            name = spec.get(field)
            if isinstance(name, str):
                with self._lock:
                    picture = self._kept.get((client, name))
                    if picture is None:
                        raise RemoteError(f"no picture was sent under {name[:64]}: send it again", 424)
                    self._kept.move_to_end((client, name))
                session.put(picture)

    def forget(self, client: str) -> None:
        """Drop the pictures of a client."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == client]:
                del self._kept[key]


def picture_of(data: bytes, kind: str, session: GeneratorSession) -> object:
    """What an upload holds, as `session.put` takes it. `RemoteError` 413 or 422 for what is not accepted.

    Args:
        data: a picture file; or a body of arrays: "image" uint8 or bool, or "images" with "mask" of a `Target`.
        kind: media type. Of a picture file it is not believed.
    """
    if kind != TENSORS:
        return _of_file(data)
    body = Body.read(data, kind).only("image", "images", "mask", "names", "latents")
    if "image" in body.arrays:
        return _of_array(body)
    height, width = session.picture_size
    images = body.array("images", "float32", (3, height, width))
    if images is None:
        raise RemoteError("an upload has a picture file, 'image' or 'images'", 422)
    if abs(images).max() > 1:
        raise RemoteError("'images' are in [-1, 1]", 422)
    given = body.values.get("latents") or [None] * len(images)
    names = body.values.get("names") or ["picture"] * len(images)
    if not isinstance(given, list) or not isinstance(names, list) or {len(given), len(names)} != {len(images)}:
        raise RemoteError(f"'names' and 'latents' are lists of {len(images)}, one for each of the images", 422)
    reader = Incoming()
    target = Target(
        torch.tensor(images, dtype=torch.float32, device="cpu"),
        tuple(str(name)[:100] for name in names),
        tuple(None if one is None else reader.latent(one) for one in given),
    )
    try:
        return target.with_mask(body.arrays.get("mask"))
    except ValueError as error:
        raise RemoteError(str(error), 422) from None


def _of_file(data: bytes) -> object:
    try:
        with _quiet(), Image.open(io.BytesIO(data), formats=_SNIFFED) as image:
            size = image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise RemoteError(f"a picture is a file of {', '.join(_SNIFFED)}; this is none that can be read", 422) from None
    if size[0] * size[1] > MOST_PIXELS:
        raise RemoteError(f"a picture may have {MOST_PIXELS:,} pixels; this one has {size[0]} × {size[1]}", 413)
    try:
        with _quiet():
            return np.asarray(pictures.read(data))
    except ValueError as error:
        raise RemoteError(str(error), 422) from None


def _of_array(body: Body) -> object:
    image = body.arrays["image"]
    if str(image.dtype) not in ("uint8", "bool") or not 2 <= image.ndim <= 4 or not image.size:
        raise RemoteError(
            f"'image' is uint8 or bool [H, W] or [H, W, 3]; {image.dtype} {list(image.shape)} was given", 422
        )
    if image.ndim == 4 and len(image) > MOST_LATENTS:
        raise RemoteError(f"'image' may have {MOST_LATENTS} pictures; this one has {len(image)}", 413)
    return image


@contextmanager
def _quiet() -> Iterator[None]:
    """What Pillow remarks on damaged files is for nobody here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _size(picture: Any) -> int:
    return int(picture.images.nbytes if isinstance(picture, Target) else picture.nbytes)
