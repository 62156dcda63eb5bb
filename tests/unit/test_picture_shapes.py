"""Generators whose pictures are not square, or have one colour or an alpha: targets, masks, losses and every method."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stylewidgets as sw
from stylewidgets import inversion, load
from stylewidgets.generators.stylegan2 import StyleGAN2, StyleGAN2Config
from stylewidgets.generators.stylegan3 import StyleGAN3, StyleGAN3Config
from stylewidgets.inversion import Target
from stylewidgets.inversion.losses.losses import shrink

SMALL: dict[str, Any] = {"z_dim": 16, "w_dim": 16, "mapping_layers": 2}
SIZES = {"tall": (16, 8), "wide": (16, 24), "human": (16, 8), "alpha": (16, 16), "grey": (16, 16)}
PHOTO = np.random.RandomState(0).randint(0, 255, (40, 60, 3)).astype(np.uint8)


def session(name: str) -> sw.GeneratorSession:
    torch.manual_seed(0)
    if name == "human":
        config = StyleGAN3Config.create("T", 16, channel_base=256, channel_max=8, num_layers=4, aspect=0.5, **SMALL)
        return sw.GeneratorSession(StyleGAN3(config))
    more: dict[str, Any] = {
        "tall": {"start": (4, 2)},
        "wide": {"start": (4, 6), "resolution": 24},
        "alpha": {"img_channels": 4},
        "grey": {"img_channels": 1},
    }[name]
    return sw.GeneratorSession(StyleGAN2(StyleGAN2Config(**{"resolution": 16, "channels": (8, 8, 8), **SMALL, **more})))


@pytest.mark.parametrize("name", SIZES)
def test_a_target_has_the_shape_of_the_generators_pictures(name: str) -> None:
    one = session(name)
    assert one.picture_size == SIZES[name] == one.image(one.latent(seed=1)).shape[:2]
    for given in (PHOTO, one.latent(seed=1), one.image(one.latent(seed=1))):
        assert inversion.Target.of(given, one).images.shape == (1, 3, *SIZES[name])
    assert one.images([]).shape == (0, *SIZES[name], 3)
    target = inversion.Target.of(PHOTO, one).with_mask(np.ones(SIZES[name], np.float32))
    assert inversion.Target.of(target, one) is target


def test_the_middle_of_a_photo_is_kept_and_nothing_is_stretched() -> None:
    stripes = np.zeros((40, 40, 3), np.uint8)
    stripes[:, 10:30] = 255
    images = inversion.Target.of(stripes, session("tall")).images
    assert float(images.mean()) > 0.95


def test_large_pictures_are_shrunk_in_their_shape() -> None:
    assert shrink(torch.zeros(1, 3, 64, 32), 16).shape == (1, 3, 16, 8)
    assert shrink(torch.zeros(1, 3, 8, 32), 16).shape == (1, 3, 4, 16)


FEW: dict[str, dict[str, Any]] = {
    "projector": {"steps": 2},
    "fast": {"steps": 2, "samples": 2},
    "image2stylegan": {"steps": 2},
    "image2stylegan++": {"steps": 2, "noise_steps": 2},
    "hybrid": {"steps": 2, "start_steps": 2},
    "pti": {"steps": 2, "pivot_steps": 2},
}


@pytest.mark.slow
@pytest.mark.parametrize("method", FEW)
@pytest.mark.parametrize("name", SIZES)
def test_every_method_of_descent_inverts_it(name: str, method: str) -> None:
    one = session(name)
    target = inversion.Target.of(PHOTO, one).with_mask(np.ones(SIZES[name], np.float32))
    result = inversion.invert(one, target, method, **FEW[method])
    assert one.image(result.latent()).shape == (*SIZES[name], 3)


def test_a_folder_goes_on_without_its_broken_files_and_names_them(tmp_path: Path) -> None:
    session = load("avatar-64", device="cpu")
    for seed in (1, 2):
        session.render(session.latent(seed=seed)).save(tmp_path / f"{seed}.png")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("no picture either, and none that counts")
    with pytest.warns(UserWarning, match=r"1 of 3 pictures are left out: .*broken\.jpg' is not an image"):
        target = Target.of(tmp_path, session)
    assert target.names == ("1", "2") and len(target.left_out) == 1
    paths = sorted(tmp_path.glob("*.*g"))
    with pytest.raises(ValueError, match=r"1 of 3 pictures cannot be used: .*broken\.jpg.*skip=True"):
        Target.of(paths, session)
    with pytest.warns(UserWarning, match=r"broken\.jpg"):
        assert Target.of(paths, session, skip=True).names == target.names
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="a folder without pictures"):
        Target.of(tmp_path / "empty", session)
