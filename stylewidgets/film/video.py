"""Animation between latents: where each frame stands, and files of the frames as GIF, PNG or MP4. No widget here."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from ..core.files import as_path
from ..jobs import Job, Progress, Work

if TYPE_CHECKING:
    from ..latent.latent import Latent

EASES: dict[str, Callable[[float], float]] = {
    "linear": lambda t: t,
    "smooth": lambda t: t * t * (3.0 - 2.0 * t),
}
"""How time within a segment becomes progress, both in [0, 1]: evenly, or slow at both ends (3t² − 2t³)."""

MAX_GIF_FPS = 50
"""Browsers show GIF frames shorter than 20 ms as 100 ms."""


class Session(Protocol):
    """What is needed of a `GeneratorSession`."""

    def interpolate(self, a: Latent, b: Latent, t: float) -> Latent: ...
    def image(self, latent: Latent) -> np.ndarray: ...


class Writer(Protocol):
    """Writes a film frame by frame. After `close` the file is whole, however many frames there were."""

    path: Path

    def add(self, frame: np.ndarray) -> None: ...
    def close(self) -> None: ...


# -- time ---------------------------------------------------------------------------------------------------------------


def check_film(count: int, fps: float, seconds: float, ease: str) -> None:
    """Raise ValueError, with the remedy, when a film cannot be made from `count` keyframes with these numbers."""
    if count < 2:
        raise ValueError(
            f"an animation needs at least 2 snapshots, there {'is' if count == 1 else 'are'} {count}: take more"
        )
    if not 0 < fps <= 240:
        raise ValueError(f"fps must be above 0 and at most 240, not {fps!r}")
    if not 0 < seconds <= 3600:
        raise ValueError(f"seconds (for each segment) must be above 0 and at most 3600, not {seconds!r}")
    if ease not in EASES:
        raise ValueError(f"ease must be one of {', '.join(map(repr, EASES))}, not {ease!r}")


def segments(count: int, closed: bool) -> int:
    """Return how many steps lead through `count` keyframes; a closed film also goes from the last to the first."""
    return count if closed else count - 1


def frame_count(count: int, fps: float, seconds: float, closed: bool) -> int:
    """Return the number of frames. An open film shows its last keyframe; a closed one ends just before its first."""
    return max(1, round(fps * seconds)) * segments(count, closed) + (0 if closed else 1)


def place(time: float, count: int, ease: str, closed: bool) -> tuple[int, int, float]:
    """Return (a, b, t): keyframe a goes to keyframe b with progress t, at `time` counted in segments from 0.

    Time beyond either end stands at that end in an open film, and wraps round in a closed one.
    """
    total = segments(count, closed)
    time = time % total if closed else min(max(time, 0.0), float(total))
    a = min(int(time), total - 1)
    return a, (a + 1) % count, EASES[ease](time - a)


def latent_at(
    session: Session, keyframes: Sequence[Latent], time: float, ease: str = "smooth", closed: bool = False
) -> Latent:
    """Return the latent at `time`, counted in segments; on a keyframe it is that keyframe itself."""
    a, b, t = place(time, len(keyframes), ease, closed)
    if t == 0.0:
        return keyframes[a]
    return keyframes[b] if t == 1.0 else session.interpolate(keyframes[a], keyframes[b], t)


def frames(
    session: Session,
    keyframes: Sequence[Latent],
    fps: float = 25,
    seconds: float = 2.0,
    ease: str = "smooth",
    closed: bool = False,
) -> Iterator[np.ndarray]:
    """Yield the film's frames, uint8 [H, W, 3], rendered one at a time as they are asked for.

    `seconds` is the time from one keyframe to the next. `ease` is "linear" or "smooth". Frame k equals
    `session.image` of the latent at that time. Raises ValueError before the first frame for fewer than 2 keyframes
    or numbers out of range.
    """
    keyframes = tuple(keyframes)
    check_film(len(keyframes), fps, seconds, ease)
    per_segment = max(1, round(fps * seconds))
    total = frame_count(len(keyframes), fps, seconds, closed)

    def render() -> Iterator[np.ndarray]:
        for number in range(total):
            yield session.image(latent_at(session, keyframes, number / per_segment, ease, closed))

    return render()


# -- files --------------------------------------------------------------------------------------------------------------


def free_path(path: str | Path) -> Path:
    """Return the path, or the same with -2, -3 … before its ending when something is there already."""
    path = as_path(path)
    number, free = 2, path
    while free.exists():
        free, number = path.with_name(f"{path.stem}-{number}{path.suffix}"), number + 1
    return free


def check_frame(frame: ArrayLike, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return the frame as a contiguous array; raise ValueError unless it is uint8 [H, W, 3] of the film's shape."""
    frame = np.asarray(frame)
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        raise ValueError(f"a frame must be uint8 [H, W, 3], not {frame.dtype} {list(frame.shape)}")
    if shape is not None and frame.shape != shape:
        raise ValueError(
            f"all frames of a film have one size: the first was {list(shape)}, this is {list(frame.shape)}"
        )
    return np.ascontiguousarray(frame)


class GifWriter:
    """An endlessly repeating GIF, each frame with the 256 colours that suit it best.

    Written block by block, so that a long film needs no memory and a stopped one is whole. Delays are whole
    hundredths of a second; they alternate where fps asks for a fraction, so the film keeps its length.
    """

    def __init__(self, path: str | Path, fps: float = 25) -> None:
        self.path = as_path(path)
        self._fps = min(fps, MAX_GIF_FPS)
        self._file = open(self.path, "wb")  # noqa: SIM115  stays open until close()
        self._shape: tuple[int, ...] | None = None
        self._count = 0

    def add(self, frame: np.ndarray) -> None:
        """Append one frame, uint8 [H, W, 3]."""
        frame = check_frame(frame, self._shape)
        if self._shape is None:
            self._shape = frame.shape
            self._file.write(b"GIF89a" + struct.pack("<HHBBB", frame.shape[1], frame.shape[0], 0x70, 0, 0))
            self._file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")  # repeat without end
        colours, descriptor, pixels = _gif_parts(frame)
        delay = round((self._count + 1) * 100 / self._fps) - round(self._count * 100 / self._fps)
        size = (len(colours) // 3).bit_length() - 2
        self._file.write(b"\x21\xf9\x04\x04" + struct.pack("<H", delay) + b"\x00\x00")
        self._file.write(descriptor[:9] + bytes([0x80 | size]) + colours + pixels)
        self._count += 1

    def close(self) -> None:
        """Write the end; a film without frames leaves no file."""
        if not self._file.closed:
            self._file.write(b"\x3b")
            self._file.close()
            if self._count == 0:
                self.path.unlink(missing_ok=True)


def _gif_parts(frame: np.ndarray) -> tuple[bytes, bytes, bytes]:
    """Return a frame's colour table, image descriptor (10 bytes) and compressed pixels, as Pillow writes them."""
    picture = Image.fromarray(frame).quantize(256, method=Image.Quantize.MEDIANCUT)
    buffer = io.BytesIO()
    picture.save(buffer, "GIF", optimize=False, interlace=0)
    data = buffer.getvalue()
    colours = 3 * 2 ** ((data[10] & 7) + 1)
    at = 13 + colours
    while data[at] == 0x21:  # an extension: two bytes, then sub-blocks until an empty one
        at += 2
        while data[at]:
            at += data[at] + 1
        at += 1
    return data[13 : 13 + colours], data[at : at + 10], data[at + 10 : data.rindex(b"\x3b")]


class PngWriter:
    """Numbered lossless pictures, frame-00000.png and on: in a folder, or in one file when the path ends in .zip."""

    def __init__(self, path: str | Path) -> None:
        self.path = as_path(path)
        self._zip = zipfile.ZipFile(self.path, "w", zipfile.ZIP_STORED) if self.path.suffix == ".zip" else None
        if self._zip is None:
            self.path.mkdir(parents=True, exist_ok=True)
        self._count = 0

    def add(self, frame: np.ndarray) -> None:
        """Append one frame, uint8 [H, W, 3]."""
        buffer = io.BytesIO()
        Image.fromarray(check_frame(frame)).save(buffer, "PNG")
        name = f"frame-{self._count:05d}.png"
        if self._zip is not None:
            self._zip.writestr(name, buffer.getvalue())
        else:
            (self.path / name).write_bytes(buffer.getvalue())
        self._count += 1

    def close(self) -> None:
        """Write the end."""
        if self._zip is not None:
            self._zip.close()


@Work
def write(writer: Writer, film: Iterable[np.ndarray], total: int | None = None) -> Job[Path]:
    """Write all frames and close; when a frame fails the file holds those before it, and the exception goes on.

    `total` is the number of frames, for the progress.
    """
    try:
        for done, frame in enumerate(film, 1):
            writer.add(frame)
            yield Progress(done, total, partial=lambda: writer.path)
    finally:
        writer.close()
    return writer.path


def write_gif(path: str | Path, film: Iterable[np.ndarray], fps: float = 25) -> Path:
    """Write a repeating GIF and return its path. fps above 50 are written as 50, which is what browsers can show."""
    return write(GifWriter(path, fps), film)


def write_png_frames(path: str | Path, film: Iterable[np.ndarray]) -> Path:
    """Write numbered PNG files into a folder, or into one .zip file, and return its path."""
    return write(PngWriter(path), film)
