"""Training a generator on the w of another."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from stylewidgets.checkpoints.formats import native
from stylewidgets.generators.stylegan1.generator import StyleGAN1, StyleGAN1Config
from stylewidgets.generators.stylegan2.generator import StyleGAN2, StyleGAN2Config
from stylewidgets.training.data import Batch
from stylewidgets.training.phases import paired_step
from stylewidgets.training.state import Recipe, TrainingRun
from stylewidgets.training.world import recipe_of_w, share_w

SIZES = {"z_dim": 40, "w_dim": 16, "mapping_layers": 2, "mapping_width": 24}
WORLD = {**SIZES, "twist": 0.3, "correlated": True, "condition": "", "seed": 3}


def other(folder: Path, **metadata: object) -> str:
    torch.manual_seed(0)
    generator = StyleGAN2(StyleGAN2Config(resolution=16, channels=(8, 8, 8), **SIZES))
    for layer in range(2):
        generator.mapping.get_submodule(f"fc{layer}").bias.data.normal_()
    generator.mapping.w_avg.normal_()
    path = folder / "other.safetensors"
    native.save(path, generator, metadata)
    return str(path)


@pytest.mark.parametrize(
    "generator",
    [
        StyleGAN1(StyleGAN1Config(channels=(8, 8), **SIZES)),
        StyleGAN2(StyleGAN2Config(resolution=8, channels=(8, 8), **SIZES)),
    ],
    ids=["stylegan1", "stylegan2"],
)
def test_two_families_map_a_seed_to_the_same_w(generator: StyleGAN1 | StyleGAN2, tmp_path: Path) -> None:
    source = other(tmp_path, recipe=WORLD)
    share_w(generator, source)
    first, _ = native.load(source)
    z = torch.randn(5, 40, dtype=torch.float32, device="cpu")
    torch.testing.assert_close(generator.map(z)[:, 0], first.map(z)[:, 0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(generator.mapping.w_avg, first.mapping.w_avg)
    assert not any(p.requires_grad for p in generator.mapping.parameters())


def test_a_step_draws_the_w_of_the_other_and_leaves_it_alone(tmp_path: Path) -> None:
    source = other(tmp_path, recipe=WORLD)
    recipe = Recipe(family="stylegan1", w_of=source, channels=(8, 8, 8), resolution=16, batch=4, **recipe_of_w(source))
    run = TrainingRun(recipe, "cpu")
    before = {name: p.clone() for name, p in run.generator.named_parameters()}
    z, _, factors = run.latents(4)
    image = torch.zeros(4, 3, 16, 16, dtype=torch.float32, device="cpu")
    weight = torch.ones(4, 1, 16, 16, dtype=torch.float32, device="cpu")
    losses = [paired_step(run, Batch(z, factors, image, weight), adversarial=False)["paired"] for _ in range(8)]
    assert losses[-1] < losses[0]
    changed = {name for name, p in run.generator.named_parameters() if not torch.equal(p, before[name])}
    assert changed and all(name.startswith("synthesis.") for name in changed)


def test_one_of_the_same_sizes_goes_on_from_what_the_other_draws(tmp_path: Path) -> None:
    source = other(tmp_path, recipe=WORLD)
    first, _ = native.load(source)
    run = TrainingRun(Recipe(w_of=source, channels=(8, 8, 8), resolution=16, **recipe_of_w(source)), "cpu")
    z = torch.randn(2, 40, dtype=torch.float32, device="cpu")
    drawn = [g.synthesize(g.map(z), noise="const") for g in (run.generator, run.averaged["generator"])]
    for picture in drawn:
        torch.testing.assert_close(picture, first.synthesize(first.map(z), noise="const"), rtol=1e-4, atol=1e-4)


def test_a_generator_of_other_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not say which avatar"):
        recipe_of_w(other(tmp_path))
