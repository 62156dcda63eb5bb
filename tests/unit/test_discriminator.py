"""The StyleGAN2 discriminator: shapes, statistics over the batch, gradients of gradients."""

from __future__ import annotations

import pytest
import torch

from stylewidgets.generators.stylegan2.discriminator import Discriminator, MinibatchStd


def make(**changes: int) -> Discriminator:
    torch.manual_seed(0)
    return Discriminator(16, (12, 10, 8), **changes)


def test_one_score_per_picture_for_any_batch_size() -> None:
    critic = make()
    for n in (1, 3, 4, 6):
        assert critic(torch.randn(n, 3, 16, 16)).shape == (n, 1)


def test_the_gradient_penalty_has_gradients() -> None:
    critic = make()
    image = torch.randn(4, 3, 16, 16, requires_grad=True)
    (grad,) = torch.autograd.grad(critic(image).sum(), image, create_graph=True)
    grad.square().sum().backward()
    given = [p.grad for name, p in critic.named_parameters() if not name.endswith("bias")]
    assert all(g is not None and torch.isfinite(g).all() for g in given)


def test_labels_change_the_score_and_are_demanded() -> None:
    critic = make(c_dim=3)
    image = torch.randn(2, 3, 16, 16)
    assert not torch.allclose(critic(image, torch.eye(3)[[0, 1]]), critic(image, torch.eye(3)[[2, 2]]))
    with pytest.raises(ValueError, match="conditional"):
        critic(image)


def test_the_last_map_is_the_spread_within_the_group() -> None:
    x = torch.randn(4, 3, 2, 2)
    y = MinibatchStd(4)(x)
    assert y.shape == (4, 4, 2, 2) and torch.equal(y[:, :3], x)
    wanted = x.std(dim=0, correction=0).mean()
    assert torch.allclose(y[:, 3], wanted.expand(4, 2, 2), atol=1e-4)
    assert float(MinibatchStd(4)(x[:1].repeat(4, 1, 1, 1))[0, 3, 0, 0]) == pytest.approx(1e-4, rel=1e-3)


def test_memory_layout_and_autocast_do_not_change_the_score_much() -> None:
    critic = make()
    image = torch.randn(4, 3, 16, 16)
    score = critic(image)
    assert torch.allclose(critic.to(memory_format=torch.channels_last)(image), score, atol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        rough = critic(image)
    assert torch.isfinite(rough).all() and torch.allclose(rough.float(), score, atol=0.2, rtol=0.2)


def test_pictures_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"pictures are \[N, 3, 16, 16\]; \[1, 3, 8, 8\] was given"):
        make()(torch.zeros(1, 3, 8, 8))
    with pytest.raises(ValueError, match="one entry per resolution"):
        Discriminator(32, (8, 8))
