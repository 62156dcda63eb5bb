"""Driving a run: a page in short turns, a script with a bar."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from .runs import DONE, READY, RUNNING, Job, Progress, Run

SLICE = 0.08
"""Seconds that a page may stand still."""

R = TypeVar("R")


def turn(
    run: Run[object],
    seconds: float = SLICE,
    clock: Callable[[], float] = time.monotonic,
    each: Callable[[], object] = lambda: None,
) -> bool:
    """Do steps for at most so long, and one at least where there is one; says whether some are left.

    A long step waits for a turn of its own, so that what its job says of it can be shown first.

    Args:
        run: may be paused or stopped meanwhile.
        seconds: of the turn.
        clock: seconds, monotonic.
        each: called after every step.
    """
    began = clock()
    end = began + seconds
    for progress in run:
        each()
        now = clock()
        if now + max(now - began, progress.indivisible or 0.0) >= end:  # another one would be too long
            return run.status == RUNNING
        began = now
    return False


def shown(job: Run[R] | Job[R], **options: Any) -> Iterator[Progress]:
    """The steps of a run, with a tqdm bar for each of the `words` that it reports.

    Args:
        job: the run, or a job.
        options: of tqdm, such as unit="img".
    """
    from tqdm.auto import tqdm

    bars: dict[str, Any] = {}
    try:
        for progress in job:
            if progress.words not in bars:
                about = {"desc": progress.words or None, "total": progress.total, "initial": progress.done, **options}
                bars[progress.words] = tqdm(**about)
            bar = bars[progress.words]
            bar.total = progress.total
            if progress.terms:
                bar.set_postfix({name: f"{value:.3g}" for name, value in progress.terms.items()}, refresh=False)
            bar.update(progress.done - bar.n)
            yield progress
    finally:
        for bar in bars.values():
            bar.close()


def run(job: Run[R] | Job[R], **options: Any) -> R | None:
    """Do all that is left of a run or a job, with a bar, and return the result.

    An interrupt goes on to the caller and leaves the run paused, with what it found so far as its `result`.

    Args:
        job: a `Run`, or a job.
        options: of tqdm.
    """
    under_way = job if isinstance(job, Run) else Run(job)
    if under_way.status not in (READY, RUNNING, DONE):
        under_way.resume()
    try:
        for _ in shown(under_way, **options):
            pass
    except KeyboardInterrupt:
        under_way.pause()  # where it came between two steps
        raise
    return under_way.result()
