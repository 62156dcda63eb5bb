"""Calibrated errors and probabilities, what a picture shows of a factor, and trainings that are short of time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from stylewidgets.avatars import FACTORS, INDEX, defaults
from stylewidgets.avatars.drawing.visibility import RULES, visible
from stylewidgets.avatars.reading.calibration import calibrate, errors, population, residual
from stylewidgets.avatars.reading.factor_net import FactorRegressor, Head, factor_of, load_regressor, save_regressor
from stylewidgets.training.regressor import evaluate, fit, measure_regressor, train_regressor

HEADS = (
    Head("level", "continuous", 0.0, 10.0, (), 0, 1, (0.0,), (1.0,)),
    Head("hue", "circular", 0.0, 360.0, (), 1, 3, (0.0, 0.0), (1.0, 1.0)),
    Head("mark", "categorical", 0.0, 1.0, ("none", "dot"), 3, 5),
)


def world(n: int, seed: int = 0) -> tuple[torch.Tensor, np.ndarray]:
    """Raw outputs, and truths that miss them by known errors: level more where it is high, categories too self-assured."""
    random = np.random.RandomState(seed)
    unit = random.uniform(-1, 1, n)
    level = 5 * (unit + 1) + random.randn(n) * 0.2 * np.exp(1.5 * unit)
    angle = random.uniform(0, 360, n)
    turn = np.deg2rad(angle)
    logit = random.randn(n)
    mark = random.rand(n) < 1 / (1 + np.exp(-logit))
    raw = np.stack([unit, np.sin(turn), np.cos(turn), np.zeros(n), 3 * logit], axis=1)
    truth = np.stack([level, (angle + random.randn(n) * 12) % 360, mark], axis=1)
    return torch.from_numpy(raw).float(), truth.astype(np.float32)


@pytest.fixture(scope="module")
def net() -> FactorRegressor:
    made = FactorRegressor(HEADS, resolution=16, widths=(4, 4, 4, 4)).eval()
    made.calibration = calibrate(made, *world(4_000))
    return made


def test_errors_follow_what_is_read_and_cover_the_truth_as_stated(net: FactorRegressor) -> None:
    raw, truth = world(4_000, seed=1)
    error, found = errors(net, raw), net.natural(raw)
    for name, column in (("level", 0), ("hue", 1)):
        away = np.abs(residual(HEADS[column].kind, found[name], truth[:, column])) / error[name]
        assert (away <= 1).mean() == pytest.approx(0.683, abs=0.04)
        assert (away <= 2).mean() == pytest.approx(0.954, abs=0.02)
    assert error["level"][raw[:, 0] > 0.8].mean() > 4 * error["level"][raw[:, 0] < -0.8].mean()
    assert error["hue"].mean() == pytest.approx(12, rel=0.15)


def test_the_file_says_how_well_the_errors_hold(net: FactorRegressor) -> None:
    one, two = net.calibration["within"]["level"]
    assert one == pytest.approx(0.683, abs=0.05) and two == pytest.approx(0.954, abs=0.03)
    said, right = net.calibration["within"]["mark"]
    assert said == pytest.approx(right, abs=0.04)


def test_a_temperature_takes_back_the_confidence_that_is_not_earned(net: FactorRegressor) -> None:
    assert net.calibration["temperature"]["mark"] == pytest.approx(3, rel=0.25)
    raw, truth = world(4_000, seed=2)
    share = net.probabilities(raw)["mark"]
    assert np.allclose(share.sum(1), 1, atol=1e-5)
    sure = share.max(1) > 0.8
    assert (share.argmax(1) == truth[:, 2])[sure].mean() == pytest.approx(share.max(1)[sure].mean(), abs=0.05)


def test_calibration_goes_into_the_file_and_a_network_without_one_says_what_to_do(
    net: FactorRegressor, tmp_path: Path
) -> None:
    again = load_regressor(save_regressor(net, tmp_path / "net.safetensors", metrics={}, training={}))
    raw, _ = world(8)
    assert np.allclose(errors(again, raw)["level"], errors(net, raw)["level"])
    assert set(population(again)) == {"level", "hue sin", "hue cos", "mark: none", "mark: dot"}
    with pytest.raises(ValueError, match="--measure-only"):
        errors(FactorRegressor(HEADS, resolution=16, widths=(4, 4, 4, 4)), raw)


def test_readings_know_their_factor() -> None:
    readings = {"hat: cap": "hat", "hair_hue sin": "hair_hue", "hair_hue cos": "hair_hue", "smile": "smile"}
    assert {name: factor_of(name) for name in readings} == readings


def face(**values: float) -> np.ndarray:
    row = defaults()
    for name, value in values.items():
        row[:, INDEX[name]] = value
    return row


def test_what_hides_a_factor_makes_it_count_as_hidden() -> None:
    hidden = {
        "jaw": face(beard=2),
        "hair_style": face(hat=1),
        "hair_hue": face(hair_style=0),
        "hair_lightness": face(hair_style=0),
        "hair_length": face(hair_style=1, hat=1),
        "fringe": face(hair_style=0),
        "eye_size": face(eye_openness=0.0),
        "iris_hue": face(eye_openness=0.2),
        "gaze_x": face(eye_openness=0.2),
        "gaze_y": face(eye_openness=0.2),
        "blush": face(beard=2),
    }
    plain = visible(defaults())[0]
    assert plain.all()
    for name, row in hidden.items():
        seen = visible(row)[0]
        assert not seen[INDEX[name]], name
        assert seen[INDEX["yaw"]] and seen[INDEX["skin_tone"]]
    assert set(RULES) <= set(INDEX) and set(hidden) <= set(RULES)
    low = visible(face(fringe=1.0, hat=2, brow_height=1.0))[0]
    assert not low[INDEX["fringe"]] and low[INDEX["hair_lightness"]]


def toy(n: int = 64) -> tuple[np.ndarray, np.ndarray]:
    level = np.random.RandomState(0).uniform(0, 10, n)
    images = (level * 20 + 20)[:, None, None, None] * np.ones((1, 3, 16, 16))
    return images.astype(np.uint8), np.stack([level, level * 36, level > 5], axis=1).astype(np.float32)


def test_the_measure_can_leave_out_pictures(net: FactorRegressor) -> None:
    images, factors = toy()
    seen = np.ones((64, 3), np.bool_)
    assert evaluate(net, images, factors, seen) == pytest.approx(evaluate(net, images, factors))
    seen[:, 0] = False
    assert np.isnan(evaluate(net, images, factors, seen)["level"])


def test_a_training_without_time_left_ends_at_once_and_says_how_far_it_came() -> None:
    torch.manual_seed(0)
    fresh = FactorRegressor(HEADS, resolution=16, widths=(4, 4, 4, 4))
    steps, seconds = fit(fresh, *toy(), epochs=3, batch=16, minutes=0.0)
    assert steps == 0 and seconds < 5
    steps, _ = fit(fresh, *toy(), epochs=3, batch=16, minutes=60.0)
    assert steps == 12


@pytest.mark.slow
def test_a_training_can_start_from_a_network_and_its_card_tells_both(tmp_path: Path) -> None:
    first = tmp_path / "first.safetensors"
    train_regressor(first, images=16, held_out=24, resolution=32, epochs=1, batch=16)
    second = tmp_path / "second.safetensors"
    made = train_regressor(second, images=16, held_out=24, resolution=32, epochs=1, batch=16, seed=1, start_from=first)
    assert [stage["seed"] for stage in made.metadata["before"]] == [0] and set(made.metadata["visible"]) == set(INDEX)
    card = second.with_suffix(".md").read_text(encoding="utf-8")
    assert "1. 16 renders of seed 0" in card and "2. 16 renders of seed 1" in card and "--start-from FILE" in card
    assert all(f"| {factor.name} |" in card for factor in FACTORS)
    with pytest.raises(ValueError, match="--resolution 32"):
        train_regressor(second, images=16, held_out=24, resolution=48, epochs=1, batch=16, start_from=first)
    before = {key: value.clone() for key, value in made.state_dict().items()}
    after = measure_regressor(second, held_out=24)
    assert all(torch.equal(before[key], value) for key, value in after.state_dict().items()) and after.calibration


# -- the part reader --------------------------------------------------------------------------------------------------
def spots(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Grey pictures with a bright spot anywhere; level is its colour, hue goes with its place, mark is no part of it."""
    random = np.random.RandomState(seed)
    level, at = random.uniform(0, 10, n), random.randint(1, 14, n)
    images = np.full((n, 3, 16, 16), 100.0)
    for i in range(n):
        images[i, 0, at[i] : at[i] + 2, at[i] : at[i] + 2] = 140 + 10 * level[i]
    return images.astype(np.uint8), np.stack([level, at * 20, np.zeros(n)], axis=1).astype(np.float32)


def reader(parts: bool = True) -> FactorRegressor:
    torch.manual_seed(0)
    return FactorRegressor(HEADS, resolution=16, widths=(4, 4, 4, 4), parts=parts)


def test_a_part_reader_starts_without_a_correction_and_leaves_the_feature_maps_alone() -> None:
    net, x = reader().eval(), torch.randn(3, 3, 16, 16)
    plain = reader(parts=False).eval()
    plain.load_state_dict({key: v for key, v in net.state_dict().items() if not key.startswith("parts.")})
    with torch.no_grad():
        assert torch.equal(net(x), plain(x))
        net.parts.out.bias.fill_(1.0)
        torch.testing.assert_close(net(x), plain(x) + 1)
        assert all(torch.equal(a, b) for a, b in zip(net.features(x), plain.features(x), strict=True))
        raw, maps = net.look(x)
        assert torch.equal(raw, net(x)) and torch.equal(maps[-1], net.features(x)[-1])


def test_every_part_looks_somewhere_and_they_start_in_different_places() -> None:
    net = reader().eval()
    folded = net.fold(torch.zeros(1, 3, 16, 16))
    look = net.parts.attention(net.parts.stem(folded), net.features(torch.zeros(1, 3, 16, 16)))
    torch.testing.assert_close(look.sum(dim=(2, 3)), torch.ones(1, 16))
    prior = net.parts.prior[0].flatten(1).argmax(1).tolist()
    assert len(set(prior)) == 16


@pytest.mark.slow
def test_only_the_part_reader_learns_and_it_reads_what_the_rest_does_not() -> None:
    torch.set_num_threads(1)
    net, data, test = reader(), spots(384), spots(128, seed=1)
    fit(net, *spots(64), epochs=0)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    first = evaluate(net, *test)["level"]
    fit(net, *data, epochs=5, batch=32)
    after = net.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before if not key.startswith("parts."))
    assert not net.training and evaluate(net, *test)["level"] > max(0.8, first + 0.1)


@pytest.mark.slow
def test_a_network_with_a_part_reader_comes_back_from_its_file_and_grows_from_one_without(tmp_path: Path) -> None:
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    plain = train_regressor(first, images=16, held_out=24, resolution=32, epochs=1, batch=16)
    with pytest.raises(ValueError, match="--start-from"):
        train_regressor(second, images=16, held_out=24, resolution=32, epochs=1, batch=16, parts=True)
    made = train_regressor(
        second,
        images=16,
        held_out=24,
        resolution=32,
        epochs=1,
        batch=16,
        seed=1,
        renders_seed=9,
        start_from=first,
        parts=True,
    )
    assert made.heads == plain.heads and made.parts is not None
    x = torch.randn(2, 3, 32, 32)
    assert all(torch.equal(a, b) for a, b in zip(made.features(x), plain.features(x), strict=True))
    again = load_regressor(second)
    assert torch.equal(again(x), made(x))
    card = second.with_suffix(".md").read_text(encoding="utf-8")
    assert (
        "reader of 16 parts" in card
        and "--parts" in card
        and "--renders-seed 9" in card
        and "the part reader alone" in card
    )
