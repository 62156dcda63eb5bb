"""A plan carried out: shards that are missing are made, wherever that is, and nothing is made twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Literal

from ...core import files
from ...core.checks import unknown_name
from ..runs import LONGEST, Job, Progress, Run
from .kept import Kept
from .processes import Processes
from .ray import OnRay
from .shards import NAME, Shard, checked, maker_of
from .worker import Executor, Here, Task

Named = Literal["here", "processes", "ray"]
_EXECUTORS: dict[str, Callable[[], Executor]] = {"here": Here, "processes": Processes, "ray": OnRay}
_LOOKED = 1.0
"""Seconds between two looks at a folder that others write to."""


def bulk(
    plan: Iterable[Shard],
    fn: str,
    folder: files.Given,
    executor: Named | Executor = "here",
    *,
    retry: bool = False,
) -> Run[Kept]:
    """Make the result of every shard of a plan, a file each.

    Which executor, how many workers and in which order do not change a bit of them, on one type of machine. A run that was
    stopped or killed goes on where it was: results that are there are left alone. One shard that fails does not stop the
    others; `Kept.failures` has it.

    Args:
        plan: shards, plain JSON; see `jobs.shards` and `jobs.Shard`.
        fn: "package.module:name" of the function that makes one: fn(shard, folder) -> `jobs.Made`, decorated with
            `jobs.sharded`. It is one of this package, or its module was imported by the caller.
        folder: of the results; for "ray" on storage that all machines share.
        executor: "here", "processes" (as many as processors) or "ray" ($RAY_ADDRESS), or `jobs.Processes(workers)`,
            `jobs.OnRay(cpus, gpus)`.
        retry: try those again that failed in an earlier run.

    Returns:
        A run, of which nothing is done yet: `jobs.run(run)` does it with a bar, an iteration step by step. Its progress counts
        shards, its result is the folder as `Kept`.

    Raises:
        ValueError: no such function or executor, a shard that is no plain JSON, or the folder has results of other work.
    """
    maker_of(fn)
    if isinstance(executor, str) and executor not in _EXECUTORS:
        raise unknown_name("executor", executor, _EXECUTORS)
    worker: Executor = _EXECUTORS[executor]() if isinstance(executor, str) else executor
    if fn.startswith("__main__:") and not isinstance(worker, Here):
        raise ValueError(
            f"{fn!r} is defined in a notebook or script, where no other process finds it: put it into a module"
        )
    shards, kept = checked(plan), Kept(folder)
    for shard in shards:
        kept.has(fn, shard)
    return Run(_steps(shards, fn, kept, worker, retry), again=lambda: _steps(shards, fn, kept, worker, False))


def _steps(plan: list[dict[str, object]], fn: str, kept: Kept, executor: Executor, retry: bool) -> Job[Kept]:
    kept.begin(fn, plan)
    there = {str(shard[NAME]) for shard in plan if kept.has(fn, shard)}
    names = {str(shard[NAME]) for shard in plan}
    failed = set() if retry else {each.name for each in kept.failures()} & names - there
    tasks = [Task(fn, shard, str(kept.folder)) for shard in plan if shard[NAME] not in there | failed]
    done = len(plan) - len(tasks)

    def progress() -> Progress:
        terms = {"failed": float(len(failed))} if failed else {}
        return Progress(done, len(plan), "shards", terms, partial=lambda: kept)

    yield progress()
    work = executor.outcomes(tasks)
    try:
        for outcome in work:
            if outcome is not None:
                done += 1
                failed |= {outcome.name} if outcome.error else set()
            yield progress()
    finally:
        getattr(work, "close", lambda: None)()
    return kept


def watch(folder: files.Given) -> Run[Kept]:
    """Follow a plan that somebody else carries out, in another process or on a cluster; it ends when nothing is left to do.

    Args:
        folder: of its results.

    Raises:
        ValueError, FileNotFoundError: there is no plan in it.
    """
    kept = Kept(folder)
    kept.status()
    return Run(_looks(kept), again=lambda: _looks(kept))


def _looks(kept: Kept) -> Job[Kept]:
    while True:
        found = kept.status()
        terms = {"failed": float(len(found.failed))} if found.failed else {}
        yield Progress(found.total - found.left, found.total, "shards", terms, partial=lambda: kept)
        if not found.left:
            return kept
        until = time.monotonic() + _LOOKED
        while time.monotonic() < until:
            time.sleep(LONGEST)
            yield Progress(found.total - found.left, found.total, "shards", terms, partial=lambda: kept)
