"""Long work: a job is a generator that yields `Progress` and returns its result; a `Run` drives one, step by step.

Closing a job stops it. It yields at least every `LONGEST` seconds of work, or says beforehand that its next step cannot be
divided. A script drives a run with `run`, a page with `turn` in slices of at most `SLICE` seconds; the result is the same.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import json
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, ParamSpec, TypeVar

from .core.checks import unknown_name
from .core.lazy import resolve

LONGEST = 0.05
"""Seconds of work after which a job yields."""

SLICE = 0.08
"""Seconds that a page may stand still."""

READY, RUNNING, PAUSED, STOPPED, DONE, FAILED = "ready", "running", "paused", "stopped", "done", "failed"

P = ParamSpec("P")
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


# -- driving one --------------------------------------------------------------------------------------------------------
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


# -- starting one from plain values ---------------------------------------------------------------------------------------
Starter = Callable[..., Run[object]]
_KINDS: dict[str, Starter | str] = {}


def register(kind: str, starter: Starter | str) -> None:
    """Make a kind of work known to `start` and so to `session.start`.

    Args:
        kind: its name in a spec.
        starter: starter(session, **fields) -> Run; its keywords are the fields that a spec of the kind may have. Or
            "module:function", which is imported when it is first asked for.
    """
    _KINDS[kind] = starter


def kinds() -> list[str]:
    """The kinds that are known."""
    return list(_KINDS)


def start(session: object, spec: Mapping[str, object]) -> Run[object]:
    """The run that a spec describes, of which nothing is done yet; see `session.start`."""
    fields = _plain(spec)
    kind = fields.pop("kind", None)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise unknown_name("kind of work", kind, _KINDS)
    starter = _KINDS[kind]
    if isinstance(starter, str):
        starter = resolve(starter)
    assert callable(starter)
    known = check_names(f"field of work of the kind {kind!r}", fields, starter, 1)
    missing = [name for name, field_ in known.items() if field_.default is field_.empty and name not in fields]
    if missing:
        raise ValueError(f"work of the kind {kind!r} needs {', '.join(map(repr, missing))} as well")
    for name, wanted in (("settings", dict), ("statistics", dict), ("latents", list), ("target", str), ("method", str)):
        if not isinstance(fields.get(name), (wanted, type(None))):
            raise ValueError(f"{name} of a spec is a {wanted.__name__}; {fields[name]!r:.60} was given")  # noqa: TRY004  as for all of a spec
    made = starter(session, **fields)
    if made.spec is None:
        made._spec = _plain(spec)
    return made


def check_names(what: str, given: Mapping[str, Any], function: Callable[..., Any], skip: int) -> dict[str, Any]:
    """The parameters of a function by name; ValueError, with the nearest, for a given name that is none of them.

    Args:
        what: the names stand for.
        given: by name.
        function: that they are for.
        skip: so many parameters at the beginning are given otherwise.
    """
    known = dict(list(inspect.signature(function).parameters.items())[skip:])
    for name in given:
        if name not in known:
            raise unknown_name(what, name, known)
    return known


def _plain(spec: object) -> dict[str, Any]:
    """A copy of a spec; ValueError where it is more than plain JSON."""
    try:
        copy = json.loads(json.dumps(spec, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"a spec has plain JSON values only ({error}): latents as latent.to_dict(), pictures by the hash that "
            "session.put returns"
        ) from None
    if not isinstance(copy, dict):
        raise ValueError(f"a spec is a dict such as {{'kind': 'inversion', ...}}; {type(spec).__name__} was given")  # noqa: TRY004
    return copy
