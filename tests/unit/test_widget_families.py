"""StyleMixGrid and StyleSpaceProbe on every family of generators: other layer names, other noise, pictures only at the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylewidgets import mixing, stylespace
from stylewidgets.generators.stylegan1.config import StyleGAN1Config
from stylewidgets.generators.stylegan1.generator import StyleGAN1
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.generators.stylegan3.generator import StyleGAN3, StyleGAN3Config
from stylewidgets.latent.latent import Latent
from stylewidgets.mixing import GridRenderer, MixGrid
from stylewidgets.session.session import GeneratorSession
from stylewidgets.stylespace import Channel
from stylewidgets.stylespace.search import gradients
from stylewidgets.widgets.style_mix_grid.grid import StyleMixGrid
from stylewidgets.widgets.style_space_probe.probe import StyleSpaceProbe

SAMPLES = 100
MAKE: dict[str, Callable[[], Any]] = {
    "stylegan1": lambda: StyleGAN1(
        StyleGAN1Config(z_dim=8, w_dim=12, channels=(6, 6, 4), mapping_layers=2, fused_from=16)
    ),
    "stylegan2": lambda: StyleGAN2(
        StyleGAN2Config(z_dim=8, w_dim=12, c_dim=0, resolution=16, channels=(6, 6, 4), mapping_layers=2)
    ),
    "stylegan2 with labels": lambda: StyleGAN2(
        StyleGAN2Config(z_dim=8, w_dim=12, c_dim=3, resolution=16, channels=(6, 6, 4), mapping_layers=2)
    ),
    "stylegan3-t": lambda: StyleGAN3(
        StyleGAN3Config.create("T", 16, channel_base=64, channel_max=8, z_dim=8, w_dim=12)
    ),
    "stylegan3-r": lambda: StyleGAN3(
        StyleGAN3Config.create("R", 16, channel_base=64, channel_max=8, z_dim=8, w_dim=12)
    ),
}


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module", params=list(MAKE))
def session(request: pytest.FixtureRequest, device: str) -> GeneratorSession:
    torch.manual_seed(0)
    generator = MAKE[request.param]().eval()
    with torch.no_grad():
        for name, value in generator.named_parameters():
            if "noise" in name or "bias" in name:  # zero at birth: then no noise would be seen, and no bias
                value.add_(0.1 * torch.randn_like(value))
    return GeneratorSession(generator, name=request.param, device=device)


@pytest.fixture
def probe(session: GeneratorSession) -> Iterator[StyleSpaceProbe]:
    made = StyleSpaceProbe(session, samples=SAMPLES)
    made.finish()
    yield made
    made.close()


def latents(session: GeneratorSession, seeds: Any, **settings: Any) -> list[Latent]:
    return [
        session.latent(seed=seed, label=seed % session.c_dim if session.c_dim else None, **settings) for seed in seeds
    ]


# -- StyleMixGrid --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("noise", ["row", "column", "layers"])
@pytest.mark.parametrize("space", ["w+", "s"])
def test_every_picture_of_a_grid_is_that_of_its_own_latent(session: GeneratorSession, space: str, noise: str) -> None:
    rows = [*latents(session, [1]), *latents(session, [2], noise_mode="random", noise_seed=3)]
    columns = [*latents(session, [4], noise_mode="none"), *latents(session, [5], psi=0.5)]
    renderer = GridRenderer(session)
    for layers in ("coarse", (1, 3), "fine"):
        grid = MixGrid.of(session, rows, columns, layers, space=space, noise=noise)
        for place, picture in renderer.all(grid).items():
            if noise == "layers" and -1 not in place:
                continue  # a latent has one noise, so no latent is exactly this picture
            wanted = session.image(mixing.mix_cell(session, grid, place))
            assert np.abs(picture.astype(int) - wanted.astype(int)).max() <= 1, (layers, place)


def test_the_grid_widget_starts_edits_and_writes_its_code(session: GeneratorSession, tmp_path: Path) -> None:
    grid = StyleMixGrid(session, rows=latents(session, [1, 2]), columns=latents(session, [3, 4]))
    before = grid.value
    first = session.num_ws // 2
    grid.value = MixGrid.of(session, before.rows, before.columns, (first, session.num_ws), space="s")
    grid.value = MixGrid.of(session, before.rows[::-1], before.columns, (first, session.num_ws), space="s")
    grid.save_figure(tmp_path / "grid.svg")
    assert "<svg" in (tmp_path / "grid.svg").read_text() and "StyleMixGrid" not in grid.view.error
    grid.save(tmp_path / "grid.json")
    state = grid.value
    grid.undo()
    assert grid.value != state
    grid.load(tmp_path / "grid.json")
    assert grid.value == state and grid.view.error == ""
    grid.close()


# -- StyleSpaceProbe -----------------------------------------------------------------------------------------------------
def test_the_map_has_every_layer_under_its_own_name(probe: StyleSpaceProbe) -> None:
    layers = probe.session.layers
    assert [each["name"] for each in probe.view.layers] == [layer.name for layer in layers]
    assert sum(each["channels"] for each in probe.view.layers) == stylespace.num_channels(layers)
    assert probe.search.statistics.n == SAMPLES and probe.view.error == ""
    first = Channel(1, 2)
    probe.select(first.name(layers))
    assert probe.selected == first
    assert len(np.frombuffer(probe.view.values, "<f4")) == stylespace.num_channels(layers)


def test_a_moved_channel_agrees_with_styles_moved_by_hand(probe: StyleSpaceProbe) -> None:
    session = probe.session
    probe.set_strength("1_2", 2.5)
    flat = Channel(1, 2).flat(session.layers)
    styles = [part.clone() for part in session.code_styles(probe.value.replace(edits=()))]
    styles[1][0, 2] += 2.5 * float(probe.search.statistics.std[flat])
    for mine, wanted in zip(session.code_styles(probe.value), styles, strict=True):
        torch.testing.assert_close(mine, wanted, atol=1e-5, rtol=1e-5)
    picture = session.synthesize(session.code_styles(probe.value), noise_mode="const")
    torch.testing.assert_close(picture, session.synthesize(styles, noise_mode="const"), atol=1e-5, rtol=1e-4)
    assert np.array_equal(np.asarray(probe.image), session.image(probe.value))


@pytest.mark.slow
def test_places_and_examples_rank_every_channel(probe: StyleSpaceProbe) -> None:
    session = probe.session
    mask = np.zeros((session.resolution,) * 2, bool)
    mask[:6, :6] = True
    found: Any = probe.find_place(mask)
    assert found.stage == "maps" and len(found.order) == int((~stylespace.is_torgb(session.layers)).sum())
    assert np.isfinite(found.values[found.order]).all() and np.nanmax(found.values) > 0
    examples = probe.find_examples(latents(session, range(10)))
    values = probe.search.statistics.values.astype(np.float32)
    moving = (values.std(axis=0) > 0) & ~stylespace.is_torgb(session.layers)
    assert len(examples.order) == int(moving.sum()), "what never changes has no θ"
    probe.search.find_effect()
    probe.finish()
    assert np.isfinite(probe.search.measures["effect"].values).all() and probe.view.error == ""


def test_gradient_maps_are_those_of_small_steps(session: GeneratorSession) -> None:
    """One channel of the middle layer: what the maps say is what a small step does, cell by cell."""
    latent = latents(session, [7])[0]
    stats = stylespace.statistics(session, SAMPLES)
    maps = gradients.gradient_maps(session, latent, grid=4, colours="each", cached=False)
    flat = Channel(len(session.layers) // 2, 1).flat(session.layers)
    step = 0.02 * float(stats.std[flat])
    edits = [
        latent.with_edit(stylespace.edit_direction(session, {Channel.of(flat, session.layers): sign}, stats), 0.02)
        for sign in (-1.0, 1.0)
    ]
    low, high = (session.synthesize(session.code_styles(each), noise_mode="const").float() for each in edits)
    slope = torch.nn.functional.adaptive_avg_pool2d((high - low) / (2 * step), 4).abs().mean(dim=1)[0]
    np.testing.assert_allclose(maps[flat], slope.numpy(), rtol=0.05, atol=0.02 * float(slope.max()) + 1e-6)


@pytest.mark.slow
def test_the_probe_saves_states_figures_and_directions(probe: StyleSpaceProbe, tmp_path: Path) -> None:
    probe.select("2_1")
    probe.set_strength("2_1", 3.0)
    probe.save_figure(tmp_path / "channel.svg")
    direction = probe.save_direction("mine", tmp_path / "mine.npz")
    assert direction.space == "s" and "<svg" in (tmp_path / "channel.svg").read_text()
    probe.save(tmp_path / "state.json")
    json.loads((tmp_path / "state.json").read_text())
    value = probe.value
    probe.randomize()
    probe.load(tmp_path / "state.json")
    assert probe.value == value and probe.view.error == ""
    assert "stylewidgets" in probe.code()
