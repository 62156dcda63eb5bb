"""The judge: it cuts where it says, keeps what it is in a file, and shares nothing with the factor network."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from stylewidgets.avatars import FACTORS
from stylewidgets.avatars.reading.factor_net import load_regressor, make_heads
from stylewidgets.avatars.reading.judge import POINTS, Judge, cut, load_judge, point_heads, save_judge
from stylewidgets.training.judge import with_points


def fresh() -> Judge:
    heads = make_heads(FACTORS)
    torch.manual_seed(0)
    return Judge([*heads, *point_heads(heads[-1].stop)]).eval()


def test_a_piece_in_the_middle_is_the_middle() -> None:
    x = torch.arange(64 * 64, dtype=torch.float32).view(1, 1, 64, 64)
    assert torch.equal(cut(x, torch.zeros(1, 2), 24), x[:, :, 20:44, 20:44])


def test_a_piece_moves_with_its_middle_and_goes_on_beyond_the_border() -> None:
    x = torch.arange(64 * 64, dtype=torch.float32).view(1, 1, 64, 64)
    right_and_down = torch.tensor([[2 * 3 / 64, 2 * 5 / 64]])
    assert torch.allclose(cut(x, right_and_down, 24), x[:, :, 25:49, 23:47], atol=1e-2)
    assert torch.equal(cut(x, torch.tensor([[-3.0, -3.0]]), 2), x[:, :, :1, :1].expand(-1, -1, 2, 2))


def test_it_says_every_factor_and_where_the_parts_are() -> None:
    net = fresh()
    read = net.readings(net.raw(torch.zeros(2, 3, 128, 128)))
    assert {name for name in read if not name.startswith("at ")} == set(
        load_regressor().readings(torch.zeros(2, net.outputs - 2 * len(POINTS)))
    )
    assert sum(name.startswith("at ") for name in read) == 2 * len(POINTS)


def test_places_are_learned_from_landmarks_alone() -> None:
    net = fresh()
    raw = net(torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)))
    raw[:, : -2 * len(POINTS)].square().sum().backward()
    assert not net.out_points.weight.grad.any()
    raw = net(torch.zeros(2, 3, 64, 64))
    raw[:, -2 * len(POINTS) :].square().sum().backward()
    assert net.out_points.weight.grad.any()


def test_places_of_renders_lie_in_the_picture() -> None:
    defaults = torch.tensor([[f.default for f in FACTORS]], dtype=torch.float32).numpy()
    places = with_points(defaults)[0, len(FACTORS) :].reshape(-1, 2)
    left, right, nose, *corners = places
    assert left[0] < nose[0] < right[0] and left[1] < nose[1] < corners[0][1]
    assert abs(places).max() < 1


def test_it_is_the_same_from_its_file(tmp_path: Path) -> None:
    net = fresh()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(parameter.half().float())
    net.metadata = {"seed": 1}
    again = load_judge(save_judge(net, tmp_path / "judge.safetensors"))
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    assert torch.equal(again.raw(x), net.raw(x)) and again.metadata == {"seed": 1}
    with pytest.raises(ValueError, match="factor network"):
        load_regressor(tmp_path / "judge.safetensors")
