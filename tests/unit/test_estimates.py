"""Factors read off pictures, and edits measured with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylewidgets import avatars
from stylewidgets.avatars import INDEX
from stylewidgets.avatars.reading import estimates, factor_net
from stylewidgets.avatars.reading.calibration import residual
from stylewidgets.avatars.reading.estimates import Errors, as_pictures, errors_path, file_digest
from stylewidgets.metrics import edit_report

pytestmark = pytest.mark.skipif(not factor_net.BUNDLED.is_file(), reason="the factor network is not in this checkout")


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    factors = avatars.sample(24, seed=4_000_001)
    factors[:, INDEX["smile"]] = np.clip(factors[:, INDEX["smile"]], -1, 0.2)
    factors[:, INDEX["yaw"]] = np.clip(factors[:, INDEX["yaw"]], -20, 10)
    factors[:, INDEX["hat"]] = 0
    return factors


@pytest.fixture(scope="module")
def drawn(faces: np.ndarray) -> torch.Tensor:
    return avatars.render(torch.from_numpy(faces), 64, outputs=("image",)).image


def edited(faces: np.ndarray, change: dict, relative: bool = True) -> torch.Tensor:
    return avatars.edit_truth(faces, change, relative=relative, resolution=64, outputs=("image",)).image


def test_the_errors_belong_to_the_shipped_network() -> None:
    errors = Errors.load(errors_path(factor_net.BUNDLED))
    assert errors.network == file_digest(factor_net.BUNDLED)
    assert set(errors.factors) == set(INDEX)


def test_truths_lie_within_the_stated_errors(faces: np.ndarray, drawn: torch.Tensor) -> None:
    found = avatars.estimate(drawn)
    assert found.factors.shape == faces.shape and found.error.shape == faces.shape
    names = [f.name for f in avatars.FACTORS if f.kind == "continuous"]
    misses = np.stack([np.abs(found[name] - faces[:, INDEX[name]]) / found.error[:, INDEX[name]] for name in names])
    assert 0.6 < (misses <= 1).mean() < 0.9 and (misses <= 2).mean() > 0.9
    assert (np.abs(found["yaw"] - faces[:, INDEX["yaw"]]) < 4 * found.error[:, INDEX["yaw"]]).all()
    assert np.allclose(found.error[:, INDEX["hat"]], 1 - found.probabilities["hat"].max(1))


def test_it_knows_when_it_cannot_tell(faces: np.ndarray) -> None:
    asleep, awake = (edited(faces, {"eye_openness": value}, relative=False) for value in (0.0, 0.9))
    column = INDEX["iris_hue"]
    assert avatars.estimate(asleep).error[:, column].mean() > 1.5 * avatars.estimate(awake).error[:, column].mean()


def test_probabilities_sum_to_one_and_agree_with_the_category(drawn: torch.Tensor) -> None:
    found = avatars.estimate(drawn)
    assert set(found.probabilities) == {f.name for f in avatars.FACTORS if f.kind == "categorical"}
    for name, share in found.probabilities.items():
        assert np.allclose(share.sum(1), 1, atol=1e-5) and (share.argmax(1) == found[name]).all()


def test_pictures_may_come_in_any_common_form(drawn: torch.Tensor) -> None:
    pixels = (drawn[:2] * 127.5 + 128).clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    wanted = avatars.estimate(pixels).factors
    one = avatars.estimate(Image.fromarray(pixels[0])).factors
    several = avatars.estimate([Image.fromarray(p) for p in pixels]).factors
    assert np.allclose(one, wanted[:1], atol=1e-3) and np.allclose(several, wanted, atol=1e-3)
    assert np.allclose(avatars.estimate(drawn[0]).factors[0], wanted[0], rtol=0.1, atol=1.0)
    assert np.allclose(avatars.estimate(pixels / 255).factors, wanted, atol=1e-3)
    with pytest.raises(ValueError, match="uint8"):
        as_pictures(np.zeros((2, 8, 8, 3), np.int64))
    with pytest.raises(ValueError, match=r"\[2, 8, 8, 3\]"):
        as_pictures(torch.zeros(2, 8, 8, 3))


def test_a_line_for_each_factor_says_value_and_error(drawn: torch.Tensor) -> None:
    lines = avatars.estimate(drawn[:1]).describe().splitlines()
    assert len(lines) == len(INDEX)
    assert lines[0].startswith("yaw ") and "±" in lines[0] and lines[0].endswith("degrees")
    assert any(line.startswith("hat none (") for line in lines)
    with pytest.raises(ValueError, match="did you mean 'smile'"):
        avatars.estimate(drawn[:1])["smil"]


def test_angles_miss_by_the_shorter_way() -> None:
    assert residual("circular", np.array([359.0, 10.0]), np.array([1.0, 350.0])).tolist() == [-2, 20]
    assert residual("categorical", np.array([1.0, 2.0]), np.array([1.0, 0.0])).tolist() == [0, 1]


def test_errors_of_another_network_are_refused(tmp_path: Path) -> None:
    copy = tmp_path / "net.safetensors"
    copy.write_bytes(factor_net.BUNDLED.read_bytes())
    with pytest.raises(FileNotFoundError, match="train evaluate"):
        estimates.reader(copy)
    Errors("0" * 16, 1, 1, 64, {}, {}).save(errors_path(copy))
    with pytest.raises(ValueError, match="another factor network"):
        estimates.reader(copy)
    errors_path(copy).write_text("[]")
    with pytest.raises(ValueError, match="is no file of a factor network"):
        estimates.reader(copy)


def test_an_exact_edit_moves_what_was_wanted_and_little_else(faces: np.ndarray, drawn: torch.Tensor) -> None:
    report = edit_report(drawn, edited(faces, {"yaw": 15.0}), "yaw")
    assert report.moved == pytest.approx(15, abs=2) and report.moved_sigma > 0.8
    assert report.dependency < report.dependency_max and report.relative < 0.5
    assert "yaw" not in report.others and list(report.others.values()) == sorted(report.others.values(), reverse=True)
    assert report.identity > 0.8
    assert str(report).startswith("yaw +1") and "identity" in str(report)


def test_an_edit_that_also_moves_something_else_shows_it(faces: np.ndarray, drawn: torch.Tensor) -> None:
    clean = edit_report(drawn, edited(faces, {"smile": 0.8}), "smile")
    dirty = edit_report(drawn, edited(faces, {"smile": 0.8, "yaw": 20.0}), "smile")
    assert clean.moved > 0.4
    assert next(iter(dirty.others)) == "yaw" and dirty.others["yaw"] > clean.others["yaw"] + 0.8
    assert dirty.dependency > clean.dependency and dirty.relative > clean.relative


def test_nothing_changed_means_nothing_moved(drawn: torch.Tensor) -> None:
    report = edit_report(drawn, drawn, "smile")
    assert (report.moved, report.dependency, report.dependency_max) == (0, 0, 0)
    assert report.identity == pytest.approx(1) and report.relative == float("inf")


def test_another_person_is_told_from_the_same_one(drawn: torch.Tensor) -> None:
    assert abs(edit_report(drawn, drawn.roll(1, 0), "yaw").identity) < 0.45


@pytest.mark.slow
def test_categories_and_angles_have_units_of_their_own(faces: np.ndarray, drawn: torch.Tensor) -> None:
    hat = edit_report(drawn, edited(faces, {"hat": "cap"}, relative=False), "hat: cap")
    assert hat.moved > 0.9 and hat.moved_sigma > 1 and "hat" not in hat.others
    assert edit_report(drawn, edited(faces, {"hat": "beanie"}, relative=False), "hat").moved > 0.9
    hue = edit_report(drawn, edited(faces, {"background_hue": 60.0}), "background_hue")
    assert hue.moved == pytest.approx(60, abs=15)


def test_an_unknown_wish_is_refused_with_the_nearest_name(drawn: torch.Tensor) -> None:
    for wanted, words in (
        ("smyle", "did you mean 'smile'"),
        ("hat: cup", "did you mean 'cap'"),
        ("smile: big", "no categories"),
        ("hair_style", "say which category"),
    ):
        with pytest.raises(ValueError, match=words):
            edit_report(drawn, drawn, wanted)
    with pytest.raises(ValueError, match="as many"):
        edit_report(drawn, drawn[:1], "smile")
