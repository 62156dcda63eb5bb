"""Optimisations: schedules, seeds, batches, masks, interrupts, and runs saved to a file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylewidgets import GeneratorSession, inversion
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.inversion import spaces
from stylewidgets.inversion.losses import losses
from stylewidgets.inversion.methods import projector
from stylewidgets.inversion.methods.descent import Descent
from stylewidgets.inversion.noise import normalise


@pytest.fixture(scope="module")
def session() -> GeneratorSession:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator = StyleGAN2(StyleGAN2Config(z_dim=8, w_dim=8, resolution=16, channels=(8, 8, 6), mapping_layers=2))
        with torch.no_grad():
            for name, parameter in generator.named_parameters():
                if name.endswith("noise_strength"):
                    parameter.fill_(0.2)
        generator.estimate_w_avg(1000)
    return GeneratorSession(generator, name="tiny")


@pytest.fixture(scope="module")
def target(session: GeneratorSession) -> inversion.Target:
    return inversion.Target.of([session.latent(seed=1), session.latent(seed=2)], session)


SMALL: dict[str, dict[str, Any]] = {
    "projector": {"steps": 12, "net": "factors"},
    "image2stylegan": {"steps": 12, "net": "factors"},
}


def same(a: inversion.Run, b: inversion.Run) -> bool:
    noise = zip(a.noise() or [], b.noise() or [], strict=True)
    return torch.equal(a.code(), b.code()) and all(torch.equal(x, y) for x, y in noise) and a.history == b.history


# -- schedules and losses ----------------------------------------------------------------------------------------------
def test_the_projectors_rate_is_a_warm_up_and_a_cosine() -> None:
    steps = np.arange(1000)
    found = np.array([0.1 * projector.rate(step / 1000) for step in steps])
    t = steps / 1000
    expected = 0.1 * np.minimum(1, t / 0.05) * (0.5 - 0.5 * np.cos(np.pi * np.minimum(1, (1 - t) / 0.25)))
    assert np.allclose(found, expected)
    assert found[0] == 0 and found[50] == pytest.approx(0.1) and found[750] == pytest.approx(0.1)
    assert found[25] == pytest.approx(0.05) and found[875] == pytest.approx(0.05) and found[999] < 1e-5


def test_w_is_perturbed_less_and_less_and_not_in_the_last_quarter() -> None:
    assert projector.perturbation(0.0) == 1 and projector.perturbation(0.375) == pytest.approx(0.25)
    assert projector.perturbation(0.75) == 0 and projector.perturbation(0.9) == 0


def test_the_noise_regulariser_is_the_sum_of_squared_shifted_products() -> None:
    source = np.random.RandomState(0)
    maps = [source.randn(2, 1, 4, 4), source.randn(2, 1, 8, 8), source.randn(2, 1, 32, 32)]
    expected = np.zeros(2)
    for n in range(2):
        for layer in maps:
            x = layer[n, 0]
            while True:
                h, w = x.shape
                right = np.mean([x[i, j] * x[i, (j - 1) % w] for i in range(h) for j in range(w)])
                down = np.mean([x[i, j] * x[(i - 1) % h, j] for i in range(h) for j in range(w)])
                expected[n] += right**2 + down**2
                if h <= 8:
                    break
                x = np.array([[x[i : i + 2, j : j + 2].mean() for j in range(0, w, 2)] for i in range(0, h, 2)])
    found = losses.noise_regulariser([torch.from_numpy(layer) for layer in maps])
    assert found.tolist() == pytest.approx(expected.tolist())
    assert losses.noise_regulariser([]).tolist() == [0.0]


def test_noise_is_normalised_picture_by_picture() -> None:
    noise = [torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 3 + 2]
    normalise(noise)
    assert torch.allclose(noise[0].mean((1, 2, 3)), torch.zeros(2), atol=1e-6)
    assert torch.allclose(noise[0].square().mean((1, 2, 3)), torch.ones(2), atol=1e-5)


def test_the_spread_of_w_is_the_root_mean_square_length(session: GeneratorSession) -> None:
    found = spaces.spread(session)
    z = np.random.RandomState(123).randn(10_000, 8).astype(np.float32)
    with torch.no_grad():
        w = session.generator.map(torch.from_numpy(z))[:, 0].double()
    assert torch.allclose(found.mean.double(), w.mean(0), atol=1e-4)
    assert found.length == pytest.approx(math.sqrt(float((w - w.mean(0)).square().sum() / 10_000)), rel=1e-4)
    white = (w - w.mean(0)) @ torch.linalg.inv(found.whitening(0).double())
    assert torch.allclose(white.T @ white / 10_000, torch.eye(8, dtype=torch.double), atol=1e-2)
    assert spaces.spread(session) is found


def test_gram_matrices_under_a_mask_see_only_its_places() -> None:
    x = torch.randn(1, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., :2, :] = 1
    inside = x[..., :2, :].reshape(3, 8)
    assert torch.allclose(losses.gram(x, mask)[0], inside @ inside.T / 8, atol=1e-6)
    assert torch.allclose(losses.gram(x)[0], x[0].reshape(3, 16) @ x[0].reshape(3, 16).T / 16, atol=1e-6)


def test_every_loss_of_the_criterion_vanishes_at_the_target_only(session: GeneratorSession) -> None:
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    weights = {"perceptual": 1.0, "pixels": 2.0, "ms_ssim": 1.0, "identity": 1.0}
    criterion = losses.Criterion(pictures, None, inversion.perceptual("factors"), weights, identity="factors")
    total, terms = criterion(pictures)
    assert list(terms) == list(weights) and torch.allclose(total, torch.zeros(2), atol=1e-5)
    total, terms = criterion(pictures.flip(3))
    assert all(bool((term > 1e-3).all()) for term in terms.values())
    assert torch.allclose(total, terms["perceptual"] + 2 * terms["pixels"] + terms["ms_ssim"] + terms["identity"])
    with pytest.raises(ValueError, match="there is no identity network"):
        losses.Criterion(pictures, None, None, {"identity": 1.0}, identity="arcface")


def test_an_identity_network_can_be_brought_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "IDENTITIES", dict(losses.IDENTITIES))
    losses.register_identity("mean colour", lambda device: lambda images: images.mean(dim=(2, 3)) + 1.5)
    pictures = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    criterion = losses.Criterion(pictures, None, None, {"identity": 1.0}, identity="mean colour")
    assert float(criterion(pictures.flip(2))[0]) == pytest.approx(0, abs=1e-6)  # the same mean colour
    assert float(criterion(pictures.flip(1) - 1)[0]) > 1e-5


# -- runs --------------------------------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize("method", SMALL)
def test_equal_seeds_are_equal_runs_and_others_are_not(
    method: str, session: GeneratorSession, target: inversion.Target
) -> None:
    runs = [inversion.start(method, session, target, **SMALL[method], start="random", seed=seed) for seed in (3, 3, 4)]
    for run in runs:
        torch.rand(1)  # the global random source has no say
        run.finish()
    assert same(runs[0], runs[1]) and not same(runs[0], runs[2])


@pytest.mark.slow
@pytest.mark.parametrize("method", SMALL)
def test_a_batch_is_as_many_single_runs(method: str, session: GeneratorSession, target: inversion.Target) -> None:
    both = inversion.invert(session, target, method, **SMALL[method])
    for i in range(2):
        alone = inversion.invert(session, target[i], method, **SMALL[method])
        assert np.allclose(alone.code[0], both.code[i], atol=5e-3)  # Adam divides by its gradients' size


@pytest.mark.parametrize("method", SMALL)
def test_a_resumed_run_is_the_uninterrupted_one_to_the_bit(
    method: str, session: GeneratorSession, target: inversion.Target, tmp_path: Path
) -> None:
    whole = inversion.start(method, session, target, **SMALL[method])
    broken = inversion.start(method, session, target, **SMALL[method])
    for _ in range(5):
        broken.advance()
    path = inversion.save_run(broken, tmp_path / "run.safetensors")
    resumed = inversion.resume(path, session)
    assert resumed.step == 5 and resumed.target.names == target.names
    resumed.finish()
    whole.finish()
    assert same(whole, resumed)


def test_a_run_that_has_not_begun_can_be_saved_too(
    session: GeneratorSession, target: inversion.Target, tmp_path: Path
) -> None:
    run = inversion.start("projector", session, target.with_mask(torch.ones(16, 16)), **SMALL["projector"])
    resumed = inversion.resume(inversion.save_run(run, tmp_path / "a"), session)
    assert resumed.target.mask is not None
    run.finish()
    resumed.finish()
    assert same(run, resumed)


@pytest.mark.slow
@pytest.mark.parametrize("at", ["_objective", "_rate", "_after"])
def test_an_interrupt_leaves_the_run_at_the_step_before(
    at: str, session: GeneratorSession, target: inversion.Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = inversion.start("projector", session, target, **SMALL["projector"])
    run = inversion.start("projector", session, target, **SMALL["projector"])
    for _ in range(3):
        run.advance()
    before = run.result()

    def interrupted(self: Any) -> Any:
        torch.randn(1, generator=self._source)
        self._code.data.add_(1)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(projector.Projector, at, interrupted)
        with pytest.raises(KeyboardInterrupt):
            run.advance()
    after = run.result()
    assert after.steps == before.steps == len(after.history) == 3 and np.array_equal(after.code, before.code)
    run.finish()
    whole.finish()
    assert same(run, whole)


def test_a_loss_that_is_not_finite_stops_the_run_where_it_was(
    session: GeneratorSession, target: inversion.Target
) -> None:
    run = inversion.start("image2stylegan", session, target, **SMALL["image2stylegan"])
    run.advance()
    good = run.code().clone()
    assert isinstance(run, Descent)
    run._criterion.images = torch.full_like(run._criterion.images, math.nan)  # type: ignore[attr-defined]
    with pytest.raises(FloatingPointError, match="not finite"):
        run.advance()
    assert torch.equal(run.code(), good) and run.step == 1


def test_nothing_is_computed_before_the_first_step(session: GeneratorSession, target: inversion.Target) -> None:
    run = inversion.start("projector", session, target, **SMALL["projector"])
    assert run._optimizer is None and run.picture() is None  # type: ignore[attr-defined]
    assert run.result().code.shape == (2, 8)  # the start: the mean of w
    assert np.allclose(run.result().code[0], spaces.spread(session).mean.numpy())


def test_the_first_step_of_the_projector_moves_nothing(session: GeneratorSession, target: inversion.Target) -> None:
    run = inversion.start("projector", session, target, **SMALL["projector"])
    start = run.result().code
    progress = run.advance()
    assert np.array_equal(run.result().code, start) and set(progress.terms) == {"loss", "perceptual", "noise"}
    assert progress.terms["loss"] == pytest.approx(
        progress.terms["perceptual"] + 1e5 * progress.terms["noise"], rel=1e-4
    )


def test_noise_is_fitted_and_drawn(session: GeneratorSession, target: inversion.Target) -> None:
    result = inversion.invert(session, target, **SMALL["projector"])
    assert result.noise is not None
    assert [layer.shape for layer in result.noise] == [(2, 1, *shape) for shape in session.generator.noise_shapes]
    assert all(np.allclose(np.square(layer).mean((1, 2, 3)), 1, atol=1e-3) for layer in result.noise)
    assert result.images(session).shape == (2, 16, 16, 3)
    assert inversion.invert(session, target, **SMALL["projector"], fit_noise=False).noise is None


@pytest.mark.parametrize("space, shape", [("w", (2, 8)), ("w+", (2, 6, 8)), ("s", (2, 60))])
def test_image2stylegan_works_in_every_space(
    space: str, shape: tuple[int, ...], session: GeneratorSession, target: inversion.Target
) -> None:
    run = inversion.start("image2stylegan", session, target, **SMALL["image2stylegan"], space=space)
    result = run.finish()
    assert result.space == space and result.code.shape == shape
    assert result.history[-1]["loss"] < result.history[0]["loss"]
    assert result.images(session).shape == (2, 16, 16, 3)
    assert result.uses["perceptual"] == "factor-net maps"


@pytest.mark.slow
def test_a_masked_part_has_no_influence(session: GeneratorSession, target: inversion.Target) -> None:
    mask = torch.zeros(16, 16)
    mask[:, :8] = 1
    other = inversion.Target(torch.where(mask > 0, target.images, -target.images), target.names, target.latents)
    for method, settings in SMALL.items():
        a, b = (inversion.start(method, session, t.with_mask(mask), **settings) for t in (target, other))
        a.finish()
        b.finish()
        assert same(a, b), method
        c = inversion.start(method, session, target, **settings)
        c.finish()
        assert not same(a, c)


def test_a_code_of_ones_own_is_where_it_starts(session: GeneratorSession, target: inversion.Target) -> None:
    given = torch.randn(1, 8, generator=torch.Generator().manual_seed(0))
    run = projector.Projector(session, target, initial=given, **SMALL["projector"])
    assert np.allclose(run.result().code, given.expand(2, -1).numpy())
    with pytest.raises(ValueError, match=r"a start in w is finite and has shape \[2, 8\]"):
        projector.Projector(session, target, initial=torch.zeros(2, 9), **SMALL["projector"])


@pytest.mark.slow
def test_the_projector_finds_a_known_w() -> None:
    import stylewidgets as sw

    bundled = sw.load("avatar-64")
    known = inversion.Target.of(bundled.latent(seed=5, psi=0.7), bundled)
    run = inversion.start("projector", bundled, known, steps=60, rate=0.2, net="factors", fit_noise=False)
    start = float((run.code()[0] - bundled.map(bundled.latent(seed=5, psi=0.7))[0, 0]).norm())
    run.finish()
    away = float((run.code()[0] - bundled.map(bundled.latent(seed=5, psi=0.7))[0, 0]).norm())
    assert away < 0.5 * start and run.history[-1]["perceptual"] < 0.05 * run.history[0]["perceptual"]


# -- errors ------------------------------------------------------------------------------------------------------------
def test_a_file_that_is_no_run_is_refused(session: GeneratorSession, target: inversion.Target, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    with pytest.raises(FileNotFoundError):
        inversion.resume(path, session)
    path.write_bytes(b"\x80\x04")
    with pytest.raises(ValueError, match="no inversion under way"):
        inversion.resume(path, session)
    run = inversion.start("projector", session, target, **SMALL["projector"])
    inversion.save_run(run, path)
    other = GeneratorSession(session.generator, name="other")
    with pytest.raises(ValueError, match="generator 'tiny'; this session has 'other'"):
        inversion.resume(path, other)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ValueError, match="no inversion under way"):
        inversion.resume(path, session)


def test_settings_are_checked_by_name_and_range(session: GeneratorSession, target: inversion.Target) -> None:
    with pytest.raises(ValueError, match="did you mean 'steps'"):
        inversion.start("projector", session, target, step=3)
    with pytest.raises(ValueError, match="accepted: w, w"):
        inversion.start("projector", session, target, space="s")
    with pytest.raises(ValueError, match="from 1 to"):
        inversion.start("projector", session, target, steps=0)
    with pytest.raises(ValueError, match="a code in s has no w"):
        spaces.convert(session, torch.zeros(1, 60), "s", "w")
