"""Functions that make jobs: called they do all of it, started they are runs, and one job can be part of another."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Generic, ParamSpec, TypeVar

from .runs import Job, Run

P = ParamSpec("P")
R = TypeVar("R")


class Work(Generic[P, R]):
    """Decorates a function that makes a job. Called, it does all of it and returns the result; see `start` and `steps`.

    Calls take the keyword `callback` too: called with (done, total) after each step; what it raises ends the work.
    """

    def __init__(self, steps: Callable[P, Job[R]]) -> None:
        functools.update_wrapper(self, steps)
        self.steps = steps
        """Makes the job, to be part of another one: ``found = yield from work.steps(...)``."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        tell: Any = kwargs.pop("callback", None)
        job = self.steps(*args, **kwargs)
        try:
            while True:
                progress = next(job)
                if tell is not None:
                    tell(progress.done, progress.total)
        except StopIteration as end:
            result: R = end.value
            return result
        finally:
            job.close()

    def start(self, *args: P.args, **kwargs: P.kwargs) -> Run[R]:
        """A `Run` of it, of which nothing is done yet."""
        return Run(self.steps(*args, **kwargs))

    def __get__(self, owner: Any, kind: type | None = None) -> Work[..., R]:
        """Of a method: the same, bound."""
        return self if owner is None else Work(functools.partial(self.steps, owner))


class Stream(Work[P, R]):
    """As `Work`, for jobs whose steps have a `partial` result: a call gives those, better and better, as an iterator."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Iterator[R]:  # type: ignore[override]
        job = self.steps(*args, **kwargs)
        first = next(job)  # at once, because what does not fit is to be said here
        return (progress.partial() for progress in itertools.chain([first], job) if progress.partial)  # type: ignore[misc]


def part(job: Job[R], **changes: Any) -> Job[R]:
    """A job as part of a larger one, whose result so far is not that of the whole.

    Args:
        job: the part.
        changes: of each report, such as words="statistics".
    """
    try:
        while True:
            progress = next(job)
            yield replace(progress, **{"partial": None, **changes})
    except StopIteration as end:
        result: R = end.value
        return result
    finally:
        job.close()
