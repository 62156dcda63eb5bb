"""The folder of a plan: a file for each shard, whole or not there, and one for each that failed."""

from __future__ import annotations

import json
import os
import re
import socket
import time
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open

from ...core import files
from .shards import NAME, Made, Shard, checked, header_of

KEY = "stylewidgets-shard"
PLAN = "plan.json"
VERSION = 1
_ACCEPTED = "Accepted are folders of jobs.bulk. Delete the file, and its shard is made again"
_HOST = re.sub(r"[^A-Za-z0-9]", "-", socket.gethostname())[:40]


@dataclass(frozen=True)
class Failure:
    """What became of a shard that failed.

    Attributes:
        name: of the shard.
        error: in one line, with its kind.
        tries: how often it was tried.
        host: where the last time.
        trace: where in the code.
    """

    name: str
    error: str
    tries: int = 1
    host: str = ""
    trace: str = ""


class Kept:
    """Results of a plan. Any number of processes may write to the folder, on any machine that shares it.

    Nothing in the files is executed, and none of them decides what is done.

    Args:
        folder: made when the first thing is written.
    """

    def __init__(self, folder: files.Given) -> None:
        self.folder = files.as_path(folder)

    def __repr__(self) -> str:
        return f"Kept({str(self.folder)!r})"

    # -- writing -------------------------------------------------------------------------------------------------------
    def begin(self, job: str, plan: Iterable[Shard]) -> None:
        """Say what is wanted, for those who look on, and clear away what processes of this machine left when they died."""
        self.folder.mkdir(parents=True, exist_ok=True)
        names = [str(shard[NAME]) for shard in plan]
        files.write(self.folder / PLAN, json.dumps({"version": VERSION, "job": job, "shards": names}, indent=0) + "\n")
        for part in self.folder.glob(f"*.{_HOST}-*.part"):
            found = re.search(r"-(\d+)\.part(\.[0-9a-f]+\.part)?$", part.name)
            if found and not _alive(int(found[1])):
                part.unlink(missing_ok=True)

    def write(self, job: str, shard: Shard, made: Made) -> None:
        """Write the result of a shard: all of it is on the disk, or nothing has its name."""
        about = header_of(job, shard) | ({"machine": made.machine} if made.machine else {})
        target = self.path(shard)
        part = target.with_name(f"{target.name}.{_HOST}-{os.getpid()}.part")
        try:
            files.write_arrays(part, made.arrays, about, KEY, made.about)
            with open(part, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
        self._failed(str(shard[NAME])).unlink(missing_ok=True)

    def fail(self, shard: Shard, error: BaseException) -> Failure:
        """Write down that a shard failed, and why."""
        name = str(shard[NAME])
        words = " ".join(f"{type(error).__name__}: {error}".split())
        before = self.failure(name)
        tries = 1 if before is None else before.tries + 1
        trace = "".join(traceback.format_exception(error))
        made = Failure(name, words, tries, socket.gethostname(), trace)
        files.write(self._failed(name), json.dumps(asdict(made), indent=1) + "\n")
        return made

    # -- what is there ---------------------------------------------------------------------------------------------------
    def path(self, shard: Shard | str) -> Path:
        """The file of a shard, or of the name of one."""
        return self.folder / f"{shard if isinstance(shard, str) else shard[NAME]}.safetensors"

    def has(self, job: str, shard: Shard) -> bool:
        """Whether the result of exactly this shard is there.

        Raises:
            ValueError: a file of its name is of something else. It is never used and never written over.
        """
        path = self.path(shard)
        if not path.is_file():
            return False
        told, wanted = self.header(shard), header_of(job, shard)
        told.pop("machine", None)
        if told != wanted:
            other = [key for key in {**wanted, **told} if told.get(key) != wanted.get(key)]
            said = "; ".join(f"{key} is {told.get(key)!r:.80} there, {wanted.get(key)!r:.80} here" for key in other[:4])
            raise ValueError(f"{path} is of other work: {said}. Give another folder; results are never mixed")
        return True

    def header(self, shard: Shard | str) -> dict[str, Any]:
        """What the file of a shard says that it is. ValueError where it is damaged."""
        with files.reading(self.path(shard), "result of a shard", _ACCEPTED) as path:
            with safe_open(str(path), framework="numpy") as file:
                about = files.parsed((file.metadata() or {})[KEY])
            if not isinstance(about, dict):
                raise ValueError("its header is no table")  # noqa: TRY004
            return about

    def arrays(self, shard: Shard | str) -> dict[str, Any]:
        """The arrays of a shard."""
        with files.reading(self.path(shard), "result of a shard", _ACCEPTED) as path:
            found: dict[str, Any] = files.read_arrays(path, KEY)[1]
        return found

    def results(self, job: str, plan: Iterable[Shard]) -> Iterator[dict[str, Any]]:
        """The arrays of all shards in the order of the plan, one in memory at a time.

        Raises:
            ValueError: some are missing, or of other work.
        """
        plan = checked(plan)
        missing = [str(shard[NAME]) for shard in plan if not self.has(job, shard)]
        if missing:
            raise ValueError(
                f"{len(missing)} of {len(plan)} shards are not there ({', '.join(missing[:5])}): run the plan again, "
                "and those that failed with --retry"
            )
        for shard in plan:
            yield self.arrays(shard)

    def machines(self, plan: Iterable[Shard]) -> list[str]:
        """On which types of machines the shards were made. Between two of them the last bits may differ."""
        return sorted({str(self.header(shard).get("machine", "unknown")) for shard in checked(plan)})

    # -- what failed, and how far it is ------------------------------------------------------------------------------------
    def failure(self, name: str) -> Failure | None:
        """Why a shard failed; None where it did not."""
        path = self._failed(name)
        if not path.is_file():
            return None
        with files.reading(path, "note of a failure", _ACCEPTED):
            return Failure(**files.parsed(path.read_text(encoding="utf-8")))

    def failures(self) -> list[Failure]:
        """All shards that failed, by name."""
        found = (self.failure(path.name.removesuffix(".failed.json")) for path in self.folder.glob("*.failed.json"))
        return sorted((each for each in found if each), key=lambda each: each.name)

    def status(self) -> Status:
        """How far the plan of this folder is, for whoever looks on. ValueError where the folder has none."""
        with files.reading(self.folder / PLAN, "plan", "Accepted are folders of jobs.bulk") as path:
            plan = files.parsed(path.read_text(encoding="utf-8"))
            job, names = str(plan["job"]), [str(name) for name in plan["shards"]]
        times = []
        there = {entry.name: entry for entry in os.scandir(self.folder)}
        for name in names:
            entry = there.get(f"{name}.safetensors")
            if entry is not None:
                times.append(entry.stat().st_mtime)
        failed = tuple(each for each in self.failures() if each.name in set(names))
        return Status(job, len(names), len(times), failed, max(times, default=0.0))

    def _failed(self, name: str) -> Path:
        return self.folder / f"{name}.failed.json"


@dataclass(frozen=True)
class Status:
    """How far a plan is.

    Attributes:
        job: the function that makes its shards.
        total, done: shards.
        failed: those that are not there because they failed.
        latest: when the last one was written, in seconds since 1970; 0 before the first.
    """

    job: str
    total: int
    done: int
    failed: tuple[Failure, ...]
    latest: float

    @property
    def left(self) -> int:
        """Shards of which nothing is known yet."""
        return self.total - self.done - len(self.failed)

    def __str__(self) -> str:
        ago = f", the last one {time.time() - self.latest:.0f} s ago" if self.latest else ""
        return f"{self.job}: {self.done} of {self.total} shards{ago}; {len(self.failed)} failed, {self.left} left"


def table(failures: Iterable[Failure]) -> str:
    """Which shards failed and why, a line each."""
    rows = [(each.name, str(each.tries), each.error) for each in failures]
    if not rows:
        return "nothing failed"
    wide = [max(len(row[i]) for row in [("shard", "tries", ""), *rows]) for i in range(2)]
    lines = [
        f"{name:<{wide[0]}}  {tries:>{wide[1]}}  {error}" for name, tries, error in [("shard", "tries", "why"), *rows]
    ]
    return "\n".join(lines)


def _alive(pid: int) -> bool:
    """Whether a process of this machine is there; True where that cannot be told."""
    try:
        os.kill(pid, 0) if os.name == "posix" else None
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
