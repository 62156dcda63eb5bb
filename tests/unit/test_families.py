"""Every family offers the same protocol, so that sessions, the cache, directions and the explorer need not know which it is."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from stylewidgets.directions import pca, sefa
from stylewidgets.generators.families import FAMILIES, build
from stylewidgets.generators.protocol import Generator
from stylewidgets.generators.stylegan1.generator import StyleGAN1Config
from stylewidgets.generators.stylegan2.generator import StyleGAN2Config
from stylewidgets.generators.stylegan3.generator import StyleGAN3Config
from stylewidgets.session.activations import SynthesisCache
from stylewidgets.session.session import GeneratorSession
from stylewidgets.widgets.latent_explorer.explorer import LatentExplorer

SIZES: dict[str, Any] = {"z_dim": 8, "w_dim": 8, "mapping_layers": 2}
XL: dict[str, Any] = {"c_dim": 3, "mapping": "stylegan-xl", "embed_dim": 6}
SMALL3: dict[str, Any] = {"channel_base": 64, "channel_max": 8, "num_layers": 4, **SIZES}
CONFIGS: dict[str, tuple[str, Any]] = {
    "stylegan1": ("stylegan1", StyleGAN1Config(channels=(6, 5, 4), **SIZES)),
    "stylegan1 with classes": ("stylegan1", StyleGAN1Config(channels=(6, 5, 4), c_dim=3, **SIZES)),
    "stylegan1, unfinished": ("stylegan1", StyleGAN1Config(channels=(6, 5), lod=1.5, **SIZES)),
    "stylegan2": ("stylegan2", StyleGAN2Config(resolution=16, channels=(6, 5, 4), **SIZES)),
    "stylegan2, b to d": (
        "stylegan2",
        StyleGAN2Config(resolution=16, channels=(6, 5, 4), architecture="orig", **SIZES),
    ),
    "stylegan2, joint labels": (
        "stylegan2",
        StyleGAN2Config(resolution=8, channels=(6, 5), c_dim=3, label="joint", **SIZES),
    ),
    "stylegan3": ("stylegan3", StyleGAN3Config.create("T", 16, **SMALL3)),
    "stylegan-xl": ("stylegan3", StyleGAN3Config.create("T", 16, **SMALL3, **XL)),
}


def make(case: str) -> Any:
    torch.manual_seed(0)
    generator: Any = build(*CONFIGS[case])
    for name, value in generator.state_dict().items():
        if name.endswith(("noise_strength", "bias", "const", "affine.weight")):
            value.copy_(torch.randn(value.shape))
    generator.estimate_w_avg(100)
    return generator


@pytest.fixture(scope="module", params=CONFIGS)
def session(request: pytest.FixtureRequest, device: str) -> GeneratorSession:
    return GeneratorSession(make(request.param), device=device)


def test_the_protocol_is_there_with_its_arguments(session: GeneratorSession, device: str) -> None:
    generator = session.generator
    for name in Generator.__annotations__:
        assert hasattr(generator, name), name
    for name, method in inspect.getmembers(Generator, inspect.isfunction):
        if not name.startswith("_"):
            own = inspect.signature(getattr(type(generator), name)).parameters
            assert list(own) == list(inspect.signature(method).parameters), name
    assert (
        generator.family in FAMILIES
        and type(generator.config).from_dict(generator.config.to_dict()) == generator.config
    )
    assert generator.w_avg.shape == (8,) and generator.device.type == torch.device(device).type
    assert sum(layer.ws_index >= generator.num_ws for layer in generator.layers) == 0


def test_the_steps_make_the_picture_and_the_cache_agrees(session: GeneratorSession) -> None:
    generator = session.generator
    styles = session.code_styles(session.latent(seed=1))
    with torch.no_grad():
        whole, state = generator.synthesize(styles), None
        noise = generator.block_noise("const")
        for i in range(generator.num_blocks):
            state = generator.step(i, state, styles[generator.block_layers(i)], noise[i])
        cache = SynthesisCache(generator)
        assert torch.equal(generator.image(state), whole) and torch.equal(cache.run(styles), whole)
        styles[-1] = styles[-1] + 1
        assert torch.equal(cache.run(styles), generator.synthesize(styles))
    assert whole.shape == (1, generator.img_channels, generator.resolution, generator.resolution)


def test_directions_are_found_and_move_the_picture(session: GeneratorSession) -> None:
    latent = session.latent(seed=2, psi=0.7)
    for found in (pca(session, samples=60, components=1), sefa(session, samples=60, components=1)):
        (direction,) = found.values()
        assert not np.array_equal(session.image(latent.with_edit(direction, 4.0)), session.image(latent))


def test_the_explorer_draws_and_drags(session: GeneratorSession) -> None:
    explorer = LatentExplorer(session)
    try:
        first = np.asarray(explorer.image)
        explorer.value = explorer.value.replace(seed=9, psi=0.5)
        assert not np.array_equal(np.asarray(explorer.image), first)
        explorer.undo()
        assert np.array_equal(np.asarray(explorer.image), first)
        explorer.value = explorer.value.with_edit(next(iter(pca(session, samples=60, components=1).values())), 4.0)
        assert np.array_equal(np.asarray(explorer.image), np.asarray(session.render(explorer.value)))
    finally:
        explorer.close()


def test_an_unknown_family_is_named() -> None:
    with pytest.raises(ValueError, match="stylegan4"):
        build("stylegan4", None)


@pytest.mark.slow
def test_a_family_is_imported_when_it_is_used() -> None:
    code = "import sys, stylewidgets.generators.families as f; assert not [m for m in sys.modules if m.endswith('stylegan3')]"
    subprocess.run([sys.executable, "-c", code], check=True)
