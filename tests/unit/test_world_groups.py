"""The avatar world's groups of factors: a head stays what version 0.1 drew, and groups do not undo each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from stylewidgets.avatars import (
    NUM_FACTORS,
    AvatarDataset,
    Factor,
    Group,
    caption,
    correlate,
    defaults,
    edit_factors,
    embed,
    estimate,
    from_uniform,
    register_group,
    render,
    sample,
)
from stylewidgets.avatars.reading.factor_net import BUNDLED
from stylewidgets.avatars.world import groups

HEAD = [
    5.840704,
    -3.8695164,
    -8.8982096,
    20.7078094,
    42.0121803,
    0.5649332,
    -0.4701675,
    -0.8538545,
    2.0,
    33.9736137,
    0.4043095,
    0.0144608,
    0.5929067,
    0.2462326,
    0.5717077,
    25.5268326,
    0.6853874,
    0.2167758,
    0.2874016,
    -0.3017829,
    0.3680959,
    0.2983421,
    -0.9801822,
    0.0,
    0.312005,
    0.8035034,
    0.0,
    0.0,
    0.0,
    43.8255005,
    0.5080923,
    175.5773315,
    0.6155324,
]
CORRELATED = [
    15.6330423,
    -7.9400539,
    5.7801824,
    63.5721283,
    30.6638012,
    0.0891253,
    0.2883658,
    0.5742031,
    1.0,
    33.5143356,
    0.6250516,
    0.249011,
    0.3143149,
    -0.3526552,
    0.7708187,
    208.0532532,
    0.3147365,
    -0.5859493,
    -0.6533048,
    -0.2464682,
    0.472377,
    0.9973487,
    0.4194303,
    0.0,
    0.9178039,
    0.6558982,
    0.0,
    0.0,
    0.0,
    247.2865448,
    0.3865288,
    171.1759796,
    0.5975367,
]
EMBED = [0.1668773, 0.0, 0.0, 0.1434155, 1.0, 60.6882512]
PIXELS = {(0, 32, 32): [0.5083756, 0.354341, 0.2967652], (3, 60, 32): [-0.39458, -0.1029356, 0.4778382]}
MEANS = [0.1198693, 0.1081488, -0.20562, 0.0380021]
READ = [4.0491371, -3.7902622, -8.9013176, 20.3042603, 44.8069954, 0.5213391, -0.3417084, -1.0383984]
CAPTION = (
    "in front of a turquoise wall, lit from the right at a steep angle, a sad, slim face dressed in an "
    "orange jumper is seen from the front, leaning to the right, and has a brown complexion, jaw-length "
    "brown hair in a bob, half-closed brown eyes glancing right, medium brows, a medium nose, a narrow "
    "jaw, pink-red lips and strongly blushing cheeks"
)
"""What version 0.1 gave for ``sample(4, seed=7, start=3)``."""


SLEEVES = Group(
    "stub",
    (
        Factor("sleeve", "continuous", 0.0, 2.0, 0.5),
        Factor("turn", "circular", 0.0, 360.0, 90.0),
        Factor("cuff", "categorical", 0.0, 1.0, 0.0, categories=("none", "wide"), weights=(0.5, 0.5)),
    ),
    (("sleeve", "turn", 0.6),),
    lambda values, pick: "rolled sleeves" if values["sleeve"] < 1 else "",
)
BOTH = ("head", "stub")


@pytest.fixture
def stub() -> Iterator[None]:
    """A second group, as a later release would add it."""
    register_group(SLEEVES)
    try:
        yield
    finally:
        del groups.GROUPS["stub"]
        groups.columns.cache_clear()


def test_a_head_is_sampled_embedded_and_told_as_in_the_first_version() -> None:
    rows = sample(4, seed=7, start=3)
    assert rows.shape == (4, NUM_FACTORS)
    np.testing.assert_allclose(rows[0], HEAD, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(sample(4, seed=7, start=3, correlated=True)[1], CORRELATED, rtol=1e-6, atol=1e-6)
    found = embed(torch.from_numpy(rows))
    some = [float(found[0, i]) for i in (0, 8, 12, 20, 33)] + [float(found.double().square().sum())]
    np.testing.assert_allclose(some, EMBED, rtol=1e-6, atol=1e-6)
    assert caption(rows[0], 3) == CAPTION


def test_a_head_is_drawn_and_read_as_in_the_first_version() -> None:
    drawn = render(torch.from_numpy(sample(4, seed=7, start=3)), 64, outputs=("image",)).image
    for (picture, y, x), colour in PIXELS.items():
        np.testing.assert_allclose(drawn[picture, :, y, x], colour, atol=1e-5)
    np.testing.assert_allclose(drawn.double().mean((1, 2, 3)), MEANS, atol=1e-5)
    if BUNDLED.is_file():
        np.testing.assert_allclose(estimate(drawn[:1]).factors[0, :8], READ, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("correlated", [False, True])
def test_columns_of_a_group_do_not_depend_on_the_groups_beside_it(stub: None, correlated: bool) -> None:
    both = sample(50, seed=3, correlated=correlated, groups=BOTH)
    np.testing.assert_array_equal(both[:, :NUM_FACTORS], sample(50, seed=3, correlated=correlated))
    np.testing.assert_array_equal(both[:, NUM_FACTORS:], sample(50, seed=3, correlated=correlated, groups=("stub",)))
    np.testing.assert_array_equal(both, sample(50, seed=3, correlated=correlated, groups=("stub", "head")))


def test_factors_of_another_group_are_independent_of_the_head_and_correlated_among_themselves(stub: None) -> None:
    rows = sample(4000, seed=1, correlated=True, groups=BOTH).astype(np.float64)
    assert np.abs(np.corrcoef(rows[:, -3], rows[:, :NUM_FACTORS], rowvar=False)[0, 1:]).max() < 0.08
    assert np.corrcoef(rows[:, -3], rows[:, -2])[0, 1] > 0.5
    u = np.full((2, NUM_FACTORS + 3), 0.5)
    np.testing.assert_allclose(correlate(u, BOTH), u, atol=1e-12)
    np.testing.assert_allclose(from_uniform(u, BOTH)[0, -3:], [1.0, 180.0, 1.0])


def test_a_head_is_drawn_the_same_whatever_other_columns_its_row_has(stub: None) -> None:
    rows = torch.from_numpy(sample(2, seed=5, groups=BOTH))
    outputs = ("image", "depth", "landmarks")
    alone = render(rows[:, :NUM_FACTORS], 32, outputs=outputs)
    for one, other in zip(alone, render(rows, 32, outputs=outputs, groups=BOTH), strict=True):
        assert torch.equal(one, other)  # type: ignore[arg-type]


def test_gradients_reach_the_columns_of_every_group(stub: None) -> None:
    rows = torch.from_numpy(defaults(1, BOTH)).requires_grad_()
    render(rows, 32, outputs=("image",), grad=True, groups=BOTH).image.sum().backward()
    assert rows.grad is not None
    assert rows.grad.shape == rows.shape and float(rows.grad[:, :NUM_FACTORS].abs().sum()) > 0


def test_data_sets_edits_embeddings_and_captions_take_groups(stub: None) -> None:
    item = AvatarDataset(seed=2, n=3, resolution=16, outputs=("image",), groups=BOTH)[1]
    plain = AvatarDataset(seed=2, n=3, resolution=16, outputs=("image",))[1]
    assert torch.equal(item["image"], plain["image"])
    assert torch.equal(item["factors"][:NUM_FACTORS], plain["factors"])
    rows = edit_factors(item["factors"], {"cuff": "wide", "sleeve": 0.2}, groups=BOTH)
    assert rows[0, -1] == 1 and rows[0, 0] == item["factors"][0]
    assert embed(rows, BOTH).shape[1] == embed(rows[:, :NUM_FACTORS]).shape[1] + 1 + 2 + 2
    assert "rolled sleeves" in caption(rows[0], groups=BOTH)
    assert "rolled sleeves" not in caption(rows[0, :NUM_FACTORS])


@pytest.mark.skipif(not BUNDLED.is_file(), reason="the factor network is not in this checkout")
def test_a_network_that_never_saw_a_group_does_not_pretend_to_read_it(stub: None) -> None:
    with pytest.raises(ValueError, match="was not trained to read sleeve, turn, cuff"):
        estimate(torch.zeros(1, 3, 64, 64), groups=BOTH)


def test_a_group_without_factors_is_refused_with_the_groups_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"no group of factors 'legs'; accepted: head, body"):
        sample(2, seed=0, groups=("head", "legs"))
    with pytest.raises(ValueError, match="needs the group 'head'"):
        render(torch.zeros(1, 0), groups=())
    with pytest.raises(ValueError, match=r"needs factors \[N, 33\] \(groups: head\)"):
        render(torch.zeros(1, 36))


def test_names_that_are_taken_are_refused() -> None:
    with pytest.raises(ValueError, match="head given"):
        register_group(replace(SLEEVES, name="head"))
    with pytest.raises(ValueError, match="yaw given"):
        register_group(Group("second", (Factor("yaw", "continuous", 0, 1, 0),)))
    with pytest.raises(ValueError, match="needs factors"):
        register_group(Group("empty", ()))
    assert list(groups.GROUPS) == ["head", "body", "detail", "unseen"]
