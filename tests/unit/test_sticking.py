"""What sticks to the pixels when features are moved."""

from __future__ import annotations

import pytest
import torch

from stylewidgets.bench.sticking import moving
from stylewidgets.generators.protocol import State
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.generators.stylegan3.generator import StyleGAN3, StyleGAN3Config
from stylewidgets.latent.view import Transform
from stylewidgets.session.session import GeneratorSession

MAPS = torch.randn(2, 3, 16, 16, dtype=torch.float32, device="cpu", generator=torch.Generator().manual_seed(0))


def test_whole_pixels_are_moved_exactly() -> None:
    found = moving.shift(MAPS, Transform(x=3 / 16, y=-2 / 16))
    torch.testing.assert_close(found[:, :, :14, 3:], MAPS[:, :, 2:, :13], rtol=0, atol=1e-5)


def test_a_quarter_turn_is_against_the_clock() -> None:
    found = moving.shift(MAPS, Transform(angle=90))
    torch.testing.assert_close(found, MAPS.rot90(1, (2, 3)), rtol=0, atol=1e-4)


def test_features_and_the_picture_so_far_move_alike() -> None:
    state = moving.shifted(State(MAPS, MAPS * 2), Transform(x=0.1, angle=20))
    assert state.img is not None
    torch.testing.assert_close(state.img, state.x * 2, rtol=1e-4, atol=1e-4)


def test_a_picture_that_moves_as_meant_has_no_error_and_noise_in_it_counts() -> None:
    known = torch.ones(2, 1, 16, 16, dtype=torch.bool, device="cpu")
    assert moving.signal(moving.Moved(MAPS, MAPS, known)) > 150
    assert moving.signal(moving.Moved(MAPS + 0.02, MAPS, known)) == pytest.approx(40, abs=0.01)


def test_what_came_in_at_the_edge_does_not_count() -> None:
    known = torch.zeros(2, 1, 16, 16, dtype=torch.bool, device="cpu")
    known[..., 8:] = True
    wrong = MAPS.clone()
    wrong[..., :8] += 5
    assert moving.signal(moving.Moved(wrong, MAPS, known)) > 150


def test_a_strip_is_one_row_of_each_picture() -> None:
    assert torch.equal(moving.strip(MAPS, 5)[:, 1], MAPS[1, :, 5])


def test_both_families_are_moved_by_the_same_call_and_stay_where_they_are_for_no_shift() -> None:
    torch.manual_seed(0)
    small = {"z_dim": 8, "w_dim": 8}
    three = StyleGAN3Config.create("T", 32, channel_base=512, channel_max=16, num_layers=6, margin=8, **small)
    for generator in (StyleGAN2(StyleGAN2Config(resolution=32, channels=(8, 8, 8, 8), **small)), StyleGAN3(three)):
        session = GeneratorSession(generator, device="cpu", precision="fp32")
        found = moving.moved(session, session.map(session.latent(seed=1))[:, 0], [Transform(), Transform(x=0.125)])
        assert found.drawn.shape == (2, 3, 32, 32)
        torch.testing.assert_close(found.drawn[0], found.meant[0], rtol=0, atol=1e-4)
        assert not torch.allclose(found.drawn[1], found.drawn[0], atol=1e-3)
        assert not found.known[1, :, :, :4].any() and found.known[1, :, 4:-4, 5:].all()


def test_a_generator_without_features_of_that_size_is_refused() -> None:
    config = StyleGAN2Config(resolution=8, channels=(8, 8), z_dim=8, w_dim=8)
    with pytest.raises(ValueError, match="no features of 16 pixels"):
        moving.coarse_layer(GeneratorSession(StyleGAN2(config), device="cpu"))
