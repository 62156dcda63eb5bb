"""Generators whose pictures are not square, or have one colour or an alpha, through everything that draws, reads or edits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import stylewidgets as sw
from stylewidgets import inversion, mixing
from stylewidgets.film import video
from stylewidgets.generators.stylegan2 import StyleGAN2, StyleGAN2Config
from stylewidgets.generators.stylegan3 import StyleGAN3, StyleGAN3Config
from stylewidgets.inversion.encoders import small
from stylewidgets.inversion.faces import align
from stylewidgets.stylespace import local_effect, statistics
from stylewidgets.stylespace.channel import Channel
from stylewidgets.stylespace.effects import effect

SMALL: dict[str, Any] = {"z_dim": 16, "w_dim": 16, "mapping_layers": 2}
SIZES = {"tall": (16, 8), "wide": (16, 24), "human": (16, 8), "alpha": (16, 16), "grey": (16, 16)}
MORE: dict[str, dict[str, Any]] = {
    "tall": {"start": (4, 2)},
    "wide": {"start": (4, 6), "resolution": 24},
    "alpha": {"img_channels": 4},
    "grey": {"img_channels": 1},
}
EYES_AND_MOUTH = np.array([[22, 20], [38, 20], [24, 36], [36, 36]], np.float32)


@pytest.fixture(scope="module", params=SIZES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def session(kind: str) -> sw.GeneratorSession:
    torch.manual_seed(0)
    if kind == "human":
        three = StyleGAN3Config.create("T", 16, channel_base=256, channel_max=8, num_layers=4, aspect=0.5, **SMALL)
        return sw.GeneratorSession(StyleGAN3(three))
    config = StyleGAN2Config(**{"resolution": 16, "channels": (8, 8, 8), **SMALL, **MORE[kind]})
    return sw.GeneratorSession(StyleGAN2(config))


def test_a_grid_and_its_sheet_keep_the_shape(kind: str, session: sw.GeneratorSession) -> None:
    grid = mixing.MixGrid.of(session, [1, 2], [3])
    pictures = mixing.GridRenderer(session).all(grid)
    assert {picture.shape for picture in pictures.values()} == {(*SIZES[kind], 3)}
    height, width = SIZES[kind]
    sheet = mixing.sheet(grid, pictures)
    assert sheet.height > 3 * height and sheet.width > 2 * width


def test_a_film_keeps_the_shape(kind: str, session: sw.GeneratorSession, tmp_path: Path) -> None:
    film = video.frames(session, [session.latent(seed=1), session.latent(seed=2)], fps=4, seconds=0.5)
    with Image.open(video.write_gif(tmp_path / "a.gif", film, 4)) as made:
        assert (made.height, made.width) == SIZES[kind] and getattr(made, "n_frames", 1) == 3


def test_a_photo_that_was_aligned_is_cropped_to_it(kind: str, session: sw.GeneratorSession) -> None:
    photo = np.random.RandomState(0).randint(0, 255, (60, 60, 3)).astype(np.uint8)
    crop, _ = align.align(photo, EYES_AND_MOUTH, 16)
    assert inversion.Target.of(crop, session).images.shape == (1, 3, *SIZES[kind])


def test_channels_are_measured_and_found_by_a_mask_of_its_shape(kind: str, session: sw.GeneratorSession) -> None:
    latent, stats = session.latent(seed=1), statistics(session, 40)
    mask = np.zeros(SIZES[kind], bool)
    mask[:8, :4] = True
    *_, found = local_effect(session, latent, stats, mask)
    assert found.channels
    with pytest.raises(ValueError, match=r"16|24"):
        local_effect(session, latent, stats, mask.T if kind in ("tall", "wide", "human") else mask[:5])
    shown = effect(session, latent, Channel(0, 0), stats=stats)
    assert shown.pictures.shape == (3, *SIZES[kind], 3)


def test_every_widget_shows_it(kind: str, session: sw.GeneratorSession) -> None:
    for widget in (
        sw.LatentExplorer(session),
        sw.StyleMixGrid(session, rows=[1], columns=[2]),
        sw.StyleSpaceProbe(session, samples=40),
        sw.InversionViewer(session, target=session.latent(seed=1)),
    ):
        assert widget.view.error == ""
        widget.close()


@pytest.mark.parametrize("method", ["psp", "e4e", "restyle"])
def test_an_encoder_of_another_generator_is_refused_in_words(
    method: str, kind: str, session: sw.GeneratorSession
) -> None:
    assert "stylewidgets train encoders" in inversion.encoders.runs.unfit(method, session)
    with pytest.raises(ValueError, match="stylewidgets train encoders"):
        inversion.start(method, session, session.latent(seed=1))


def test_an_encoder_trained_for_it_sees_the_whole_picture(
    kind: str, session: sw.GeneratorSession, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    shape = small.Shape("psp", session.num_ws, 16, (8, 8, 16, 16), 2, False)
    net = small.SmallEncoder(shape, torch.zeros(16), 0.5).eval().requires_grad_(False)
    path = tmp_path / "psp.safetensors"
    small.save(net, path, {"w_space": session.fingerprint("w"), "generator": kind})
    result = inversion.invert(session, session.latent(seed=1), "psp", encoder=str(path))
    assert session.image(result.latent()).shape == (*SIZES[kind], 3)


@pytest.mark.parametrize("size", [(64, 32), (128, 32), (128, 64), (32, 16), (96, 160)])
def test_an_encoder_takes_pictures_of_any_shape(size: tuple[int, int]) -> None:
    assert small.pooled(torch.zeros(1, 1, *size, dtype=torch.float32)).shape == (1, 3, small.SIDE, small.SIDE)
