"""The arithmetic of ``bench parts`` and ``bench points``: masks, shares, distances of factors, pairs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stylewidgets.avatars.drawing.landmarks import LANDMARKS
from stylewidgets.avatars.world.factors import INDEX
from stylewidgets.avatars.world.rows import defaults
from stylewidgets.bench.parts import report, retrieval, transfers
from stylewidgets.bench.parts.regions import joined, mask_of, segmented, swapped
from stylewidgets.bench.parts.score import agreement
from stylewidgets.bench.points import pairs as pairs_of
from stylewidgets.bench.points.command import settings_of
from stylewidgets.editing.parts import rules
from stylewidgets.metrics import cielab, colour_difference


def flat(*rgb: float) -> torch.Tensor:
    return (torch.tensor(rgb, dtype=torch.float32) * 2 - 1)[None, :, None, None].expand(1, 3, 4, 4)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((1.0, 1.0, 1.0), (100.0, 0.0, 0.0)),
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        ((1.0, 0.0, 0.0), (53.24, 80.09, 67.20)),
        ((0.0, 0.0, 1.0), (32.30, 79.19, -107.86)),
    ],
)
def test_cielab_has_the_values_of_the_standard(rgb: tuple[float, ...], lab: tuple[float, ...]) -> None:
    assert np.allclose(cielab(flat(*rgb))[0, :, 0, 0].numpy(), lab, atol=0.02)


def test_the_difference_of_black_and_white_is_100() -> None:
    assert torch.allclose(colour_difference(flat(0, 0, 0), flat(1, 1, 1)), torch.full((1, 4, 4), 100.0), atol=1e-2)


def test_a_mask_is_the_union_and_two_hundredths_wider() -> None:
    before, after = torch.zeros(2, 1, 100, 100, dtype=torch.bool).unbind(0)
    before[0, 50, 50], after[0, 50, 60] = True, True
    found = joined(before, after)[0]
    assert int(found.sum()) == 2 * 25 and bool(found[48, 62]) and not bool(found[47, 50])


def test_a_part_that_is_swapped_takes_all_its_factors_and_no_other() -> None:
    rows = torch.from_numpy(defaults(2))
    rows[1] += 0.25
    made = swapped(rows[:1], rows[1:], ["eyes"])[0]
    changed = [name for name, k in INDEX.items() if made[k] != rows[0, k]]
    assert changed == ["eye_size", "eye_openness", "iris_hue", "gaze_x", "gaze_y"]


def test_the_exact_mask_of_eyes_is_where_the_eyes_are() -> None:
    mask = mask_of(segmented(torch.from_numpy(defaults(1)), 64), "eyes")[0]
    rows, columns = mask.nonzero().float().mean(0)
    assert 0 < int(mask.sum()) < 200 and abs(float(columns) - 31.5) < 1 and 20 < float(rows) < 40


def test_agreement_of_an_exact_mask_is_1_and_of_a_shifted_one_less() -> None:
    exact = torch.zeros(1, 32, 32, dtype=torch.bool)
    exact[0, 8:16, 8:16] = True
    found = exact[:, ::4, ::4]
    assert agreement(found, exact) == (1.0, 1.0)
    assert agreement(found.roll(1, 1), exact) == (pytest.approx(1 / 3), 1.0)


def test_energy_counts_per_place_so_that_a_small_part_is_found() -> None:
    shares, areas = torch.tensor([[0.35, 0.6], [0.65, 0.4]]), torch.tensor([0.02, 0.98])
    assert rules.by_density(shares, areas).tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert rules.by_density(torch.tensor([[0.1], [0.9]]), areas).tolist() == [[0.0], [0.0]]
    assert not rules.by_softmax(shares)[0, 0]


def test_angles_go_round_and_a_category_is_the_same_or_not() -> None:
    rows = torch.from_numpy(defaults(3))
    rows[:, INDEX["iris_hue"]] = torch.tensor([350.0, 10.0, 170.0])
    far = retrieval.distance(rows, rows[0], ["iris_hue"])
    assert far[0] == 0 and far[2] == pytest.approx(9 * far[1], rel=1e-4)
    rows[1, INDEX["hat"]] = 2
    assert list(retrieval.distance(rows, rows[0], ["hat"]) > 0) == [False, True, False]


def test_a_perfect_order_scores_1_and_the_reverse_less() -> None:
    far = np.linspace(0, 3, 1000)
    best = retrieval.at_first(far, np.arange(1000))
    assert best == (pytest.approx(1.0), 1.0)
    ndcg, precision = retrieval.at_first(far, np.arange(1000)[::-1])
    assert ndcg < 0.1 and precision == 0


def test_the_rival_changes_the_part_as_much_and_the_rest_least() -> None:
    rows = {"way": {"inside": 5.0}}
    mixing = {"0-1": {"eyes": [9.0, 3.0]}, "1-2": {"eyes": [6.0, 2.0]}, "2-2": {"eyes": [4.0, 0.1]}}
    assert transfers.as_much(rows, mixing, "eyes", "way") == "1-2"
    assert transfers.as_much({"way": {"inside": 10.0}}, mixing, "eyes", "way") is None


def test_tables_say_why_a_way_has_no_figures() -> None:
    row = dict.fromkeys(("inside", "outside", "share", "squares", "frechet", "truth", "missed", "done", "others"), 0.5)
    found = {
        "about": {"pairs": 4},
        "floor": {"truth": 8.7, "frechet": 2.0},
        "rows": {"eyes": {"densest": row | {"pairs": 4}, "StyleSpace channels": "no channel is local in 'eyes'"}},
    }
    text = report.transfers(found)
    assert "no channel is local in 'eyes'" in text and "| eyes | densest | 0.5 |" in text


def test_a_pair_differs_in_one_factor_and_moves_a_landmark_four_pixels() -> None:
    row = torch.from_numpy(defaults(1))[0]
    pair = pairs_of.pair_of(row, "yaw", 64)
    assert pair is not None
    assert [k for k in range(len(row)) if pair.before[k] != pair.after[k]] == [INDEX["yaw"]]
    assert pair.moved >= pairs_of.LEAST
    first = pair.landmarks[0][pair.chosen(5)]
    apart = np.linalg.norm(first[:, None] - first[None], axis=2)[np.triu_indices(len(first), 1)]
    assert len(first) == 5 and apart.min() >= pairs_of.APART
    assert pairs_of.pair_of(row, "gaze_y", 64) is None


def test_what_hair_hides_is_no_handle() -> None:
    row = torch.from_numpy(defaults(1))[0]
    row[INDEX["hair_style"]], row[INDEX["hair_length"]] = 3, 1.0  # long
    pair = pairs_of.pair_of(row, "yaw", 64)
    assert pair is not None
    assert "lobe_left" not in [LANDMARKS[k] for k in pair.seen] and "nose_tip" in [LANDMARKS[k] for k in pair.seen]


def test_settings_are_numbers_words_or_refused() -> None:
    assert settings_of(["lr=0.03", "space=w", "published=true"]) == {"lr": 0.03, "space": "w", "published": True}
    with pytest.raises(ValueError, match="NAME=VALUE"):
        settings_of(["lr"])
