"""The fast projector and the optimiser in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets import GeneratorSession, inversion
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.inversion.methods import fast, lbfgs

QUICK: dict[str, Any] = {"steps": 12, "net": "factors", "samples": 6}


def make(resolution: int = 16) -> GeneratorSession:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        channels = (8, 8, 6, 6, 4, 4)[: resolution.bit_length() - 2]
        generator = StyleGAN2(
            StyleGAN2Config(z_dim=8, w_dim=8, resolution=resolution, channels=channels, mapping_layers=2)
        )
        generator.estimate_w_avg(1000)
    return GeneratorSession(generator, name="tiny")


@pytest.fixture(scope="module")
def session() -> GeneratorSession:
    return make()


@pytest.fixture(scope="module")
def target(session: GeneratorSession) -> inversion.Target:
    return inversion.Target.of([session.latent(seed=1), session.latent(seed=2)], session)


def valley(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Rosenbrock's function and its gradient, of each row."""
    x = x.clone().requires_grad_()
    value = (100 * (x[:, 1:] - x[:, :-1].square()).square() + (1 - x[:, :-1]).square()).sum(dim=1)
    return value.detach(), torch.autograd.grad(value.sum(), x)[0]


def descend(x: torch.Tensor, steps: int) -> lbfgs.State:
    state = lbfgs.begin(x, *valley(x))
    for _ in range(steps):
        trial = state.trial()
        before = state.value
        state = lbfgs.update(state, trial, *valley(trial), memory=10)
        assert bool((state.value <= before).all())
    return state


def test_lbfgs_follows_a_curved_valley_to_its_end() -> None:
    start = torch.tensor([[-1.2, 1.0, -1.2, 1.0], [0.0, 0.0, 0.0, 0.0], [2.0, -1.0, 0.5, 3.0]], dtype=torch.double)
    state = descend(start, 120)
    assert float(state.value.max()) < 1e-8


def test_problems_of_a_batch_do_not_touch_each_other() -> None:
    start = torch.tensor([[-1.2, 1.0, 0.3], [3.0, -2.0, 1.0]], dtype=torch.double)
    both = descend(start, 25)
    for i in range(2):
        assert torch.allclose(descend(start[i : i + 1], 25).x[0], both.x[i])


def test_a_trial_that_is_worse_or_not_finite_is_not_taken() -> None:
    x = torch.zeros(2, 3)
    state = lbfgs.begin(x, torch.ones(2), torch.ones(2, 3))
    after = lbfgs.update(state, state.trial(), torch.tensor([5.0, float("nan")]), torch.full((2, 3), float("nan")), 5)
    assert torch.equal(after.x, x) and torch.equal(after.value, state.value) and torch.equal(after.slope, state.slope)
    assert torch.allclose(after.length, state.length * lbfgs.SHRINK) and bool(torch.isfinite(after.trial()).all())
    for _ in range(20):
        after = lbfgs.update(after, after.trial(), torch.full((2,), 9.0), torch.ones(2, 3), 5)
    assert torch.equal(after.x, x) and bool(torch.isfinite(after.trial()).all())


@pytest.mark.slow
def test_a_resumed_run_is_the_uninterrupted_one_to_the_bit(
    session: GeneratorSession, target: inversion.Target, tmp_path: Path
) -> None:
    for at in (1, 7):  # between the looks, and in the descent
        whole, broken = (inversion.start("fast", session, target, **QUICK) for _ in range(2))
        for _ in range(at):
            broken.advance()
        resumed = inversion.resume(inversion.save_run(broken, tmp_path / "run"), session)
        whole.finish()
        resumed.finish()
        assert torch.equal(whole.code(), resumed.code()) and whole.history == resumed.history


@pytest.mark.parametrize("space", ["w", "w+"])
def test_the_loss_never_rises_and_the_code_is_what_it_belongs_to(
    space: str, session: GeneratorSession, target: inversion.Target
) -> None:
    run = inversion.start("fast", session, target, **QUICK, space=space)
    run.finish()
    losses = [terms["loss"] for terms in run.history]
    assert all(b <= a + 1e-6 for a, b in zip(losses, losses[1:], strict=False)) and losses[-1] < 0.7 * losses[0]
    assert isinstance(run, fast.FastProjector) and run.losses is not None
    drawn = inversion.spaces.draw(session, run.code(), space)
    assert torch.allclose(inversion.perceptual("factors").distance(drawn, target.images), run.losses, rtol=1e-3)
    assert run.result().space == space


def test_the_start_is_the_nearest_of_mean_and_samples(session: GeneratorSession, target: inversion.Target) -> None:
    run = inversion.start("fast", session, target, **QUICK)
    run.advance()
    run.advance()
    mean = inversion.spaces.spread(session).mean
    z = torch.from_numpy(np.random.RandomState(0).randn(6, 8)).float()
    faces = torch.cat([mean[None], mean + 0.7 * (session.generator.map(z)[:, 0] - mean)])
    drawn = inversion.spaces.draw(session, faces, "w")
    measure = inversion.perceptual("factors")
    for i in range(2):
        best = int(torch.stack([measure.distance(d[None], target.images[i : i + 1])[0] for d in drawn]).argmin())
        assert torch.allclose(run.code()[i], faces[best], atol=1e-5)


def test_large_generators_start_with_a_smaller_picture() -> None:
    large = make(128)
    target = inversion.Target.of(large.latent(seed=3), large)
    run = inversion.start("fast", large, target, **{**QUICK, "steps": 10})
    sides = []
    while not run.done:
        run.advance()
        sides.append(run._descent_side)  # type: ignore[attr-defined]
    assert sides == [0, 0, *[64] * 6, *[128] * 4]
    picture = run.picture()
    assert picture is not None and picture.shape == (1, 3, 128, 128)
    assert run.history[-1]["loss"] < run.history[0]["loss"]


def test_a_start_of_ones_own_needs_no_samples(session: GeneratorSession, target: inversion.Target) -> None:
    truth = torch.cat([session.map(session.latent(seed=seed))[:, 0] for seed in (1, 2)])
    run = fast.FastProjector(session, target, initial=truth, **QUICK)
    assert run.total == 12 and torch.equal(run.code(), truth)
    assert run.advance().terms["loss"] < 0.1  # what 8 bits leave


def test_the_mean_is_a_start_too_and_an_encoder_that_does_not_fit_is_refused(
    session: GeneratorSession, target: inversion.Target
) -> None:
    run = inversion.start("fast", session, target, **QUICK, start="mean")
    mean = inversion.spaces.spread(session).mean
    assert run.total == 12 and torch.equal(run.code(), mean.expand(2, 8)) and run.uses["start"] == "mean"
    assert inversion.start("fast", session, target, **QUICK).uses["start"] == "samples"
    with pytest.raises(ValueError, match="start='encoder' cannot be used here: e4e: this encoder was trained for"):
        inversion.start("fast", session, target, **QUICK, start="encoder")


def test_an_encoder_that_fits_gives_the_start(tmp_path: Path) -> None:
    known = sw.load("avatar-128", device="cpu")
    target = inversion.Target.of(known.latent(seed=7), known)
    run, guess = (inversion.start(name, known, target, **more) for name, more in (("fast", {"steps": 2}), ("e4e", {})))
    assert run.uses["start"] == "e4e" and run.total == 3
    run.advance()
    guess.advance()
    assert torch.allclose(run.code(), guess.code().mean(dim=1), atol=1e-5) and run.picture() is not None
    resumed = inversion.resume(inversion.save_run(run, tmp_path / "run"), known)
    assert torch.equal(resumed.code(), run.code())


@pytest.mark.slow
def test_an_interrupt_leaves_the_step_before(
    session: GeneratorSession, target: inversion.Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, whole = (inversion.start("fast", session, target, **QUICK) for _ in range(2))
    for _ in range(5):
        run.advance()
    code = run.code().clone()

    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(lbfgs, "update", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run.advance()
    assert run.step == 5 and torch.equal(run.code(), code)
    run.finish()
    whole.finish()
    assert torch.equal(run.code(), whole.code())
