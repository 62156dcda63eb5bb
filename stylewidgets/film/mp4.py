"""MP4 files, with whichever codec this machine has: imageio-ffmpeg, a system's ffmpeg, or PyAV."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ..core.files import as_path
from .video import Writer, check_frame, write

INSTALL = (
    "MP4 needs a video codec, and none was found: pip install imageio-ffmpeg (or PyAV: pip install av, or ffmpeg from "
    "the system's packages). GIF and PNG frames work without."
)
ENCODERS = {"libx264": ["-crf", "18", "-preset", "medium"], "libopenh264": ["-b:v", "4M"], "mpeg4": ["-q:v", "3"]}
"""Encoders by preference, with the options of a good quality."""


def find_ffmpeg() -> str | None:
    """Return the path of an ffmpeg program: the one of imageio-ffmpeg, else the system's, else None."""
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):  # not installed; installed without its program
        return shutil.which("ffmpeg")


def find_pyav() -> ModuleType | None:
    """Return the PyAV module, or None."""
    try:
        return import_module("av")
    except ImportError:
        return None


def why_not() -> str:
    """Return "" when MP4 files can be written here, else what to install."""
    return "" if find_ffmpeg() or find_pyav() else INSTALL


def open_mp4(path: str | Path, fps: float = 25) -> Writer:
    """Return a writer for this machine's codec. Raises RuntimeError that says what to install when there is none."""
    program = find_ffmpeg()
    if program:
        return FfmpegWriter(path, fps, program)
    av = find_pyav()
    if av is not None:
        return PyAvWriter(path, fps, av)
    raise RuntimeError(INSTALL)


def write_mp4(path: str | Path, film: Iterable[np.ndarray], fps: float = 25) -> Path:
    """Write an MP4 (H.264 where there is an encoder) and return its path. Raises RuntimeError without a codec."""
    return write(open_mp4(path, fps), film)


def _even(frame: np.ndarray) -> np.ndarray:
    """Repeat the last row and column where needed: the 4:2:0 colour format has whole pairs of pixels."""
    height, width = frame.shape[:2]
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge") if height % 2 or width % 2 else frame


class FfmpegWriter:
    """Sends raw frames to an ffmpeg program, which starts with the first frame."""

    def __init__(self, path: str | Path, fps: float, program: str) -> None:
        self.path = as_path(path)
        self._fps, self._program = fps, program
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  a pipe nobody reads would block the program
        self._shape: tuple[int, ...] | None = None

    def add(self, frame: np.ndarray) -> None:
        """Append one frame, uint8 [H, W, 3]."""
        frame = check_frame(frame, self._shape)
        if self._process is None:
            self._shape = frame.shape
            self._process = self._start(_even(frame))
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(_even(frame).tobytes())
        except BrokenPipeError:
            raise RuntimeError(f"ffmpeg stopped while writing {self.path}: {self._last_words()}") from None

    def close(self) -> None:
        """Let the program write the end. Raises RuntimeError with its own words when it failed."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            try:
                process.stdin.close()
            except BrokenPipeError:
                pass  # it has ended already; its exit code tells
            if process.wait():
                raise RuntimeError(f"ffmpeg could not write {self.path}: {self._last_words()}")

    def _start(self, frame: np.ndarray) -> subprocess.Popen[bytes]:
        height, width = frame.shape[:2]
        encoder = self._encoder()
        command = [
            self._program, "-hide_banner", "-loglevel", "error", "-y",
            "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(self._fps), "-i", "-",
            "-an", "-c:v", encoder, *ENCODERS[encoder], "-pix_fmt", "yuv420p", "-movflags", "+faststart",
            "-f", "mp4", str(self.path),
        ]  # fmt: skip
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._log)

    def _encoder(self) -> str:
        listing = subprocess.run(
            [self._program, "-hide_banner", "-encoders"], capture_output=True, text=True, timeout=60, check=False
        ).stdout.split()
        return next((name for name in ENCODERS if name in listing), "mpeg4")

    def _last_words(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace").strip()[-400:] or "it said nothing"


class PyAvWriter:
    """Encodes in this process with PyAV."""

    def __init__(self, path: str | Path, fps: float, av: ModuleType) -> None:
        self.path = as_path(path)
        self._av, self._fps = av, Fraction(fps).limit_denominator(1000)
        self._container: Any = None
        self._stream: Any = None
        self._shape: tuple[int, ...] | None = None

    def add(self, frame: np.ndarray) -> None:
        """Append one frame, uint8 [H, W, 3]."""
        frame = check_frame(frame, self._shape)
        if self._container is None:
            self._shape = frame.shape
            self._open(*_even(frame).shape[:2])
        picture = self._av.VideoFrame.from_ndarray(_even(frame), format="rgb24")
        self._container.mux(self._stream.encode(picture))

    def close(self) -> None:
        """Write the end."""
        container, self._container = self._container, None
        if container is not None:
            container.mux(self._stream.encode())
            container.close()

    def _open(self, height: int, width: int) -> None:
        encoder = next((name for name in ENCODERS if name in self._av.codecs_available), "mpeg4")
        self._container = self._av.open(str(self.path), "w", format="mp4")
        self._stream = self._container.add_stream(encoder, rate=self._fps)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        if encoder == "libx264":
            self._stream.options = {"crf": "18"}
