"""Image2StyleGAN++: its phases, masks and applications."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylewidgets import GeneratorSession, inversion
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.inversion.methods import image2stylegan_pp as plus

QUICK: dict[str, Any] = {"steps": 6, "noise_steps": 4, "net": "factors", "noise_rate": 0.2}


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
    return inversion.Target.of(session.latent(seed=1), session)


def half() -> torch.Tensor:
    mask = torch.zeros(16, 16)
    mask[:, :8] = 1
    return mask


def test_w_moves_first_and_then_the_noise(session: GeneratorSession, target: inversion.Target) -> None:
    run = inversion.start("image2stylegan++", session, target, **QUICK)
    assert run.total == 10
    for _ in range(6):
        run.advance()
    code = run.code().clone()
    assert run.noise() is None and set(run.history[-1]) == {"loss", "pixels", "perceptual"}
    run.finish()
    assert torch.equal(run.code(), code) and set(run.history[-1]) == {"loss", "pixels"}
    result = run.result()
    assert (
        result.noise is not None
        and result.history[-1]["pixels"] < result.history[6]["pixels"] < result.history[0]["pixels"]
    )
    drawn = result.images(session).astype(np.float64) / 127.5 - 1
    assert np.square(drawn[0] - target.images[0].permute(1, 2, 0).numpy()).mean() < result.history[6]["pixels"]


def test_noise_starts_as_the_generators_own(session: GeneratorSession, target: inversion.Target) -> None:
    run = inversion.start("image2stylegan++", session, target, **{**QUICK, "steps": 0})
    run.advance()
    own = inversion.spaces.draw(session, inversion.spaces.initial(session, "w+", "mean", 1, 0), "w+")
    assert torch.allclose(run.picture(), own, atol=1e-5)


@pytest.mark.parametrize("at", [3, 6, 8])
def test_a_resumed_run_is_the_uninterrupted_one_to_the_bit(
    at: int, session: GeneratorSession, target: inversion.Target, tmp_path: Path
) -> None:
    masked = target.with_mask(half())
    whole = inversion.start("image2stylegan++", session, masked, task="inpainting", **QUICK)
    broken = inversion.start("image2stylegan++", session, masked, task="inpainting", **QUICK)
    for _ in range(at):
        broken.advance()
    resumed = inversion.resume(inversion.save_run(broken, tmp_path / "run"), session)
    whole.finish()
    resumed.finish()
    assert torch.equal(whole.code(), resumed.code()) and whole.history == resumed.history
    assert all(torch.equal(a, b) for a, b in zip(whole.noise() or [], resumed.noise() or [], strict=True))


def test_inpainting_knows_nothing_of_the_hole(session: GeneratorSession, target: inversion.Target) -> None:
    other = inversion.Target(torch.where(half() > 0, target.images, -target.images), target.names, target.latents)
    a, b = (
        inversion.invert(session, t.with_mask(half()), "image2stylegan++", task="inpainting", **QUICK)
        for t in (target, other)
    )
    assert np.array_equal(a.code, b.code)
    assert all(np.array_equal(x, y) for x, y in zip(a.noise or (), b.noise or (), strict=True))
    with pytest.raises(ValueError, match="with_mask"):
        inversion.start("image2stylegan++", session, target, task="inpainting")


def test_only_the_rows_of_a_task_move(session: GeneratorSession, target: inversion.Target) -> None:
    start = inversion.spaces.initial(session, "w+", "mean", 1, 0)
    moved = plus.inpainting(session, target.with_mask(half()), **QUICK)
    moved.finish()
    assert [bool((row != 0).any()) for row in (moved.code() - start)[0]] == [True, True, True, False, True, True]
    moved = plus.scribble(session, target, start, **QUICK)
    moved.finish()
    assert [bool((row != 0).any()) for row in (moved.code() - start)[0]] == [True, True, False, False, False, False]
    assert plus.inpainting_rows(18) == (*range(9), 16, 17) and plus.scribble_rows(18) == tuple(range(5))


@pytest.mark.slow
def test_a_crossover_nears_each_picture_where_it_is_wanted(session: GeneratorSession, target: inversion.Target) -> None:
    second = session.latent(seed=2)
    run = plus.crossover(session, target, second, half(), **{**QUICK, "steps": 40, "rate": 0.1})
    run.finish()
    first, last = run.history[0], run.history[39]
    assert last["pixels"] < first["pixels"] and last["other_pixels"] < first["other_pixels"]
    again = plus.crossover(session, target, second, half(), **{**QUICK, "steps": 40, "rate": 0.1})
    again.restore(run.state())
    assert torch.equal(again.code(), run.code())


def test_a_crossover_is_resumed_with_its_second_picture(
    session: GeneratorSession, target: inversion.Target, tmp_path: Path
) -> None:
    run = plus.crossover(session, target, session.latent(seed=2), half(), **QUICK)
    run.advance()
    path = inversion.save_run(run, tmp_path / "run")
    with pytest.raises(ValueError, match="make one like it and give it as `run`"):
        inversion.resume(path, session)
    again = inversion.resume(
        path, session, run=plus.crossover(session, target, session.latent(seed=2), half(), **QUICK)
    )
    run.finish()
    again.finish()
    assert torch.equal(run.code(), again.code()) and run.history == again.history


@pytest.mark.slow
def test_a_local_style_has_the_gram_matrices_of_the_other_picture(
    session: GeneratorSession, target: inversion.Target
) -> None:
    run = plus.local_style(
        session, target, session.latent(seed=2), half(), **{**QUICK, "steps": 40, "rate": 0.1, "style": 10.0}
    )
    run.finish()
    assert run.history[39]["style"] < run.history[0]["style"]
    assert set(run.history[0]) == {"loss", "pixels", "perceptual", "style"}
    assert set(run.history[-1]) == {"loss", "pixels", "other_pixels"}


def test_copied_activations_show_only_in_their_region(session: GeneratorSession) -> None:
    a, b = session.latent(seed=1), session.latent(seed=2)
    pictures = [inversion.spaces.draw(session, session.map(x), "w+") for x in (a, b)]
    for block in range(3):
        assert torch.allclose(plus.transfer_features(session, a, b, np.zeros((16, 16)), block), pictures[0], atol=1e-5)
    whole = plus.transfer_features(session, a, b, np.ones((16, 16)), 2)
    assert torch.allclose(whole, pictures[1], atol=1e-5)  # after the last block nothing of a is left
    part = plus.transfer_features(session, a, b, half(), 2)
    assert torch.allclose(part[..., :8], pictures[1][..., :8], atol=1e-5)
    assert torch.allclose(part[..., 8:], pictures[0][..., 8:], atol=1e-5)
    with pytest.raises(ValueError, match="block is from 0 to 2"):
        plus.transfer_features(session, a, b, half(), 3)


def test_no_steps_at_all_are_refused(session: GeneratorSession, target: inversion.Target) -> None:
    with pytest.raises(ValueError, match="nothing to do"):
        inversion.start("image2stylegan++", session, target, steps=0, noise_steps=0)


def test_a_blurred_mask_keeps_its_mass_and_range() -> None:
    mask = torch.zeros(1, 1, 33, 33)
    mask[..., 16, 16] = 1
    soft = plus.blurred(mask, 2.0)
    assert float(soft.sum()) == pytest.approx(1, abs=1e-4) and float(soft.max()) == pytest.approx(
        1 / (2 * np.pi * 4), rel=0.02
    )
    assert torch.allclose(plus.blurred(torch.ones(1, 1, 9, 9), 3.0), torch.ones(1, 1, 9, 9), atol=1e-5)
    assert torch.equal(plus.blurred(mask, 0.0), mask)
