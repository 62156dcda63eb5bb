"""Numbers and arrays of numpy, and tensors of any kind, wherever a number or a code is meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets import avatars
from stylewidgets.inversion import Target
from stylewidgets.settings import Setting


@pytest.fixture(scope="module")
def session() -> sw.GeneratorSession:
    return sw.load("avatar-64", device="cpu")


PAIRS = np.array([[1, 0.5], [2, 0.5]])
SAME: dict[str, tuple[Callable[[Any], object], Callable[[Any], object]]] = {
    "seed": (lambda s: s.latent(seed=np.int64(3)), lambda s: s.latent(seed=3)),
    "seed in an array without axes": (lambda s: s.latent(seed=np.array(3)), lambda s: s.latent(seed=3)),
    "blend": (lambda s: s.latent(blend=PAIRS), lambda s: s.latent(blend=((1, 0.5), (2, 0.5)))),
    "blend in place of a seed": (
        lambda s: s.latent(seed=3).replace(blend=PAIRS), lambda s: s.latent(blend=((1, 0.5), (2, 0.5))),
    ),
    "no blend": (lambda s: s.latent(seed=3).replace(blend=np.zeros((0, 2))), lambda s: s.latent(seed=3)),
    "psi": (lambda s: s.latent(psi=np.float16(0.5)), lambda s: s.latent(psi=0.5)),
    "cutoff": (lambda s: s.latent(cutoff=np.uint8(3)), lambda s: s.latent(cutoff=3)),
    "layers": (
        lambda s: s.latent().with_edit(s.directions["yaw"], np.float32(1.5), np.array([0, 3])),
        lambda s: s.latent().with_edit(s.directions["yaw"], 1.5, (0, 3)),
    ),
    "a view": (lambda s: sw.Camera(np.float32(3), np.int64(2)), lambda s: sw.Camera(3.0, 2.0)),
}  # fmt: skip


@pytest.mark.parametrize("what", SAME)
def test_a_number_of_numpy_is_the_number(session: sw.GeneratorSession, what: str) -> None:
    given, wanted = SAME[what]
    assert given(session) == wanted(session)


def test_a_raw_array_in_the_place_of_a_code_says_how_one_is_made(session: sw.GeneratorSession) -> None:
    with pytest.raises(TypeError, match=r"code is a Code, such as Code\('w', array\)"):
        session.latent(seed=3).replace(code=np.zeros((1, session.w_dim)))


def test_a_tick_may_be_numpys() -> None:
    assert Setting("tick", False, "a tick").check(np.bool_(True)) is True
    with pytest.raises(ValueError, match="True or False"):
        Setting("tick", False, "a tick").check(1)


def test_the_avatars_take_numpys_numbers() -> None:
    ours = sw.AvatarDataset(seed=np.int64(1), n=np.int64(2), resolution=np.int64(32))[np.int64(1)]
    assert torch.equal(ours["image"], sw.AvatarDataset(seed=1, n=2, resolution=32)[1]["image"])
    factors = avatars.defaults(1)
    drawn = avatars.render(factors.astype(np.float64), 32).image
    assert torch.equal(drawn, avatars.render(torch.from_numpy(factors), 32).image)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_tensors_of_any_float_type_and_strides_draw_the_picture(
    session: sw.GeneratorSession, dtype: torch.dtype
) -> None:
    ws = torch.from_numpy(np.round(session.map(session.latent(seed=3)).numpy() * 16) / 16).reshape(1, -1, session.w_dim)
    turned = ws.to(dtype).flip(1).transpose(1, 2).contiguous().transpose(1, 2).flip(1)
    wanted = session.synthesize(ws)
    assert (session.synthesize(turned) - wanted).abs().max() < (0.05 if dtype == torch.bfloat16 else 0.02)
    picture = torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64).to(dtype).flip(2)
    assert torch.equal(Target.of(picture, session).images, picture.float().contiguous())
