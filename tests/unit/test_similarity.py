"""MSE, PSNR, SSIM and MS-SSIM against values worked out by hand or by the definition, window by window."""

from __future__ import annotations

import math

import pytest
import torch

from stylewidgets.metrics import similarity
from stylewidgets.metrics.similarity import ms_ssim, mse, psnr, ssim


def pictures(n: int = 2, side: int = 32, seed: int = 0) -> torch.Tensor:
    made = torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return torch.nn.functional.avg_pool2d(made, 5, 1, 2)


def test_psnr_is_of_the_scale_from_minus_one_to_one() -> None:
    a = torch.zeros(1, 3, 16, 16)
    assert float(mse(a, a + 0.1)) == pytest.approx(0.01)
    assert float(psnr(a, a + 0.1)) == pytest.approx(10 * math.log10(4 / 0.01), abs=1e-4)
    assert float(psnr(a, a)) == math.inf


def test_ssim_agrees_with_its_definition_worked_out_window_by_window() -> None:
    a, b = pictures(1, 14), pictures(1, 14, 1)
    place = torch.arange(11) - 5.0
    line = torch.exp(-(place**2) / (2 * 1.5**2))
    weight = torch.outer(line, line) / line.sum() ** 2
    values = []
    for channel in range(3):
        for y in range(4):
            for x in range(4):
                p, q = (t[0, channel, y : y + 11, x : x + 11].double() for t in (a, b))
                mp, mq = (weight * p).sum(), (weight * q).sum()
                vp, vq = (weight * (p - mp) ** 2).sum(), (weight * (q - mq) ** 2).sum()
                both = (weight * (p - mp) * (q - mq)).sum()
                values.append(
                    (2 * mp * mq + 0.0004) * (2 * both + 0.0036) / ((mp**2 + mq**2 + 0.0004) * (vp + vq + 0.0036))
                )
    assert float(ssim(a, b)) == pytest.approx(float(torch.stack(values).mean()), abs=1e-4)


@pytest.mark.parametrize("measure", [ssim, ms_ssim])
def test_equal_pictures_are_alike_and_noise_makes_them_less_so(measure: object) -> None:
    a = pictures(2, 64)
    noise = torch.randn(a.shape, generator=torch.Generator().manual_seed(3))
    some, more = measure(a, a + 0.05 * noise), measure(a, a + 0.3 * noise)
    assert torch.allclose(measure(a, a), torch.ones(2), atol=1e-5)
    assert bool((some < 0.999).all()) and bool((more < some).all())


def test_a_mask_leaves_out_what_is_outside() -> None:
    a = pictures(1, 32)
    b = a.clone()
    b[..., :8] += 0.7
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 20:] = 1
    assert float(mse(a, b)) > 0.1 and float(mse(a, b, mask)) == 0
    assert float(ssim(a, b)) < 0.95 and float(ssim(a, b, mask)) == pytest.approx(1, abs=1e-5)


def test_small_pictures_have_fewer_scales_and_gradients_stay_finite() -> None:
    assert [similarity.scales(side) for side in (8, 16, 64, 160, 256, 1024)] == [1, 1, 3, 4, 5, 5]
    a = pictures(1, 16).requires_grad_()
    ms_ssim(a, -a.detach()).sum().backward()
    assert a.grad is not None and bool(torch.isfinite(a.grad).all())
