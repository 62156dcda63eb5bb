"""What every job keeps to, whatever it does: progress, stop, result at any time, interrupts, slices; and work from JSON."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylewidgets import directions, inversion, jobs, stylespace
from stylewidgets.film.export import export
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.jobs import Job, Progress, Run
from stylewidgets.jobs import starting as starting_jobs
from stylewidgets.session.session import GeneratorSession
from stylewidgets.stylespace import starting
from stylewidgets.stylespace.search import gradients
from stylewidgets.stylespace.search.overlap import Overlaps
from stylewidgets.training.directions import read
from stylewidgets.widgets.style_space_probe import steps as probe_steps


@pytest.fixture(scope="module")
def session() -> GeneratorSession:
    torch.manual_seed(0)
    config = StyleGAN2Config(z_dim=8, w_dim=8, c_dim=0, resolution=16, channels=(6, 6, 4), mapping_layers=2)
    return GeneratorSession(StyleGAN2(config), name="toy", device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def stats(session: GeneratorSession) -> stylespace.Statistics:
    return stylespace.statistics(session, 100)


def read_halves(pictures: torch.Tensor) -> torch.Tensor:
    parts = (pictures[:, :, :8], pictures[:, :, 8:], pictures[:, :, :4, :4])
    return torch.stack([part.mean(dim=(1, 2, 3)) for part in parts], dim=1)


READER = stylespace.Reader(("top", "bottom", "corner"), read_halves)
MASK = np.eye(16, dtype=bool)
MASK[4:9, 4:9] = True


class Readings:
    """In the role of a factor network."""

    class out:
        weight = torch.zeros(1)

    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        return read_halves(pictures)

    def readings(self, raw: torch.Tensor) -> dict[str, Any]:
        return {"top": raw[:, 0].numpy()}


def inverted(session: GeneratorSession, method: str, **settings: Any) -> Any:
    return inversion.start(method, session, session.latent(seed=1), **settings)


def found_local(session: GeneratorSession, stats: stylespace.Statistics) -> Run[Any]:
    latents = [session.latent(seed=i) for i in range(2)]
    return session.start(starting.local_spec(session, latents, stats, MASK, batch=8, cached=False))


def written(session: GeneratorSession, folder: Path) -> Run[Any]:
    path = folder / f"{len(list(folder.iterdir()))}.gif"
    return export.start(session, [session.latent(seed=i) for i in (1, 2)], path, fps=3, seconds=1.0)


Make = Callable[[GeneratorSession, stylespace.Statistics, Path], Run[Any]]
RANDOM = np.random.RandomState(0)
CODES, LABELS = RANDOM.randn(200, 6), RANDOM.rand(200, 3)

KINDS: dict[str, Make] = {
    "projector": lambda s, _, __: inverted(s, "projector", steps=4),
    "image2stylegan": lambda s, _, __: inverted(s, "image2stylegan", steps=3),
    "image2stylegan++": lambda s, _, __: inverted(s, "image2stylegan++", steps=3, noise_steps=3),
    "fast": lambda s, _, __: inverted(s, "fast", steps=4, samples=20),
    "hybrid": lambda s, _, __: inverted(s, "hybrid", steps=2, start_steps=2),
    "pti": lambda s, _, __: inverted(s, "pti", steps=2, pivot_steps=2),
    "statistics": lambda s, _, __: s.start(
        {"kind": "statistics", "settings": {"n": 130, "batch": 32, "cached": False}}
    ),
    "local search": lambda s, stats, _: found_local(s, stats),
    "gradients": lambda s, _, __: gradients.gradient_maps.start(s, s.latent(seed=1), grid=4, batch=4, cached=False),
    "readings": lambda s, stats, _: stylespace.read_samples.start(s, stats, READER, cached=False),
    "effects on readings": lambda s, stats, _: stylespace.factor_effects.start(s, stats, READER, np.ones(3), faces=4),
    "dependency": lambda s, stats, _: stylespace.attribute_dependency.start(
        s, stylespace.Channel(2, 1), stats, READER, "top", strengths=(1, 2), n=4
    ),
    "dci": lambda _, __, ___: stylespace.dci.start(CODES, LABELS),
    "disentanglement": lambda s, stats, _: stylespace.disentanglement.start(s, stats, READER, spaces=("w", "s mixed")),
    "report": lambda s, _, __: stylespace.make_report.start(
        s, READER, samples=64, faces=4, trial=2, candidates=2, spaces=("w",), cached=False
    ),
    "samples": lambda s, _, __: directions._sampling.sample_w.start(s, 3000),
    "pca": lambda s, _, __: directions.pca.start(s, samples=2500, components=3),
    "boundary": lambda _, __, ___: directions.boundary.start(CODES, CODES[:, 0] > 0, name="x"),
    "film": lambda s, _, folder: written(s, folder),
    "thumbnails": lambda s, _, __: Run(probe_steps.thumbnails(s, range(3), 8)),
    "reading faces": lambda s, _, __: read.start(s, Readings(), directions._sampling.sample_w(s, 70)),  # type: ignore[arg-type]
}


@pytest.fixture(params=KINDS)
def make(
    request: pytest.FixtureRequest, session: GeneratorSession, stats: stylespace.Statistics, tmp_path: Path
) -> Callable[[], Run[Any]]:
    (tmp_path / "films").mkdir()
    return lambda: KINDS[request.param](session, stats, tmp_path / "films")


def plain(value: Any) -> Any:
    """A result as what numpy can compare. Times, names of files and functions are no part of it."""
    if isinstance(value, Path):
        return value.read_bytes()
    if isinstance(value, inversion.Result):
        return plain([value.code, value.noise, value.delta, value.steps, [dict(terms) for terms in value.history]])
    if isinstance(value, Overlaps):
        return plain(vars(value))
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, directions.DirectionSet):
        return [plain(each) for each in value.values()]
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return None if callable(value) else value


def same(a: Any, b: Any) -> None:
    np.testing.assert_equal(plain(a), plain(b))


def interrupted(job: Job[Any], at: int) -> Job[Any]:
    """The job, with a kernel's interrupt where it is after `at` reports."""
    for number in itertools.count():
        if number == at:
            job.throw(KeyboardInterrupt)
        try:
            progress = next(job)
        except StopIteration as end:
            return end.value
        yield progress


def test_it_reports_progress_and_its_result_is_valid_at_any_time(make: Callable[[], Run[Any]]) -> None:
    run = make()
    assert (run.status, run.done) == ("ready", False)
    run.result()
    before: dict[str, int] = {}
    for progress in run:
        assert type(progress) is Progress and (progress.total is None or 0 <= progress.done <= progress.total)
        assert progress.done >= before.get(progress.words, 0), "it never goes back"
        before[progress.words] = progress.done
        run.result()
    assert (run.status, run.done) == ("done", True) and run.result() is not None and list(run) == []
    with pytest.raises(RuntimeError, match="no more steps|has done all"):
        run.advance()


def test_run_through_and_in_slices_it_finds_the_same(make: Callable[[], Run[Any]]) -> None:
    whole, sliced = make(), make()
    found = jobs.run(whole, disable=True)
    clock, turns = itertools.count().__next__, 0
    while jobs.turn(sliced, 1.5, clock):
        turns += 1
    assert turns > 0
    same(found, sliced.result())


def test_stop_ends_it_and_keeps_what_there_is(make: Callable[[], Run[Any]]) -> None:
    run, twin = make(), make()
    for each in (run, twin):
        next(each), next(each, None)
    if run.status == "running":
        run.stop()
        same(run.result(), twin.result())
        assert (run.status, list(run)) == ("stopped", [])


def test_an_interrupt_keeps_the_last_result_and_what_can_go_on_ends_as_if_nothing_had_been(
    make: Callable[[], Run[Any]],
) -> None:
    run, twin = make(), make()
    run._job = interrupted(run._job, 2)
    with pytest.raises(KeyboardInterrupt):
        list(run)
    for _ in range(2):
        next(twin)
    same(run.result(), twin.result())
    assert run.status == ("paused" if run._again else "stopped")
    if run._again:
        run.resume()
        same(jobs.run(run, disable=True), jobs.run(twin, disable=True))


SPECS = ("projector", "image2stylegan", "fast", "hybrid", "pti", "statistics", "local search")


@pytest.mark.parametrize("name", SPECS)
def test_its_spec_is_json_that_makes_the_same_run_again(
    name: str, session: GeneratorSession, stats: stylespace.Statistics, tmp_path: Path
) -> None:
    run = KINDS[name](session, stats, tmp_path)
    again = session.start(json.loads(json.dumps(run.spec)))
    assert again.spec == run.spec and again.status == "ready"
    same(jobs.run(run, disable=True), jobs.run(again, disable=True))


def test_a_film_is_made_from_json(session: GeneratorSession) -> None:
    latents = [session.latent(seed=i) for i in (1, 2)]
    run = session.start(
        {"kind": "video", "latents": [x.to_dict() for x in latents], "settings": {"fps": 3, "seconds": 1.0}}
    )
    path = jobs.run(run, disable=True)
    assert path is not None and path.read_bytes()[:6] == b"GIF89a"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"kind": "inversoin"}, "did you mean 'inversion'"),
        ({}, "kind of work"),
        ([], "a spec is a dict"),
        ({"kind": "statistics", "settings": {"n": np.int64(3)}}, "plain JSON"),
        ({"kind": "statistics", "seting": {}}, "did you mean 'settings'"),
        ({"kind": "inversion", "method": "projector"}, "needs 'target'"),
        ({"kind": "inversion", "method": "projector", "target": "0" * 64}, "session.put"),
        ({"kind": "video", "latents": [], "kind_": ".gif"}, "field"),
        ({"kind": "video", "latents": [], "settings": {"path": "x"}}, "setting of a film"),
        ({"kind": "statistics", "settings": {"m": 3}}, "setting of statistics"),
        ({"kind": "statistics", "settings": 5}, "settings of a spec is a dict; 5 was given"),
        ({"kind": "statistics", "settings": []}, "settings of a spec is a dict"),
        ({"kind": "inversion", "method": "projector", "target": ["a"]}, "target of a spec is a str"),
        ({"kind": "inversion", "method": [], "target": "a"}, "method of a spec is a str"),
        ({"kind": "video", "latents": 5}, "latents of a spec is a list"),
    ],
)
def test_a_spec_that_makes_no_sense_says_what_would(session: GeneratorSession, spec: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        session.start(spec)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"kind": "inversion", "method": "projector", "settings": {"step": 3}}, "did you mean 'steps'"),
        ({"kind": "local-search", "latents": [], "statistics": {"seeds": 1}}, "did you mean 'seed'"),
        ({"kind": "local-search", "latents": [], "statistics": {}, "settings": {"gird": 1}}, "did you mean 'grid'"),
    ],
)
def test_a_setting_that_is_not_known_is_refused_with_the_nearest_one(
    session: GeneratorSession, spec: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        session.start({**spec, "target": session.put(MASK)})


def test_a_picture_has_the_name_of_its_content(session: GeneratorSession) -> None:
    picture = session.image(session.latent(seed=1))
    name = session.put(picture)
    assert name == session.put(picture.copy()) and len(name) == 64
    assert session.put(picture[::-1]) != name and session.put(picture.reshape(-1, 48)) != name
    picture[:] = 0
    assert session.known(name).any(), "it is a copy"
    with pytest.raises(ValueError, match=r"uint8 array \[H, W, 3\]"):
        session.put(picture.astype(np.float32))


def test_a_kind_of_ones_own_is_registered(session: GeneratorSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting_jobs, "_KINDS", dict(starting_jobs._KINDS))

    def counted(session: Any, *, to: int) -> Run[int]:
        return Run(counting(to))

    jobs.register("counting", counted)
    assert jobs.run(session.start({"kind": "counting", "to": 3}), disable=True) == 3


# -- runs by themselves -------------------------------------------------------------------------------------------------
def counting(n: int) -> Job[int]:
    for k in range(n):
        yield Progress(k + 1, n, partial=lambda k=k: k + 1)  # type: ignore[misc]
    return n


def test_a_pause_ends_a_loop_and_resume_goes_on_with_the_next_step() -> None:
    run = Run(counting(5))
    for progress in run:
        if progress.done == 2:
            run.pause()
    assert (run.status, run.result()) == ("paused", 2)
    run.resume()
    assert [progress.done for progress in run] == [3, 4, 5] and run.result() == 5


def test_a_stop_from_within_a_step_is_the_last_one() -> None:
    closed = []

    def job() -> Job[None]:
        try:
            run.stop()
            yield Progress(1)
        finally:
            closed.append(True)

    run = Run(job())
    next(run)
    assert closed == [True] and list(run) == [] and run.status == "stopped"


def test_who_asks_for_a_step_within_a_step_is_told_and_the_work_goes_on() -> None:
    def job() -> Job[str]:
        with pytest.raises(RuntimeError, match="one at a time"):
            run.advance()
        yield Progress(1, 1)
        return "made"

    run = Run(job())
    assert jobs.run(run, disable=True) == "made" and run.status == jobs.DONE


def test_a_step_that_took_long_says_that_the_next_one_will(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count().__next__
    monkeypatch.setattr("stylewidgets.jobs.runs.time.perf_counter", clock)
    run = Run(counting(2))
    assert next(run).indivisible == 1.0


def test_a_long_step_waits_for_a_turn_of_its_own() -> None:
    def job() -> Job[None]:
        yield Progress(0)
        yield Progress(1, words="loading", indivisible=2.0)
        yield Progress(2)

    run = Run(job())
    assert jobs.turn(run, clock=lambda: 0.0) and run.progress.words == "loading"
    assert not jobs.turn(run, clock=lambda: 0.0) and run.done


def test_a_failure_goes_to_the_caller_and_the_run_says_so() -> None:
    def job() -> Job[None]:
        yield Progress(1, partial=lambda: "half")
        raise ValueError("broken")

    run = Run(job())
    with pytest.raises(ValueError, match="broken"):
        jobs.run(run, disable=True)
    assert (run.status, run.result()) == ("failed", "half")
    with pytest.raises(RuntimeError, match="failed: it has no more steps"):
        run.resume()


def test_an_interrupt_between_two_steps_leaves_the_run_paused() -> None:
    run = Run(counting(3))

    def each() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        jobs.turn(run, each=each)
    assert run.result() == 1 and next(run).done == 2


def test_a_call_does_all_of_it_and_tells_a_callback() -> None:
    count, seen = jobs.Work(counting), []
    assert count(3) == 3
    assert count(3, callback=lambda done, total: seen.append((done, total))) == 3  # type: ignore[call-arg]
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_bar_is_shown_for_each_thing_that_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    def job() -> Iterator[Progress]:
        yield from jobs.part(counting(2), words="first")
        yield from jobs.part(counting(4), words="second")

    jobs.run(job())  # type: ignore[arg-type]
    said = capsys.readouterr().err
    assert "first" in said and "2/2" in said and "second" in said and "4/4" in said


def test_networks_are_loaded_in_a_step_of_its_own_that_is_announced(session: GeneratorSession) -> None:
    run = inverted(session, "projector", steps=2)
    first = next(run)
    assert first.done == 0 and "loading" in first.words and (first.indivisible or 0) > 0.05 and not run.uses
    assert next(run).done == 0 and run.uses, "they are there, and no step is done yet"
    assert next(run).done == 1
    tuned = inverted(session, "pti", steps=1, pivot_steps=1)
    assert ["loading" in progress.words for progress in tuned] == [True, False, False] * 2


def test_long_work_needs_no_torch_numpy_or_widgets() -> None:
    check = (
        "import stylewidgets.jobs, sys\n"
        "assert not {'torch', 'numpy', 'ipywidgets', 'tqdm'} & set(sys.modules), 'imported'"
    )
    subprocess.run([sys.executable, "-c", check], check=True, timeout=60)
