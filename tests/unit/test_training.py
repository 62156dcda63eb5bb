"""Training: the losses, the latent world, resuming, growing, and the command at a very small size."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from stylewidgets.avatars import FACTORS, sample
from stylewidgets.avatars.world.dataset import to_uint8
from stylewidgets.checkpoints.formats import native
from stylewidgets.core.options import add_options
from stylewidgets.ops.upfirdn2d import upsample2d
from stylewidgets.training import avatars
from stylewidgets.training.data import RenderedAvatars, region_weights
from stylewidgets.training.losses import (
    discriminator_loss,
    generator_loss,
    paired_loss,
    path_length_penalty,
    r1_penalty,
)
from stylewidgets.training.phases import COARSE_FACTORS, draw_moved, mixed_codes
from stylewidgets.training.state import Recipe, TrainingRun
from stylewidgets.training.world import FactorEmbedding, LatentWorld

TINY = Recipe(resolution=16, channels=(8, 8, 8), z_dim=40, w_dim=16, mapping_width=16, batch=4)


def arguments(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_options(parser, avatars.OPTIONS)
    return parser.parse_args(
        [
            "--resolution",
            "16",
            "--channels",
            "8",
            "8",
            "8",
            "--renders",
            "12",
            "--batch",
            "4",
            "--device",
            "cpu",
            "--grow-images",
            "8",
            "--paired-images",
            "16",
            "--mapping-samples",
            "512",
            "--joint-images",
            "8",
            *given,
        ]
    )


def test_the_twist_keeps_z_standard_normal() -> None:
    z = torch.from_numpy(np.random.RandomState(0).randn(20_000, 64).astype(np.float32))
    x = LatentWorld(64).normal(z)
    assert x.mean(dim=0).abs().max() < 0.04
    assert (x.T @ x / len(x) - torch.eye(x.shape[1])).abs().max() < 0.05


def test_no_factor_is_a_linear_function_of_z() -> None:
    z = torch.from_numpy(np.random.RandomState(0).randn(4000, 64).astype(np.float32))
    x = LatentWorld(64).normal(z)[:, : len(FACTORS)]
    fit = z @ torch.linalg.lstsq(z, x).solution
    explained = 1 - (x - fit).var(dim=0) / x.var(dim=0)
    assert explained.max() < 0.995
    assert explained.min() > 0.5, "so curved that no direction could be found"


def test_factors_of_the_world_depend_on_the_seed_and_on_z_only() -> None:
    z = torch.randn(3, 64)
    assert torch.equal(LatentWorld(64, seed=5).factors(z), LatentWorld(64, seed=5).factors(z))
    assert not torch.equal(LatentWorld(64, seed=5).factors(z), LatentWorld(64, seed=6).factors(z))
    assert torch.allclose(LatentWorld(64).factors(z)[1:2], LatentWorld(64).factors(z[1:2]), atol=1e-3)


def test_a_world_needs_room_for_every_factor() -> None:
    with pytest.raises(ValueError, match="z_dim=8 is too small"):
        LatentWorld(8)


def test_paired_loss_is_zero_for_equal_pictures_and_grows_with_the_weight_of_the_difference() -> None:
    a = torch.rand(2, 3, 16, 16)
    b = a.clone()
    b[:, :, 4:8, 4:8] += 0.5
    even, looked_at = torch.ones(2, 1, 16, 16), torch.ones(2, 1, 16, 16)
    looked_at[:, :, 4:8, 4:8] = 5
    assert paired_loss(a, a, even) == 0
    assert paired_loss(b, a, looked_at) > 2 * paired_loss(b, a, even) > 0


def test_adversarial_losses_are_those_of_the_paper() -> None:
    zero = torch.zeros(4, 1)
    assert generator_loss(zero).item() == pytest.approx(np.log(2))
    assert discriminator_loss(zero, zero).item() == pytest.approx(2 * np.log(2))
    assert discriminator_loss(zero + 20, zero - 20).item() == pytest.approx(0, abs=1e-6)


def test_r1_of_a_linear_discriminator_is_half_its_squared_slope() -> None:
    slope = torch.randn(3 * 4 * 4)
    real = torch.randn(5, 3, 4, 4, requires_grad=True)
    penalty = r1_penalty(real.flatten(1) @ slope, real)
    assert penalty.item() == pytest.approx(0.5 * slope.square().sum().item(), rel=1e-5)


def test_path_length_of_a_linear_generator_is_the_length_of_its_jacobian_product() -> None:
    torch.manual_seed(0)
    w = torch.randn(64, 1, 3, requires_grad=True)
    basis = torch.linalg.qr(torch.randn(48, 3)).Q.T * 2.0
    images = (w[:, 0] @ basis).reshape(64, 3, 4, 4)
    penalty, mean = path_length_penalty(images, w, torch.zeros(()), decay=1.0)
    assert mean.item() == pytest.approx(2.0 * np.sqrt(3) / 4, rel=0.2)  # E|2 y| over 3 directions, y ~ N / sqrt(16)
    assert penalty.item() < mean.item() ** 2


def test_eyes_and_mouth_count_more_than_the_background() -> None:
    from stylewidgets.avatars import REGIONS

    weights = dict(zip(REGIONS, region_weights().tolist(), strict=True))
    assert weights["background"] == 1
    assert weights["eye_left"] > weights["skin"] > weights["background"]


def test_renders_are_read_back_as_they_were_made_and_an_interrupted_set_is_completed(tmp_path: Path) -> None:
    world = LatentWorld(40)
    whole = RenderedAvatars(tmp_path / "a", 6, 16, world)
    images = np.array(whole.images)
    (tmp_path / "a" / "state.json").write_text(
        (tmp_path / "a" / "state.json").read_text().replace('"done": 6', '"done": 2')
    )
    whole.images[2:] = 0
    again = RenderedAvatars(tmp_path / "a", 6, 16, world)
    assert np.array_equal(images, again.images)
    batch = again.batch(np.arange(6))
    assert torch.equal(to_uint8(batch.image), torch.from_numpy(images))
    assert torch.allclose(batch.weight.mean(dim=(1, 2, 3)), torch.ones(6))


def test_a_saved_run_goes_on_with_the_same_networks_and_counters(tmp_path: Path) -> None:
    run = TrainingRun(TINY, "cpu")
    run.images["paired"] = 40
    run.save(tmp_path / "checkpoint.pt")
    again = TrainingRun.load(tmp_path / "checkpoint.pt", "cpu")
    assert again.recipe == TINY
    assert again.images == run.images
    for name in ("generator", "discriminator", "embedding", "averaged"):
        before, after = getattr(run, name).state_dict(), getattr(again, name).state_dict()
        assert all(torch.equal(before[k], after[k]) for k in before)


def test_a_grown_generator_starts_with_the_enlarged_picture(tmp_path: Path) -> None:
    small = TrainingRun(TINY, "cpu")
    small.save(tmp_path / "checkpoint.pt")
    large = TrainingRun.grow(
        tmp_path / "checkpoint.pt", Recipe(**{**vars(TINY), "resolution": 32, "channels": (8,) * 4}), "cpu"
    )
    z = torch.randn(2, TINY.z_dim)
    a, b = (x.averaged["generator"].eval() for x in (small, large))
    with torch.no_grad():
        expected = upsample2d(a.synthesize(a.map(z), noise="none"))
        found = b.synthesize(b.map(z), noise="none")
    assert torch.allclose(found, expected, atol=1e-5)
    assert large.history == ["16 px: 0 paired pictures, 0 minutes"]


def test_the_average_follows_the_networks_slowly() -> None:
    run = TrainingRun(TINY, "cpu")
    run.images["paired"] = 1_000_000
    before = run.averaged["generator"].synthesis.b4.const.clone()
    with torch.no_grad():
        run.generator.synthesis.b4.const += 1
    run.average(100)
    moved = (run.averaged["generator"].synthesis.b4.const - before).mean().item()
    assert moved == pytest.approx(1 - 0.5 ** (100 / TINY.ema_images), rel=1e-3)


def test_the_embedding_tells_categories_and_small_changes_apart() -> None:
    embedding = FactorEmbedding(16)
    factors = LatentWorld(40).factors(torch.randn(1, 40)).repeat(2, 1)
    index = [f.name for f in FACTORS].index("glasses")
    factors[:, index] = Tensor([0, 1])
    w = embedding(factors)
    assert not torch.allclose(w[0], w[1])


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["paired", "adversarial"])
def test_the_command_trains_resumes_and_writes_weights_that_load(tmp_path: Path, recipe: str) -> None:
    given = ["--out", str(tmp_path / "run"), "--recipe", recipe]
    avatars.run(arguments(*given))
    first = TrainingRun.load(tmp_path / "run" / "checkpoint.pt", "cpu")
    assert first.images["joint"] == 8
    avatars.run(arguments(*given, "--joint-images", "16"))
    again = TrainingRun.load(tmp_path / "run" / "checkpoint.pt", "cpu")
    assert again.images["joint"] == 16
    assert again.images["paired"] == (16 if recipe == "paired" else 0)
    generator, metadata = native.load(tmp_path / "run" / "generator.safetensors")
    assert generator.resolution == 16
    assert metadata["name"] == "avatar-16"
    assert generator.mapping.w_avg.abs().sum() > 0
    assert {"samples.png", "paired.png"} <= {p.name for p in (tmp_path / "run").iterdir()}


def test_without_a_discriminator_weight_none_is_trained(tmp_path: Path) -> None:
    avatars.run(arguments("--out", str(tmp_path), "--adversarial-weight", "0", "--adversarial-from", "2"))
    run = TrainingRun.load(tmp_path / "checkpoint.pt", "cpu")
    fresh = TrainingRun(run.recipe, "cpu")
    assert all(
        torch.equal(a, b) for a, b in zip(run.discriminator.parameters(), fresh.discriminator.parameters(), strict=True)
    )


def test_matrices_and_everything_else_are_updated_by_one_step() -> None:
    run = TrainingRun(TINY, "cpu")
    before = {name: p.detach().clone() for name, p in run.generator.synthesis.named_parameters()}
    image = run.generator.synthesize(torch.randn(2, TINY.w_dim), noise="random")
    (image.square().mean() + image.mean()).backward()
    run.optimisers["synthesis"].step()
    still = [name for name, p in run.generator.synthesis.named_parameters() if torch.equal(p, before[name])]
    assert [name for name in still if "noise" not in name] == []


def test_rates_of_all_parts_of_an_optimiser_fall_together() -> None:
    run = TrainingRun(TINY, "cpu")
    groups = run.optimisers["synthesis"].param_groups
    before = [group["lr"] for group in groups]
    avatars.rate(run.optimisers["synthesis"], avatars.falling(0.7))
    assert [group["lr"] for group in groups] == pytest.approx([0.5 * lr for lr in before])
    assert avatars.falling(0.0) == 1.0


@pytest.mark.slow
def test_a_conditional_generator_gives_every_class_its_own_w(tmp_path: Path) -> None:
    args = arguments("--out", str(tmp_path), "--condition", "hair_style", "--joint-images", "0")
    avatars.run(args)
    generator, metadata = native.load(tmp_path / "generator.safetensors")
    assert generator.c_dim == len(metadata["classes"]) == 6
    z = torch.randn(1, generator.z_dim).expand(6, -1)
    ws = generator.map(z, torch.eye(6))[:, 0]
    assert torch.cdist(ws, ws).add(torch.eye(6) * 9).min() > 1e-4
    run = TrainingRun.load(tmp_path / "checkpoint.pt", "cpu")
    _, c, factors = run.latents(50)
    assert c is not None
    column = [f.name for f in FACTORS].index("hair_style")
    assert torch.equal(c.argmax(dim=1).float(), factors[:, column])


def test_a_condition_that_is_no_category_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="hair_style"):
        avatars.run(arguments("--out", str(tmp_path), "--condition", "hair_styl", "--joint-images", "0"))
    with pytest.raises(ValueError, match="joint-images 0"):
        avatars.run(arguments("--out", str(tmp_path), "--condition", "hair_style"))


def test_without_a_weight_no_discriminator_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stylewidgets.training.phases.discriminator_loss", None)
    avatars.run(arguments("--out", str(tmp_path), "--adversarial-weight", "0", "--joint-images", "0"))
    assert (tmp_path / "generator.safetensors").exists()


@pytest.mark.slow
def test_a_grown_generator_that_keeps_w_has_the_mapping_of_the_smaller_one(tmp_path: Path) -> None:
    common = ("--joint-images", "0", "--adversarial-weight", "0")
    avatars.run(arguments("--out", str(tmp_path / "small"), *common))
    small = TrainingRun.load(tmp_path / "small" / "checkpoint.pt", "cpu")
    avatars.run(
        arguments(
            "--out",
            str(tmp_path / "large"),
            *common,
            "--resolution",
            "32",
            "--channels",
            "8",
            "8",
            "8",
            "8",
            "--grow-from",
            str(tmp_path / "small" / "checkpoint.pt"),
            "--keep-w",
            "--mapping-samples",
            "0",
            "--grow-images",
            "0",
        )
    )
    large = TrainingRun.load(tmp_path / "large" / "checkpoint.pt", "cpu")
    z = torch.randn(3, small.recipe.z_dim)
    for a, b in ((small.generator, large.generator), (small.averaged["generator"], large.averaged["generator"])):
        assert torch.equal(a.map(z)[:, 0], b.map(z)[:, 0])
    weights = [run.generator.synthesis.get_submodule("b8.conv0").weight for run in (small, large)]
    assert not torch.equal(*weights)


def test_with_paired_mixing_coarse_rows_know_pose_and_shape_only_and_the_others_the_rest() -> None:
    factors = torch.from_numpy(sample(2, seed=3))
    ws = mixed_codes(lambda known: known, factors, 10)
    column = {f.name: i for i, f in enumerate(FACTORS)}
    yaw, tone = column["yaw"], column["skin_tone"]
    assert torch.equal(ws[:, :4, yaw], factors[:, None, yaw].expand(-1, 4))
    assert torch.equal(ws[:, 4:, tone], factors[:, None, tone].expand(-1, 6))
    assert torch.equal(ws[:, :4, tone], factors.flip(0)[:, None, tone].expand(-1, 4))
    assert torch.equal(ws[:, 4:, yaw], factors.flip(0)[:, None, yaw].expand(-1, 6))
    assert set(column) >= COARSE_FACTORS


@pytest.mark.slow
def test_a_stylegan3_keeps_the_latents_of_a_stylegan2_and_learns_to_draw_them(tmp_path: Path) -> None:
    common = ("--joint-images", "0", "--adversarial-weight", "0", "--paired-images", "8")
    avatars.run(arguments("--out", str(tmp_path / "two"), *common))
    given = arguments(
        "--out",
        str(tmp_path / "three"),
        *common,
        "--family",
        "stylegan3-t",
        "--channels",
        "8",
        "8",
        "8",
        "8",
        "--grow-from",
        str(tmp_path / "two" / "checkpoint.pt"),
        "--keep-w",
        "--mapping-samples",
        "0",
        "--moved",
        "0.5",
        "--margin",
        "4",
    )
    avatars.run(given)
    two = TrainingRun.load(tmp_path / "two" / "checkpoint.pt", "cpu")
    three = TrainingRun.load(tmp_path / "three" / "checkpoint.pt", "cpu")
    z = torch.randn(3, two.recipe.z_dim)
    assert torch.equal(two.averaged["generator"].map(z)[:, 0], three.averaged["generator"].map(z)[:, 0])
    assert all(torch.equal(a, b) for a, b in zip(two.embedding.parameters(), three.embedding.parameters(), strict=True))
    untrained = TrainingRun(three.recipe, "cpu").generator.synthesis
    still = [
        name
        for name, p in three.generator.synthesis.named_parameters()
        if torch.equal(p, untrained.get_parameter(name))
    ]
    assert still == []
    generator, metadata = native.load(tmp_path / "three" / "generator.safetensors")
    assert generator.family == "stylegan3" and generator.resolution == 16
    assert metadata["name"] == "avatar-16-stylegan3" and metadata["recipe"]["family"] == "stylegan3-t"


def test_a_moved_picture_is_compared_with_what_shows_the_same_places(monkeypatch: pytest.MonkeyPatch) -> None:
    class Sliding:
        """Draws its picture exactly where the transform puts it."""

        resolution, matrix = 16, np.eye(3)

        def set_transform(self, matrix: list[list[float]] | None) -> None:
            self.matrix = np.eye(3) if matrix is None else np.array(matrix)

        def synthesize(self, ws: Tensor) -> Tensor:
            right, down = (round(float(self.matrix[i, 2]) * 16) for i in range(2))
            moved = torch.full_like(picture, 9.0)
            moved[:, :, max(0, down) : 16 + min(0, down), max(0, right) : 16 + min(0, right)] = picture[
                :, :, max(0, -down) : 16 + min(0, -down), max(0, -right) : 16 + min(0, -right)
            ]
            return moved

    picture, seen = torch.rand(1, 3, 16, 16), set()
    torch.manual_seed(0)
    for _ in range(12):
        generator = Sliding()
        fake, target = draw_moved(generator, torch.zeros(1, 4), picture)
        assert torch.equal(fake, target) and np.array_equal(generator.matrix, np.eye(3))
        seen.add(tuple(target.shape[2:]))
    assert len(seen) > 3


def test_a_family_that_cannot_be_trained_names_those_that_can() -> None:
    with pytest.raises(ValueError, match="stylegan3-t"):
        TrainingRun(Recipe(**{**vars(TINY), "family": "stylegan3-r"}), "cpu")
