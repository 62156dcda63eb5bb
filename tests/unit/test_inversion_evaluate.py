"""The figures of an inversion: exact where the answer is known, worse where the inversion is worse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets.avatars import FACTORS, AvatarDataset
from stylewidgets.avatars.drawing.renderer import render
from stylewidgets.avatars.reading.estimates import estimate
from stylewidgets.inversion import Result, Target, evaluate, evaluate_each
from stylewidgets.inversion.evaluation.change import change_error
from stylewidgets.inversion.evaluation.evaluate import mean_of
from stylewidgets.inversion.evaluation.known import known_edits
from stylewidgets.inversion.evaluation.realism import code_statistics, flat_styles
from stylewidgets.latent.latent import Code, Latent
from stylewidgets.session.session import GeneratorSession

DISTORTION = ("mse", "perceptual", "w_distance", "edit_perceptual", "edit_error", "change_error", "edit_side")
EDITS = ("smile", "yaw")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def session(device: str) -> GeneratorSession:
    return sw.load("avatar-64", device=device)


@pytest.fixture(scope="module")
def target(session: GeneratorSession) -> Target:
    return Target.of([session.latent(seed=300), session.latent(seed=301)], session)


def codes(session: GeneratorSession, target: Target) -> np.ndarray[Any, Any]:
    return np.concatenate([session.map(latent).numpy() for latent in target.latents if latent is not None])


def result(code: Any, space: str = "w+", **more: Any) -> Result:
    names = tuple(f"{i}" for i in range(len(code)))
    return Result("made up", space, np.asarray(code, np.float32), {}, names, 10, 4.0, **more)


@pytest.mark.slow
def test_the_true_code_is_perfect_in_every_space(session: GeneratorSession, target: Target) -> None:
    ws = codes(session, target)
    for space, code in (("w+", ws), ("w", ws[:, 0]), ("s", flat_styles(session, "w+", ws))):
        figures = evaluate(target, result(code, space), session, edits=EDITS)
        assert all(figures[name] == pytest.approx(0, abs=1e-3) for name in DISTORTION), (space, figures)
        assert figures["ssim"] == pytest.approx(1, abs=1e-4) and figures["psnr"] > 50
        assert figures["identity"] == pytest.approx(1, abs=1e-4) and figures["edit_transfer"] == pytest.approx(
            1, abs=1e-2
        )
        assert figures["seconds_per_picture"] == 2.0 and figures["steps"] == 10 and figures["perceptual_net"]


def test_a_code_off_the_distribution_has_more_distortion_and_less_realism(
    session: GeneratorSession, target: Target
) -> None:
    ws = codes(session, target)
    noise = np.random.RandomState(0).randn(*ws.shape)
    one, two = (evaluate(target, result(ws + size * noise), session, edits=EDITS) for size in (0.3, 1.5))
    for name in (*DISTORTION, "realism", "row_spread"):
        assert two[name] > 1.3 * one[name], name
    for name in ("psnr", "ssim", "ms_ssim", "identity"):
        assert two[name] < one[name], name


def test_the_scale_of_the_error_is_that_of_pictures_from_minus_one_to_one(
    session: GeneratorSession, target: Target
) -> None:
    ws = codes(session, target)
    rows = evaluate_each(target, result(ws[::-1]), session, edits=False)
    a, b = (session.image(Latent(code=Code("w+", w))).astype(np.float64) / 127.5 - 1 for w in ws)
    for row in rows:
        assert row["mse"] == pytest.approx(np.square(a - b).mean(), rel=1e-4)
        assert row["psnr"] == pytest.approx(10 * np.log10(4 / row["mse"]), abs=1e-3)
    distance = np.linalg.norm(ws[0, 0] - ws[1, 0]) / code_statistics(session).length
    assert rows[0]["w_distance"] == pytest.approx(distance, rel=1e-4) and "edit_error" not in rows[0]


def test_typical_codes_have_realism_one(session: GeneratorSession) -> None:
    from stylewidgets.directions import sample_w

    about = code_statistics(session)
    w = sample_w(session, 200, seed=77)
    assert np.sqrt(np.square(about.mahalanobis(flat_styles(session, "w", w))).mean()) == pytest.approx(1, abs=0.05)
    assert np.sqrt(np.square(about.distance("w", w)).mean()) == pytest.approx(1, abs=0.05)
    assert about.distance("w", about.mean[None]) == pytest.approx(0, abs=1e-6)


@pytest.mark.slow
def test_an_edit_of_another_face_is_measured_against_the_re_render(session: GeneratorSession, target: Target) -> None:
    item = AvatarDataset(seed=5, n=4, resolution=64, outputs=("image",)).batch(range(2))
    renders = Target.of(item, session)
    known = known_edits(renders, session, EDITS)
    assert known is not None and known.change is not None and known.valid.all()
    for i in range(2):
        for k in range(len(EDITS)):
            moved = known.change[i, k]
            assert np.sign(moved[known.wanted[k]]) == np.sign(known.strengths[i, k])
            assert abs(moved[known.wanted[k]]) > 3 * np.delete(np.abs(moved), known.wanted[k]).mean()
    figures = evaluate(renders, result(codes(session, target)), session, edits=known)
    assert figures["edit_error"] > 0.05 and "w_distance" not in figures


@pytest.mark.slow
def test_known_codes_of_generated_faces_edit_as_the_reference_for_renders_says(session: GeneratorSession) -> None:
    faces = [session.latent(seed=seed) for seed in range(700, 712)]
    read = torch.from_numpy(estimate(session.images(faces)).factors)
    low, high = (torch.tensor([getattr(factor, name) for factor in FACTORS]) for name in ("low", "high"))
    factors = read.clamp(low, high)
    renders = Target(render(factors, 64, outputs=("image",)).image, tuple(map(str, range(12))), (None,) * 12, factors)
    known = known_edits(renders, session, ("smile", "yaw", "hair lightness"))
    truth = np.concatenate([session.map(face).numpy() for face in faces])
    figures = evaluate(renders, result(truth), session, edits=known)
    assert figures["edit_transfer"] == pytest.approx(1, abs=0.1)


def test_the_error_of_a_change_is_0_for_the_true_edit_and_1_for_none() -> None:
    random = np.random.RandomState(0)
    target = random.randint(60, 90, (1, 8, 8, 3)).astype(np.uint8)
    truth = target[:, None].copy()
    truth[0, 0, :4] += 40
    wrong_picture = random.randint(60, 90, target.shape).astype(np.uint8)
    moved, twice, opposite, spilt = (wrong_picture[:, None].copy() for _ in range(4))
    moved[0, 0, :4] += 40
    twice[0, 0, :4] += 80
    opposite[0, 0, :4] -= 40
    spilt[0, 0] += 40  # the wanted half and as much elsewhere
    found = {
        name: float(change_error(target, truth, wrong_picture, edited)[0, 0])
        for name, edited in {
            "true": moved, "none": wrong_picture[:, None], "twice": twice, "opposite": opposite, "spilt": spilt
        }.items()
    }  # fmt: skip
    assert found == pytest.approx({"true": 0, "none": 1, "twice": 1, "opposite": 4, "spilt": 1})


def test_a_change_that_cannot_be_seen_has_no_error() -> None:
    target = np.full((1, 8, 8, 3), 90, np.uint8)
    hidden, seen = target[:, None].copy(), target[:, None].copy()
    hidden[0, 0, 0, 0] += 1
    seen[0, 0, 0, 0] += 100
    edited = np.concatenate([target[:, None]] * 2, axis=1)
    found = change_error(target, np.concatenate([hidden, seen], axis=1), target, edited)
    assert np.isnan(found[0, 0]) and found[0, 1] == 1


def test_an_edit_that_does_nothing_transfers_nothing(session: GeneratorSession, target: Target) -> None:
    known = known_edits(target, session, EDITS)
    assert known is not None
    still = replace(known, strengths=np.zeros_like(known.strengths))
    figures = evaluate(target, result(codes(session, target)), session, edits=still)
    assert figures["edit_transfer"] == pytest.approx(0, abs=1e-6) and figures["edit_error"] > 0.02
    assert figures["change_error"] == pytest.approx(1, abs=1e-6)
    assert "edit_side" not in figures  # there is no unit of transfer to tell side effects by


@pytest.mark.slow
def test_half_of_an_edit_does_not_look_better_for_being_half(session: GeneratorSession, target: Target) -> None:
    known = known_edits(target, session, EDITS)
    assert known is not None
    code = result(codes(session, target) + 0.3 * np.random.RandomState(0).randn(2, 10, 128))
    whole, half = (
        evaluate(target, code, session, edits=replace(known, strengths=s * known.strengths)) for s in (1, 0.5)
    )
    assert half["edit_transfer"] < 0.7 * whole["edit_transfer"]
    assert half["edit_side"] > 0.8 * whole["edit_side"]
    assert half["change_error"] > whole["change_error"]


def test_a_mask_an_identity_hook_and_noise_count(session: GeneratorSession, target: Target) -> None:
    ws = codes(session, target)
    mask = np.zeros((64, 64))
    mask[20:40] = 1
    noise = tuple(np.zeros((2, 1, *shape), np.float32) for shape in session.generator.noise_shapes)

    def nobody(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.full((len(a),), 0.25)

    figures = evaluate(target.with_mask(mask), result(ws, noise=noise), session, identity=nobody, edits=False)
    assert figures["identity"] == 0.25 and figures["identity_net"] == "nobody" and "ms_ssim" not in figures
    assert figures["mse"] > 0


def test_wrong_numbers_of_pictures_are_refused(session: GeneratorSession, target: Target) -> None:
    with pytest.raises(ValueError, match="the result has 1 pictures and the target 2"):
        evaluate(target, result(codes(session, target)[:1]), session)
    with pytest.raises(ValueError, match="known edits are of 1"):
        evaluate(
            target, result(codes(session, target)), session, edits=known_edits(target[0], session, ("smile",)) or False
        )


def test_what_is_unknown_is_left_out_of_means() -> None:
    rows = [
        {"mse": 1.0, "method": "a", "steps": 3},
        {"mse": 3.0, "method": "a", "steps": 3, "edit_error": float("nan")},
    ]
    assert mean_of(rows) == {"mse": 2.0, "method": "a", "steps": 3}
    assert mean_of([{"x": 1.0}, {"x": 2.0}, {"x": 9.0}], np.median) == {"x": 2.0}
