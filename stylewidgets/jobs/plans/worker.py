"""One shard: the same few lines wherever it is made, here, in another process or on another machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from .shards import NAME, Shard, maker_of


class Task(NamedTuple):
    """A shard to make: plain values, so that it goes anywhere.

    Attributes:
        job: "package.module:name" of the function, as the caller of `bulk` gave it.
        shard: plain JSON.
        folder: of the results.
    """

    job: str
    shard: Shard
    folder: str


class Outcome(NamedTuple):
    """What became of a shard: its name, and what went wrong or None."""

    name: str
    error: str | None = None


class Executor(Protocol):
    """Who does the tasks."""

    def outcomes(self, tasks: Sequence[Task]) -> Iterator[Outcome | None]:
        """What became of each, in the order in which they are done; None now and then where nothing came.

        Closing the iterator ends the work.
        """


def make(task: Task) -> Outcome:
    """Make a shard and write it, or write why it failed."""
    from .kept import Kept  # not with this module: processes are prepared before numpy is loaded

    kept = Kept(task.folder)
    try:
        maker = maker_of(task.job, trusted=True)
        with _one_thread():
            made = maker(task.shard, kept.folder)
        kept.write(task.job, task.shard, made)
    except Exception as error:  # noqa: BLE001  one that fails is a line in the table, and the others go on
        return Outcome(str(task.shard[NAME]), kept.fail(task.shard, error).error)
    return Outcome(str(task.shard[NAME]))


class Here:
    """One shard after the other, in this process."""

    def outcomes(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """See `Executor`."""
        return map(make, tasks)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Torch on one thread: how a sum is split among threads decides its last bits. Many workers make up for it."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
