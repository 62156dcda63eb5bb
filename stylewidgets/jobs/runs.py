"""One job under way: what it reports, and going on with it step by step."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

LONGEST = 0.05
"""Seconds of work after which a job yields."""

READY, RUNNING, PAUSED, STOPPED, DONE, FAILED = "ready", "running", "paused", "stopped", "done", "failed"

R = TypeVar("R")


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        done: of `total`, in the job's own unit.
        total: None where it is not known.
        words: what is being done, where a job does several things.
        terms: what the step measured, by name; in inversions "loss" is what is minimised.
        indivisible: seconds that the next step will take about, where it takes longer than a page may stand still and cannot
            be divided; None for a short one.
        partial: makes the result of what is done so far; None where nothing can be said yet.
    """

    done: int = 0
    total: int | None = None
    words: str = ""
    terms: Mapping[str, float] = field(default_factory=dict)
    indivisible: float | None = None
    partial: Callable[[], object] | None = field(default=None, repr=False, compare=False)

    @property
    def step(self) -> int:
        """`done`, as an inversion calls it."""
        return self.done


Job = Generator[Progress, None, R]


class Run(Generic[R]):
    """One job under way. Making one does no work; each `advance` goes on to the next report.

    Iterating over it goes on until it ends or somebody pauses or stops it. A step that is interrupted leaves the run paused,
    or stopped where the job cannot go on; `result` is valid either way.

    Args:
        job: the work. Nobody else may take its steps.
        again: makes a job for what is left, where the state of the work outlives an interrupt or a stop.
        spec: what `session.start` makes the same run of: plain JSON values.

    Attributes:
        status: "ready", "running", "paused", "stopped", "done" or "failed".
        progress: the last report.
    """

    def __init__(
        self, job: Job[R], *, again: Callable[[], Job[R]] | None = None, spec: Mapping[str, Any] | None = None
    ) -> None:
        self._job, self._again, self._spec = job, again, spec
        self.status, self.progress = READY, Progress()
        self._result: R | None = None

    # -- going on ------------------------------------------------------------------------------------------------------
    def __iter__(self) -> Iterator[Progress]:
        return self

    def __next__(self) -> Progress:
        if self.status not in (READY, RUNNING):
            raise StopIteration(self._result)
        if inspect.getgeneratorstate(self._job) == inspect.GEN_RUNNING:  # which is no failure of the work
            raise RuntimeError("a step of this work is being done by somebody else: steps are taken one at a time")
        if self.status == READY:
            self.status = RUNNING
        began = time.perf_counter()
        try:
            progress = next(self._job)
        except StopIteration as end:
            if self.status == STOPPED:  # by another thread, a moment ago
                raise StopIteration(self._result) from None
            self._result, self.status = end.value, DONE
            raise
        except Exception:
            self.status = FAILED
            raise
        except BaseException:  # an interrupt, perhaps between two lines of this method
            self.status = PAUSED if self._again is not None or not self._over() else STOPPED
            raise
        took = time.perf_counter() - began
        if took > LONGEST and progress.indivisible is None:
            progress = replace(progress, indivisible=took)  # the job did not know, now somebody does
        if progress.partial is None and self.progress.partial is not None:
            progress = replace(progress, partial=self.progress.partial)
        self.progress = progress
        if self.status == STOPPED:  # meanwhile, by another thread or by the step itself
            self._job.close()
        return progress

    def advance(self) -> Progress:
        """Go on to the next report, be it after a pause. RuntimeError when nothing is left to do."""
        self.resume()
        return next(self, self.progress)

    def pause(self) -> None:
        """Stand still after the step that is being done; `resume` goes on with exactly the next one."""
        if self.status in (READY, RUNNING):
            self.status = PAUSED

    def resume(self) -> None:
        """Let iterations go on. RuntimeError when the work is done, or has ended and cannot go on."""
        if self.status == DONE or (self._over() and self._again is None):
            raise RuntimeError(f"this work is {self.status}: it has no more steps. Start it anew")
        if self._over() and self._again is not None:
            self._job = self._again()
        self.status = RUNNING

    def stop(self) -> None:
        """End the work; what it found so far stays."""
        if self.status not in (DONE, FAILED):
            self.status = STOPPED
        if inspect.getgeneratorstate(self._job) != inspect.GEN_RUNNING:  # else that step is the last one
            self._job.close()

    close = stop

    def _over(self) -> bool:
        return inspect.getgeneratorstate(self._job) == inspect.GEN_CLOSED

    # -- what it is ----------------------------------------------------------------------------------------------------
    @property
    def done(self) -> bool:
        """Whether all is done."""
        return self.status == DONE

    @property
    def spec(self) -> dict[str, Any] | None:
        """Plain JSON values that `session.start` makes the same run of; None where only Python can."""
        return None if self._spec is None else dict(self._spec)

    def result(self) -> R | None:
        """The result: whole when the work is done, else of what is done so far, None where nothing can be said yet."""
        if self.status == DONE or self.progress.partial is None:
            return self._result
        return self.progress.partial()  # type: ignore[return-value]  # the job says that it is one
