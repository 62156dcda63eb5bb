"""Stochastic detail: a function of the seed and the place, turned with the head, and as much of it as its factor says."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from stylewidgets.avatars import (
    DETAIL,
    DETAIL_FACTORS,
    NUM_FACTORS,
    REGIONS,
    caption,
    chance_map,
    defaults,
    edit_factors,
    exact_flow,
    render,
    sample,
)
from stylewidgets.avatars.drawing.added.chance import Chance
from stylewidgets.training.detail.measure import PLACES

NAMES = [factor.name for factor in DETAIL_FACTORS]


def face(**change: float | str) -> Tensor:
    return edit_factors(torch.from_numpy(defaults(1, DETAIL)), {"beard": "none", **change}, groups=DETAIL)


def image(rows: Tensor, seed: int | Tensor | None = 0, size: int = 64) -> Tensor:
    return render(rows, size, outputs=("image",), groups=DETAIL, detail_seed=seed).image


def test_at_amounts_of_nought_a_head_is_drawn_to_the_last_bit_as_without_the_group() -> None:
    rows = torch.from_numpy(sample(4, 3, groups=DETAIL))
    rows[:, NUM_FACTORS:] = 0
    assert torch.equal(image(rows, 5), render(rows[:, :NUM_FACTORS], 64, outputs=("image",)).image)


def test_a_picture_depends_on_its_seed_alone() -> None:
    rows = torch.from_numpy(sample(3, 2, groups=DETAIL))
    rows[:, NUM_FACTORS:] = 0.8
    together = image(rows, torch.tensor([4, 9, 4]))
    for k, seed in enumerate((4, 9, 4)):
        assert torch.equal(together[k], image(rows[k : k + 1], seed)[0])
    assert torch.equal(together, image(rows.flip(0), torch.tensor([4, 9, 4])).flip(0))
    assert float((together[0] - image(rows[:1], 9)[0]).abs().max()) > 0.05


def test_fields_are_chance() -> None:
    line = torch.arange(200, dtype=torch.float32)
    i, j = line[:, None].expand(2, 200, 200), line.expand(2, 200, 200)
    chance = Chance(torch.tensor([1, 2]))
    values = chance.normal(i, j, 0)
    assert abs(float(values.mean())) < 0.02 and abs(float(values.std()) - 1) < 0.02
    for other in (values.roll(1, 1), values.roll(1, 2), values.flip(0), chance.normal(i, j, 7)):
        assert abs(float(torch.corrcoef(torch.stack([values.flatten(), other.flatten()]))[0, 1])) < 0.02
    assert torch.equal(Chance(torch.tensor([2])).normal(i[:1], j[:1], 0)[0], values[1])


@pytest.mark.parametrize("name", NAMES)
def test_an_amount_moves_its_place_the_more_the_larger_it_is(name: str) -> None:
    rows = torch.cat([face(**{name: amount, "hat": "none"}) for amount in (0.0, 0.3, 0.6, 1.0)])
    moved = chance_map(rows, 64, seeds=4)
    labels = render(rows[:1], 64, outputs=("segmentation",), groups=DETAIL).segmentation[0]
    place = torch.isin(labels, torch.tensor([REGIONS.index(r) for r in PLACES[name]], dtype=torch.uint8))
    inside = moved[:, place].mean(1).tolist()
    assert inside[0] == 0 and inside == sorted(inside) and inside[3] > 0.004
    core = torch.nn.functional.max_pool2d(place.float()[None], 3, 1, 1)[0] > 0
    assert float(moved[3][~core].mean()) < 0.15 * inside[3]


def test_more_freckles_keep_the_earlier_ones() -> None:
    few, many = (image(face(freckles=a), 3, 128) - image(face(), 3, 128) for a in (0.3, 0.9))
    spots = few.amin(1) < -0.03
    assert spots.sum() > 10
    assert float((many.amin(1)[spots] < -0.02).float().mean()) > 0.95
    assert (many.amin(1) < -0.03).sum() > 1.8 * spots.sum()


def test_the_same_freckles_at_another_size() -> None:
    small, large = (image(face(freckles=1.0), 3, n) - image(face(), 3, n) for n in (64, 128))
    large = torch.nn.functional.avg_pool2d(large, 2)
    both = torch.corrcoef(torch.stack([small.flatten(), large.flatten()]))[0, 1]
    assert float(both) > 0.7


@pytest.mark.parametrize("name", ["freckles", "strands"])
def test_detail_turns_with_the_head(name: str) -> None:
    """What chance adds in one pose, brought to another by the exact flow, is what it adds there; another seed's is not."""
    amount = {name: 1.0, "hair_style": "bob"}
    before, after = face(**amount, yaw=-8.0), face(**amount, yaw=8.0)
    flow = exact_flow(before, after, 128, groups=DETAIL, framing="head")
    plain = [face(hair_style="bob", yaw=yaw) for yaw in (-8.0, 8.0)]

    def added(row: Tensor, without: Tensor, seed: int) -> Tensor:
        return (image(row, seed, 128) - image(without, seed, 128)).mean(1, keepdim=True)

    here = added(after, plain[1], 1)
    grid = flow.places / 64 - 1
    for seed, low, high in ((1, 0.4, 1.0), (2, -0.2, 0.2)):
        moved = torch.nn.functional.grid_sample(added(before, plain[0], seed), grid, align_corners=False)
        use = flow.seen & (here[:, 0].abs() + moved[:, 0].abs() > 1e-3)
        both = torch.corrcoef(torch.stack([here[:, 0][use], moved[:, 0][use]]))[0, 1]
        assert low < float(both) <= high, seed


def test_without_chance_there_is_the_average() -> None:
    rows = torch.from_numpy(sample(2, 4, groups=DETAIL))
    rows[:, NUM_FACTORS:] = 1.0
    many = torch.stack([image(rows, k) for k in range(12)])
    even = image(rows, None)
    left = float((many.mean(0) - even).abs().mean())
    assert left < 0.6 * float((many - even).abs().mean())
    assert torch.equal(even, image(rows, None))


def test_where_the_hat_is_the_wool_is_knitted_and_the_wall_stays_with_the_viewer() -> None:
    still, turned = (image(face(grain=1.0, yaw=yaw), 2) for yaw in (0.0, 20.0))
    labels = render(torch.cat([face(), face(yaw=20.0)]), 64, outputs=("segmentation",), groups=DETAIL).segmentation
    wall = torch.nn.functional.max_pool2d((labels > 0).any(0).float()[None], 3, 1, 1)[0] == 0
    assert torch.equal(still[0][:, wall], turned[0][:, wall])
    assert (
        float((image(face(knit=1.0, hat="beanie"), 2) - image(face(hat="beanie"), 2))[0, :, 10:16, 28:36].abs().mean())
        > 0.005
    )


def test_a_seed_that_is_none_is_refused_with_what_is_accepted() -> None:
    with pytest.raises(ValueError, match="a detail seed is a whole number, or a tensor of 2 whole numbers"):
        image(torch.cat([face(), face()]), torch.tensor([1, 2, 3]))
    with pytest.raises(ValueError, match="float32"):
        render(face(), 32, groups=DETAIL, detail_seed=torch.tensor(0.5))


def test_captions_tell_freckles() -> None:
    assert "freckles" in caption(face(freckles=0.8)[0], groups=DETAIL)
    assert "freckle" not in caption(face()[0], groups=DETAIL)
