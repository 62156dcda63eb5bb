"""The C++ sources of this folder as libraries: built by ninja with the machine's own compiler at first use, and kept.

All are built at once, in parallel, and again when a source, a header, a flag or the compiler has changed; one that fails leaves
the others alone. They need no header but the language's own and no torch at compile time. Without a compiler the callers have a
way in plain torch. ``STYLEWIDGETS_COMPILE=0`` keeps to that way.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from functools import lru_cache
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from ...core.environ import switch
from ...core.files import cache_folder
from . import compilers
from .compilers import Compiler

HERE = Path(__file__).parent
_SECONDS = 300
_FAILED = re.compile(
    r"^FAILED: (?:\[code=[^\]]*\] )?(\S+)[^\n]*\n[^\n]*\n((?:(?!FAILED: |\[\d+/\d+\] |ninja: ).*\n)*)", re.M
)
"""What ninja says of a failed step: the file that was to be made, in the next line the command, then the compiler's words."""


@lru_cache(maxsize=8)
def library(name: str) -> ctypes.CDLL | None:
    """The library of ``<name>.cpp`` in this folder, or None where it cannot be had; then one warning says why."""
    if not switch("STYLEWIDGETS_COMPILE"):
        return None
    try:
        compiler = compilers.find()
    except ValueError as error:
        warnings.warn(f"CXX is no command ({error}), so plain torch is used", RuntimeWarning, stacklevel=1)
        return None
    if compiler is None:
        # Said at this place and not at the caller's, so that Python shows it once for all the sources.
        warnings.warn(
            "no C++ compiler was found: pictures are computed with plain torch, which takes 2 to 20 times as long on "
            "a CPU (install g++ or clang, or set CXX)",
            RuntimeWarning,
            stacklevel=1,
        )
        return None
    try:
        folder, failed = built(compiler, _folder())
        if name in failed:
            raise OSError(failed[name])
        made = ctypes.CDLL(str(folder / f"{name}{compiler.suffix}"))
        made.stylewidgets_fork(_fork())
        return made
    except (OSError, AttributeError, NotImplementedError, subprocess.SubprocessError) as error:  # a disk without locks
        said = str(error).strip().splitlines() or [type(error).__name__]
        warnings.warn(
            f"{name}.cpp could not be compiled with {compiler.words[0]}, so plain torch is used, which takes 2 to 4 times "
            f"as long on a CPU: {said[-1]}",
            RuntimeWarning,
            stacklevel=3,
        )
        return None


_DENSE = torch.contiguous_format


def address(tensor: Tensor, *shape: int, layout: torch.memory_format = _DENSE) -> int:
    """Where a tensor's numbers begin, for compiled code, which believes what it is told and would read past the end.

    Raises:
        ValueError: it is not float32, on the CPU, of this shape and dense in this layout.
    """
    # A hundred times in a frame: the plain questions are the quick ones.
    dense = tensor.is_contiguous() if layout is _DENSE else tensor.is_contiguous(memory_format=layout)
    if not dense or tensor.shape != shape or tensor.dtype is not torch.float32 or not tensor.is_cpu:
        raise ValueError(
            f"compiled code takes torch.float32 {list(shape)} on the CPU, dense in {layout}; {tensor.dtype} "
            f"{list(tensor.shape)} with strides {list(tensor.stride())} on {tensor.device} was given"
        )
    return tensor.data_ptr()


@lru_cache(maxsize=1)
def _fork() -> ctypes.c_void_p:
    """How torch starts its threads, GOMP_parallel of whichever OpenMP it was linked with; null where it cannot be found."""
    try:
        loaded = ctypes.CDLL(str(Path(torch.__path__[0]) / "lib" / "libtorch_cpu.so"))
        return ctypes.cast(loaded.GOMP_parallel, ctypes.c_void_p)
    except (OSError, AttributeError):
        return ctypes.c_void_p()


@lru_cache(maxsize=8)
def built(compiler: Compiler, home: Path) -> tuple[Path, dict[str, str]]:
    """Build what is not up to date; once in a process, and by one process at a time.

    Returns:
        The folder of the libraries, and for each source that failed what the compiler said.
    Raises:
        OSError, subprocess.SubprocessError: nothing could be built.
    """
    # The place of the sources is part of the name: two installations of the package do not undo each other's work.
    folder = home / hashlib.sha256(f"{HERE}\0{compiler.identity()}".encode()).hexdigest()[:16]
    folder.mkdir(exist_ok=True)
    names = sorted(source.stem for source in HERE.glob("*.cpp"))
    steps = "".join(f"build {name}{compiler.suffix}: library {name}.cpp\n" for name in names)
    try:
        with FileLock(str(folder / "lock"), timeout=_SECONDS):
            # Copied where they differ: a change is newer than what was built, whatever date an installer gave to the source.
            for source in [*HERE.glob("*.cpp"), *HERE.glob("*.h")]:
                _renew(folder / source.name, source.read_text(encoding="utf-8"))
            words = compiler.line().replace("$", "$$")
            _renew(folder / "build.ninja", f"words = {words}\nrule library\n{compiler.rule}{steps}")
            return folder, _run(folder, compiler)
    except Timeout:
        raise OSError(f"another process has been building in {folder} for {_SECONDS} s") from None


def _renew(target: Path, text: str) -> None:
    # As bytes: a damaged one may be anything.
    if not target.is_file() or target.read_bytes() != text.encode():
        target.write_bytes(text.encode())


def _run(folder: Path, compiler: Compiler) -> dict[str, str]:
    done = subprocess.run(
        [_ninja(), "-k", "0"],
        cwd=folder,
        env={**os.environ, **dict(compiler.environment)},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_SECONDS,
        check=False,
    )
    failed = {Path(name).stem: said for name, said in _FAILED.findall(done.stdout)}
    if done.returncode and not failed:
        raise OSError(done.stderr or done.stdout or f"ninja ended with {done.returncode}")
    for name in failed:  # what an earlier source gave is not taken for this one's
        (folder / f"{name}{compiler.suffix}").unlink(missing_ok=True)
    return failed


def _ninja() -> str:
    """The program, from the package of that name or else from the system."""
    try:
        from ninja import BIN_DIR
    except ImportError:
        BIN_DIR = ""
    found = shutil.which("ninja", path=BIN_DIR) or shutil.which("ninja")
    if found is None:
        raise OSError("ninja was not found (pip install ninja)")
    return found


def _folder() -> Path:
    """A folder that only this user can write to."""
    folder = cache_folder() / "compiled"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = folder.stat()
        own = sys.platform == "win32" or (state.st_uid == os.getuid() and not state.st_mode & 0o022)
        if own and os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass  # no home, or one that cannot be written to
    return _temporary()


@lru_cache(maxsize=1)
def _temporary() -> Path:
    return Path(tempfile.mkdtemp(prefix="stylewidgets-"))
